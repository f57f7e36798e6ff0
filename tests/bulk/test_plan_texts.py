"""What a plan says about countries, landlines and characters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iprog_async import BulkPlan, Message, SmsClient
from iprog_async._bulk.characters import segments_without, shown
from iprog_async_providers.infopromo import UltimateSmsProvider


HOST: dict[str, Any] = {"base_url": "https://host.example", "sender_id": "Acme"}
NUMBERS = [
    "+639171234567",
    "+256 772 123456",
    "2015550123",
    "+44 20 7946 0958",
    "+39 312 345 6789",
    "0039 06 1234 5678",
    "+800 1234 5678",
]


async def plan_of(messages: list[Message], **settings: Any) -> BulkPlan:
    """Plan with a gateway that sends everywhere."""
    async with SmsClient(UltimateSmsProvider("token", **HOST, **settings)) as client:
        return await client.plan_many(messages)


async def test_plan_tells_where_numbers_are() -> None:
    """Digits without a plus sign may go abroad; the plan says to which countries."""
    found = await plan_of(
        [*(Message(number, "Hi") for number in NUMBERS), Message(NUMBERS[0], "Ho")]
    )

    assert {"PH": 2, "UG": 1, "EG": 1, "GB": 1, "IT": 2, "001": 1} == found.countries
    assert "PH" == next(iter(found.countries))
    assert (7, 3) == (found.with_plus, found.landlines)


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("a" * 100 + "\u2019", 1),
        ("a" * 160 + "\u2019", 2),
        ("a" * 158 + "\u2026", 2),
        ("\u20b1" + "a" * 100, 1),
        ("e\u0301" * 100, 1),
        ("\U0001f469\u200d\U0001f680" * 80, 1),
        ("plain", 1),
        ("\u0301", 1),
        ("[" * 81, 2),
    ],
)
def test_segments_without_what_forces_ucs2(text: str, without: int) -> None:
    """What the text would cost in GSM-7; letter and accent become the letter that has it."""
    assert without == segments_without(text)


@pytest.mark.parametrize(
    ("character", "words"),
    [
        ("\u2019", "\u2019 (U+2019 RIGHT SINGLE QUOTATION MARK)"),
        ("\u00a0", "U+00A0 NO-BREAK SPACE"),
        ("\u200b", "U+200B ZERO WIDTH SPACE"),
        ("\u0301", "\u25cc\u0301 (U+0301 COMBINING ACUTE ACCENT)"),
        ("\t", "U+0009 no name"),
    ],
)
def test_characters_are_named(character: str, words: str) -> None:
    """A character that nobody can see is there by its name."""
    assert words == shown(character)


async def test_plan_names_the_characters_that_cost() -> None:
    """Each character that forces UCS-2, with its texts and what they cost more."""
    quoted = [Message(f"+63917{place:07}", "It\u2019s " + "a" * 100) for place in range(3)]
    both = Message("+639180000000", "It\u2019s \u2013" + "a" * 100)
    short = Message("+639180000001", "a\u00a0b")
    found = await plan_of([*quoted, both, short, Message("+639180000002", "plain")])

    assert [
        "\u2019 (U+2019 RIGHT SINGLE QUOTATION MARK) in 4 texts: "
        "2 segments instead of 1, +4 credits",
        "\u2013 (U+2013 EN DASH) in 1 text: 2 segments instead of 1, +1 credit",
        "U+00A0 NO-BREAK SPACE in 1 text: no credit more",
    ] == list(map(str, found.characters))
    assert (4, 10) == (found.characters_extra, found.segments)


async def test_costs_that_differ_are_told_in_all() -> None:
    """Where texts with a character differ in length, their segments are added up."""
    texts = ["\u2019" + "a" * 100, "\u2019" + "a" * 10]
    found = await plan_of([Message("+639180000000", text) for text in texts])

    assert [
        "\u2019 (U+2019 RIGHT SINGLE QUOTATION MARK) in 2 texts: 3 segments instead of 2, +1 credit"
    ] == list(map(str, found.characters))


async def test_all_of_it_as_json() -> None:
    """What a plan knows of people and texts can be stored."""
    messages = [Message(NUMBERS[0], "It\u2019s " + "a" * 100), Message(NUMBERS[0], "Hi")]
    data = (await plan_of(messages)).to_dict()

    assert data == json.loads(json.dumps(data))
    assert [{"number": NUMBERS[0], "texts": 2, "indexes": [0, 1]}] == data["several_texts"]
    assert (1, 1, {"PH": 2}, 0, 2, 1) == (
        data["numbers"],
        data["several"],
        data["countries"],
        data["landlines"],
        data["with_plus"],
        data["characters_extra"],
    )
    assert {
        "character": "\u2019",
        "code_point": "U+2019",
        "name": "RIGHT SINGLE QUOTATION MARK",
        "texts": 1,
        "segments": 2,
        "segments_without": 1,
        "extra": 1,
    } == data["characters"][0]
