from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, assert_never

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.core.fakes import LATER, NUMBER, FakeProvider, accept, prepared

from iprog_async import (
    Accepted,
    Balance,
    DeliveryStatus,
    InvalidMessageError,
    Message,
    NotSent,
    Outcome,
    OutcomeUnknownError,
    Receipt,
    Unknown,
    UnsupportedError,
)
from iprog_async._core.receipts import split_ref
from iprog_async.adapter import check_sender_id


TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (Message(NUMBER, ""), "is empty"),
        (Message(NUMBER, " \n"), "is empty"),
        (Message(NUMBER, None), "is empty"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a bad row
        (Message(NUMBER, 7), "is of type int"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a bad row
        (Message(NUMBER, "a\ud83d"), "half a character"),
        (Message("nobody", "Hi"), "letters"),
        (Message(NUMBER, "Hi", sender_id=" "), "sender ID is empty"),
        (Message(NUMBER, "Hi", sender_id="TWELVE CHARS"), "12 characters"),
        (Message(NUMBER, "Hi", sender_id="A\nB"), "no phone can show"),
        (Message(NUMBER, "Hi", sender_id="\ud83d"), "no phone can show"),
        (Message(NUMBER, "Hi", schedule_at=datetime(2026, 1, 1)), "no time zone"),
        (Message(NUMBER, "Hi", schedule_at="soon"), "no datetime"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a bad row
        (Message(NUMBER, "Hi", options=object()), "options of type object"),
    ],
)
def test_bad_messages_are_refused_before_any_network(message: Message, why: str) -> None:
    """Each is an `InvalidMessageError` that says why, and a `ValueError`."""
    with pytest.raises(InvalidMessageError, match=why) as caught:
        FakeProvider().prepare(message)

    assert isinstance(caught.value, ValueError)


def test_prepared_message_knows_number_segments_and_index() -> None:
    """Preparing normalises the number and counts the segments."""
    message = Message("0917 123 4567", "Hi", "SHOP", LATER, "order-1")

    ready = FakeProvider().prepare(message, 7)

    assert (message, "639171234567", NUMBER, 1, 7) == (
        ready.message,
        ready.to,
        ready.e164,
        ready.segments.count,
        ready.index,
    )


@pytest.mark.parametrize("sender_id", ["A", "ELEVENCHARS", "+63917123456789", "123456789012345"])
def test_sender_ids_that_fit(sender_id: str) -> None:
    """Eleven characters, or a number of up to 15 digits, are a sender ID."""
    check_sender_id(sender_id)


@pytest.mark.parametrize("sender_id", ["1234567890123456", "٠١٢٣٤٥٦٧٨٩٠١", "+-+-+-+-+-+-"])
def test_long_sender_ids_are_numbers_of_ascii_digits(sender_id: str) -> None:
    """What is longer than eleven characters and no number is refused."""
    with pytest.raises(InvalidMessageError):
        check_sender_id(sender_id)


def describe(outcome: Outcome) -> str:
    """Return a word for an outcome; checkers prove that no case is missing."""
    match outcome:
        case Accepted(receipt=receipt):
            return str(receipt.ref)
        case NotSent(error=error):
            return f"not sent: {error}"
        case Unknown(error=unknown):
            return f"unknown: {unknown.reason}"
        case _:
            assert_never(outcome)


async def test_outcomes_narrow_by_match() -> None:
    """Each case gives what only it has."""
    ready = prepared(3)
    lost = OutcomeUnknownError("lost", provider="fake", reason="no answer")
    (taken,) = await accept([ready])

    assert ["fake:id-3", "not sent: no", "unknown: no answer"] == [
        describe(taken),
        describe(NotSent(3, ready.message, UnsupportedError("no"))),
        describe(Unknown(3, ready.message, lost)),
    ]
    assert "accepted" == taken.state


STATUSES = st.builds(
    DeliveryStatus,
    st.sampled_from(["pending", "sent", "delivered", "failed", "unknown"]),
    TEXT,
)
RECEIPTS = st.builds(
    Receipt,
    provider=TEXT,
    message_id=st.none() | TEXT,
    to=TEXT,
    segments=st.integers(0, 300),
    cost=st.none() | st.decimals(allow_nan=False, allow_infinity=False),
    status=STATUSES,
    scheduled=st.booleans(),
    raw=st.just({"message": "dropped"}),
)


@given(RECEIPTS)
def test_receipts_survive_json(receipt: Receipt) -> None:
    """A stored receipt reads back as the same, but for `raw`."""
    restored = Receipt.from_dict(json.loads(json.dumps(receipt.to_dict())))

    assert receipt == restored
    assert restored.raw is None


GOOD: dict[str, Any] = Receipt("iprog", "1", "63917", 1, Decimal("1.5")).to_dict()


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        "iprog:1",
        None,
        {**GOOD, "cost": "much"},
        {**GOOD, "cost": [1]},
        {**GOOD, "status": None},
        {**GOOD, "status": {"state": "vanished", "word": ""}},
        {**GOOD, "status": {"states": "sent"}},
    ],
)
def test_other_data_is_no_receipt(data: Any) -> None:
    """What `to_dict` did not write is refused."""
    with pytest.raises(InvalidMessageError, match="not a stored receipt"):
        Receipt.from_dict(data)


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("iprog:iSms-2Gf", ("iprog", "iSms-2Gf")),
        ("iprog:reminder:1", ("iprog", "reminder:1")),
        (Receipt("ugsms-v2", "77", "256", 1), ("ugsms-v2", "77")),
    ],
)
def test_references_name_provider_and_id(ref: Receipt | str, expected: tuple[str, str]) -> None:
    """A reference ends the name at its first colon."""
    assert expected == split_ref(ref)


@pytest.mark.parametrize("ref", ["", "iSms-2Gf", ":1", "iprog:"])
def test_other_words_are_no_reference(ref: str) -> None:
    """What has not both parts is refused, with an example."""
    with pytest.raises(InvalidMessageError, match="it looks like"):
        split_ref(ref)


def test_receipt_without_id_has_no_reference() -> None:
    """Asking for the reference of an accepted text never raises; asking for its status does."""
    receipt = Receipt("ugsms-v1", None, "0701234567", 1)

    assert receipt.ref is None
    with pytest.raises(InvalidMessageError, match="no id"):
        split_ref(receipt)


@pytest.mark.parametrize(
    ("state", "final"),
    [
        ("pending", False),
        ("sent", False),
        ("unknown", False),
        ("delivered", True),
        ("failed", True),
    ],
)
def test_only_delivered_and_failed_are_final(state: Any, final: bool) -> None:
    """All other statuses may still change."""
    assert final == DeliveryStatus(state).final


def test_state_must_be_one_of_the_library() -> None:
    """A gateway's own word is no state."""
    with pytest.raises(ValueError):
        DeliveryStatus("DELIVRD")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - what the test is about


def test_raw_answers_stay_out_of_reprs() -> None:
    """`raw` may hold personal data and never shows by accident."""
    values = (DeliveryStatus("sent", raw="R4W"), Balance(None, raw="R4W"))
    receipt = Receipt("iprog", "1", "63917", 1, raw="R4W")

    assert "R4W" not in repr((*values, receipt))
