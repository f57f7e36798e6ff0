"""What travels where look-alikes may be replaced: one text, a run, through a journal, a router."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from iprog_async import (
    Accepted,
    ConfigurationError,
    DuplicateMessageError,
    EncodingSetting,
    Failover,
    Gsm7,
    Gsm7Change,
    Gsm7Saving,
    InvalidMessageError,
    Journal,
    JournalConflictError,
    Message,
    NotSent,
    Outcome,
    SmsClient,
    provider_from_url,
)
from iprog_async import sync as synchronous
from iprog_async.sandbox import Fault, Sandbox


NUMBER = "+639171234567"
WRITTEN = "It\u2019s " + "a" * 100
TRAVELS = "It's " + "a" * 100
WITH_PESO = "\u20b1500 " + "a" * 100
PESO = Gsm7({"\u20b1": "PHP "})


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """Return a gateway in this process."""
    async with Sandbox() as sandbox:
        yield sandbox


def _client(sandbox: Sandbox, **settings: Any) -> SmsClient[Any]:
    return SmsClient.from_url(sandbox.address("iprog"), **settings)


def _texts(sandbox: Sandbox) -> list[str]:
    return [message.text for message in sandbox.inbox]


async def _run(sandbox: Sandbox, *messages: Message, **settings: Any) -> list[Outcome]:
    async with _client(sandbox) as sms, sms.send_many(messages, **settings) as run:
        return sorted([outcome async for outcome in run], key=lambda outcome: outcome.index)


@pytest.mark.parametrize(
    ("of_client", "of_text", "expected"),
    [
        ({}, None, (WRITTEN, 2)),
        ({"encoding": "auto"}, None, (WRITTEN, 2)),
        ({"encoding": "gsm-7"}, None, (TRAVELS, 1)),
        ({"encoding": "gsm-7"}, "auto", (WRITTEN, 2)),
        ({}, "gsm-7", (TRAVELS, 1)),
        ({}, PESO, (TRAVELS, 1)),
    ],
)
async def test_nothing_is_replaced_unless_it_was_asked_for(
    sandbox: Sandbox,
    of_client: dict[str, Any],
    of_text: EncodingSetting | None,
    expected: tuple[str, int],
) -> None:
    """The phone shows what was written, unless the client or the text says otherwise."""
    async with _client(sandbox, **of_client) as sms:
        receipt = await sms.send(NUMBER, WRITTEN, encoding=of_text)

    assert [expected[0]] == _texts(sandbox)
    assert expected[1] == receipt.segments


async def test_choices_of_the_caller(sandbox: Sandbox) -> None:
    """A sign is replaced by what the caller names, and by nothing else."""
    async with _client(sandbox, encoding="gsm-7") as sms:
        await sms.send(NUMBER, WITH_PESO)
        await sms.send(NUMBER, WITH_PESO, encoding=PESO)

    assert [WITH_PESO, "PHP 500 " + "a" * 100] == _texts(sandbox)


async def test_synchronous_client_replaces_them_too(sandbox: Sandbox) -> None:
    """Its calls hand the setting on."""

    def send() -> None:
        with synchronous.SmsClient(
            provider_from_url(sandbox.address("iprog")), encoding="gsm-7"
        ) as sms:
            sms.send(NUMBER, WRITTEN)
            sms.send(NUMBER, WRITTEN, encoding="auto")
            with sms.send_many([Message(NUMBER, WITH_PESO)], encoding=PESO) as run:
                run.drain()
            assert 1 == sms.plan_many([Message(NUMBER, WRITTEN)]).saved.segments

    await asyncio.to_thread(send)

    assert [TRAVELS, WRITTEN, "PHP 500 " + "a" * 100] == _texts(sandbox)


@pytest.mark.parametrize("first_refuses", [False, True])
async def test_router_sends_the_changed_text_through_any_member(
    sandbox: Sandbox, first_refuses: bool
) -> None:
    """Each member prepares the text that travels, also the one that it goes on to."""
    if first_refuses:
        sandbox.add_fault(Fault("POST /iprog/*", "status", status=429))
    members = [provider_from_url(sandbox.address(name)) for name in ("iprog", "infopromo")]
    async with SmsClient(Failover(*members), encoding="gsm-7") as sms:
        receipt = await sms.send(NUMBER, WRITTEN)

    assert ([TRAVELS], 1) == (_texts(sandbox), receipt.segments)
    assert ("infopromo" if first_refuses else "iprog") == receipt.provider


async def test_each_message_of_a_run_may_have_its_own(sandbox: Sandbox) -> None:
    """What a message says goes before what the run does; outcomes have the text that travelled."""
    outcomes = await _run(
        sandbox,
        Message(NUMBER, WRITTEN),
        Message("+639171234568", WRITTEN, encoding="auto"),
        Message("+639171234569", WITH_PESO, encoding=PESO),
        encoding="gsm-7",
    )

    assert [Accepted] * 3 == [type(outcome) for outcome in outcomes]
    expected = [TRAVELS, WRITTEN, "PHP 500 " + "a" * 100]
    assert expected == [outcome.message.text for outcome in outcomes]
    assert sorted(expected) == sorted(_texts(sandbox))


async def test_rows_that_travel_alike_are_one_text(sandbox: Sandbox) -> None:
    """What is the same text twice is decided by what the phone would show."""
    outcomes = await _run(
        sandbox, Message(NUMBER, WRITTEN), Message(NUMBER, TRAVELS), encoding="gsm-7"
    )

    assert isinstance(outcomes[1], NotSent)
    assert isinstance(outcomes[1].error, DuplicateMessageError)
    assert [TRAVELS] == _texts(sandbox)


@pytest.mark.parametrize("settings", [("auto", "gsm-7"), ("gsm-7", "auto")])
@pytest.mark.parametrize("key", [None, "order-1"])
async def test_resuming_with_another_setting_texts_nobody_twice(
    sandbox: Sandbox, tmp_path: Path, settings: tuple[EncodingSetting, ...], key: str | None
) -> None:
    """Without a key it is another text, which is a conflict; with one it is settled."""
    message, first_setting, other_setting = Message(NUMBER, WRITTEN, key=key), *settings
    first, again, other = [
        (await _run(sandbox, message, journal=tmp_path / "j.db", encoding=setting))[0]
        for setting in (first_setting, first_setting, other_setting)
    ]

    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    if key is None:
        assert isinstance(other, NotSent)
        assert isinstance(other.error, JournalConflictError)
    else:
        assert isinstance(other, Accepted)
    assert 1 == len(sandbox.inbox)


async def test_send_with_a_key_is_one_text_whatever_the_setting(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The key names it."""
    with Journal.open(tmp_path / "j.db") as journal:
        async with _client(sandbox, journal=journal) as sms:
            first = await sms.send(NUMBER, WRITTEN, key="order-1")
            second = await sms.send(NUMBER, WRITTEN, key="order-1", encoding="gsm-7")

    assert first.ref == second.ref
    assert [WRITTEN] == _texts(sandbox)


async def test_plan_tells_before_and_after(sandbox: Sandbox) -> None:
    """What is saved and what could be are counted apart, with the changes and the cost."""
    messages = [
        Message(NUMBER, WRITTEN),
        Message("+639171234568", WRITTEN + "\u2014\u2014", encoding="gsm-7"),
        Message("+639171234569", "It\u2019s short", encoding="gsm-7"),
        Message("+639171234560", "plain"),
    ]
    async with _client(sandbox) as sms:
        found = await sms.plan_many(messages, price="0.5")
        changed = await sms.plan_many(messages, price="0.5", encoding="gsm-7")

    quotes, dashes = Gsm7Change("\u2019", "'", "quotes"), Gsm7Change("\u2014", "-", "dashes")
    assert (5, Decimal("2.5")) == (found.segments, found.cost)
    assert Gsm7Saving(1, 1, (quotes, dashes)) == found.saved
    assert Gsm7Saving(1, 1, (quotes,)) == found.savable
    assert (4, Decimal("2.0")) == (changed.segments, changed.cost)
    assert (2, 2, 0) == (changed.saved.texts, changed.saved.segments, changed.savable.texts)
    assert {
        "texts": 1,
        "segments": 1,
        "changes": [{"written": "\u2019", "replaced_by": "'", "kind": "quotes", "texts": 1}],
    } == found.to_dict()["savable"]
    assert [] == _texts(sandbox)


async def test_change_is_in_the_log(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """A record says that a text was changed, and neither the number nor the text."""
    with caplog.at_level(logging.DEBUG, "iprog_async"):
        async with _client(sandbox, encoding="gsm-7") as sms:
            await sms.send(NUMBER, WRITTEN)
            await sms.send(NUMBER, "plain")

    (words,) = [record.getMessage() for record in caplog.records if "GSM-7" in record.getMessage()]
    assert "2 segments become 1" in words
    assert NUMBER not in words


@pytest.mark.parametrize("encoding", ["GSM7", "", 7])
async def test_setting_that_is_none(sandbox: Sandbox, encoding: Any) -> None:
    """A misspelt setting is told, and sends nothing: it is the client's, the run's or a row's."""
    with pytest.raises(ConfigurationError, match="neither"):
        _client(sandbox, encoding=encoding)
    async with _client(sandbox) as sms:
        with pytest.raises(InvalidMessageError, match="neither"):
            await sms.send(NUMBER, "Hi", encoding=encoding)
        with pytest.raises(ConfigurationError, match="neither"):
            sms.send_many([], encoding=encoding)
        with pytest.raises(ConfigurationError, match="neither"):
            await sms.plan_many([], encoding=encoding)
    outcomes = await _run(sandbox, Message(NUMBER, "Hi", encoding=encoding), encoding="gsm-7")

    assert [NotSent] == [type(outcome) for outcome in outcomes]
    assert [] == _texts(sandbox)


async def test_row_that_holds_no_text_is_refused(sandbox: Sandbox) -> None:
    """A bad row is an outcome of its own, with this setting as without."""
    row: Any = None
    (outcome,) = await _run(sandbox, Message(NUMBER, row), encoding="gsm-7")

    assert isinstance(outcome, NotSent)
    assert isinstance(outcome.error, InvalidMessageError)
