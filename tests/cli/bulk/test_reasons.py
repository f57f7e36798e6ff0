"""Why rows were not sent, a line for each reason."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from iprog_async import (
    DuplicateMessageError,
    ExpiredError,
    InvalidMessageError,
    RejectedError,
    RunHaltedError,
    SmsError,
    SuppressedError,
)
from iprog_async.cli._bulk.reasons import Reasons


def reasons_of(*rows: tuple[int, str, SmsError]) -> Reasons:
    """Count rows: line, number and error."""
    reasons = Reasons()
    for line, number, error in rows:
        reasons.add(line, number, error, str(error))
    return reasons


def _short(number: str) -> InvalidMessageError:
    return InvalidMessageError(f"the phone number {number!r} is too short")


def test_alone_and_together() -> None:
    """A reason of one row is told as it is, one of many with the first lines and their number."""
    same = InvalidMessageError("this gateway takes no sender")
    reasons = reasons_of((9, "12", _short("12")), *((line, "0917", same) for line in range(20, 30)))

    assert [
        "lines 20, 21, 22 and 7 more: this gateway takes no sender",
        "line 9: the phone number '12' is too short",
    ] == reasons.lines()


def test_numbers_make_no_reason() -> None:
    """Of many bad numbers none is shown, as if each line had that one."""
    refused = [
        RejectedError(f"iprog refused 63917000010{n}: blocked", provider="iprog") for n in range(2)
    ]
    reasons = reasons_of(
        *((line, number, _short(number)) for line, number in enumerate(("12", "0917 1", "7"), 2)),
        *((line, "0917", error) for line, error in enumerate(refused, 7)),
    )

    assert [
        "lines 2, 3, 4: the phone number '…' is too short",
        "lines 7, 8: iprog refused …: blocked",
    ] == reasons.lines()


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        (
            [DuplicateMessageError(0), DuplicateMessageError(5)],
            "the same text for the same number as on an earlier line",
        ),
        (
            [SuppressedError("+639171234567"), SuppressedError("+639171234568")],
            "the number is among those never to text (--suppress, --suppressions)",
        ),
        (
            [ExpiredError(datetime(2026, 1, 1, tzinfo=UTC), why) for why in ("", "it waited")],
            "it was too late to send it (--not-after)",
        ),
        (
            [RunHaltedError(SmsError("no credit")), RunHaltedError(SmsError("no credit left"))],
            "the run stopped before their turn",
        ),
    ],
)
def test_what_each_row_says_alike(errors: list[SmsError], words: str) -> None:
    """What names another row, number or cause in each row is one reason all the same."""
    rows = [(line, "0917", error) for line, error in enumerate(errors, 2)]
    assert [f"lines 2, 3: {words}"] == reasons_of(*rows).lines()


def test_many_reasons() -> None:
    """However many there are, some are kept, fewer shown, and all rows are counted."""
    rows = [
        (2 + line, "0917", InvalidMessageError("x" * (1 + line % 60))) for line in range(60 * 3)
    ]
    reasons = reasons_of(*rows)

    assert (180, 50) == (reasons.count, len(reasons.to_list()))
    assert (6, "and 165 more, for other reasons") == (len(reasons.lines()), reasons.lines()[-1])


def test_rows_that_were_not_counted_here() -> None:
    """Where only the first rows are known, the others are told as more."""
    reasons = reasons_of((2, "12", _short("12")))
    assert "and 9 more, for other reasons" == reasons.lines(of=10)[-1]


def test_data() -> None:
    """A program gets reason, number and first lines."""
    reasons = reasons_of(*((line, "12", _short("12")) for line in range(2, 12)))
    expected = {
        "reason": "the phone number '12' is too short",
        "count": 10,
        "first_lines": [2, 3, 4],
    }
    assert [expected] == reasons.to_list()


def test_hostile_words() -> None:
    """What a gateway wrote stays one line, and not a long one."""
    error = RejectedError("first\nsecond " + "x" * 10_000, provider="p")
    (line,) = reasons_of((2, "", error)).lines()
    assert (True, True) == (line.startswith("line 2: first second x"), len(line) < 320)
