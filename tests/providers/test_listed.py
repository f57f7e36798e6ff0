"""What a list in an answer proves of one of those whom it names."""

from __future__ import annotations

from typing import Any

import pytest
from support.core.fakes import FakeProvider

from iprog_async import Message, NotSent, RejectedError, Unknown
from iprog_async.adapter import (
    Answer,
    ErrorForm,
    PreparedMessage,
    Refusal,
    is_number_of,
    refuse_one,
)


FORM = ErrorForm({}, ["error"])
ROWS = (Refusal(RejectedError, "Bad number", (200,), blame="recipient"),)


def prepared(number: str = "+639171234567") -> PreparedMessage:
    """Return a message as an adapter gets it."""
    return FakeProvider().prepare(Message(number, "Hi"), 3)


def one(entry: object, beside: object = None, status: int = 200, **headers: str) -> Any:
    """Return what an entry of a list to two comes to."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = Answer(status, named, {"list": [entry]}, recipients=2)
    details: Any = {"provider": "x", "entry": entry, "form": FORM, "beside": beside}
    return refuse_one(prepared(), answer, ROWS, reason="Bad number", **details)


def test_an_entry_is_a_refusal_of_its_recipient() -> None:
    """Words that a row knows, in the exact form: not sent, also where the request was for two."""
    outcome = one({"error": "Bad number"}, {"success": False, "message": "1 of 2 failed"})

    assert isinstance(outcome, NotSent)
    assert isinstance(outcome.error, RejectedError)
    assert (3, 200) == (outcome.index, outcome.error.http_status)
    assert f"x refused {prepared().to}: Bad number" == str(outcome.error)


@pytest.mark.parametrize(
    ("entry", "more"),
    [
        ({"error": "Bad luck"}, {}),
        ({"error": "Bad number", "id": "8d1f"}, {}),
        ({"error": "Bad number", "carrier": 7}, {}),
        ({"error": ["Bad number", ["the first part is out"]]}, {}),
        ({}, {}),
        ("Bad number", {}),
        ({"error": "Bad number"}, {"status": 500}),
        ({"error": "Bad number"}, {"beside": {"sent": 1}}),
        ({"error": "Bad number"}, {"beside": {"message": "All were queued"}}),
        ({"error": "Bad number"}, {"x_message_id": "8d1f"}),
    ],
)
def test_an_entry_in_doubt_is_unknown(entry: object, more: dict[str, Any]) -> None:
    """Other words, more than the form, a server error, or a sign beside the list."""
    assert isinstance(one(entry, **more), Unknown)


def test_ids_of_an_entry_in_doubt_are_kept() -> None:
    """By them the text can be looked for at the gateway."""
    outcome = one({"error": "Bad number", "id": "8d1f"}, {"batch_id": "b7"})

    assert ("8d1f", "b7") == outcome.error.references


@pytest.mark.parametrize(
    ("given", "number", "region", "expected"),
    [
        ("+639171234567", "+639171234567", None, True),
        ("639171234567", "+639171234567", "PH", True),
        (639171234567, "+639171234567", None, True),
        ("0917 123 4567", "+639171234567", "PH", True),
        ("0917 123 4567", "+639171234567", None, True),
        ("+63 917 123 4567", "+639171234567", None, True),
        ("+1 9171234567", "+639171234567", "PH", False),
        ("19171234567", "+639171234567", None, False),
        ("254701234567", "+256701234567", "UG", False),
        ("256701234567", "+254701234567", "UG", False),
        ("0701234567", "+256701234567", "UG", True),
        ("0701234567", "+254701234567", "UG", False),
        ("254701234567", "+254701234567", "UG", True),
        ("", "+639171234567", None, False),
        (True, "+639171234567", None, False),
        (["639171234567"], "+639171234567", None, False),
    ],
)
def test_whole_numbers_are_compared(
    given: object, number: str, region: str | None, expected: bool
) -> None:
    """The last digits of two countries' numbers may be the same; national ones have a region."""
    assert expected == is_number_of(given, prepared(number), region)
