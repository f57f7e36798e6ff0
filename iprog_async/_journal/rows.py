"""What a journal holds about one message, and how outcomes become columns."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from decimal import Decimal
from json.encoder import encode_basestring_ascii as _quote
from typing import Any, Literal, get_args
from zlib import crc32

from attrs import define, field

from iprog_async._core.errors import ExpiredError, JournalError, OutcomeUnknownError, SmsError
from iprog_async._core.outcomes import Accepted, NotSent, Outcome
from iprog_async._core.receipts import PENDING, DeliveryStatus, Receipt
from iprog_async._journal.quoted_text import without_text


HASH_BYTES = 12
DAMAGED_ROW = "its row was damaged, and says neither who it was nor what became of it"
_LONGEST_DETAIL = 500
NEVER = -math.inf
"""Before any time: the clock of a machine that has just started is near zero."""
_NULL = "null"

RowState = Literal["claimed", "released", "accepted", "not_sent", "unknown"]

ROW_STATES: frozenset[str] = frozenset(get_args(RowState))

Values = tuple[object, ...]
"""The columns of one row, in the order of `ROW_COLUMNS`; the last one is a checksum of them all."""


# It changes as its text does: the store gives it an id, and its claim a time.
@define
class Row:
    """One message in the journal.

    Args:
        id: Row number.
        number: Recipient as E.164.
        key: The caller's key, or `None`.
        text_hash: Salted hash of the text, which itself is not kept; the time of a scheduled
            message follows.
        run: Number of the run that claimed it last; 0 for single sends.
        state: How far it came; `claimed` without an end is an unknown outcome.
        healable: Whether a refusal could succeed another time; of what is unknown, whether the
            last sending certainly did not leave, for a reason that passes.
        provider: Who was asked.
        detail: The gateway's id and what else a receipt holds, or what went wrong.
        in_doubt: Whether it is being sent again after an unknown outcome: whatever becomes of
            that, short of being accepted, it may have been sent.
        status: The delivery status in the answer that accepted it, or a later one.
        on_record: What tells its store whether anybody else has changed it since it was read or
            written here; `None` of a new one.
        claimed_at: When its claim was asked for, by `uptime`; `NEVER` while it is not claimed
            by us.
    """

    id: int
    number: str
    key: str | None
    text_hash: bytes
    run: int
    state: RowState
    healable: bool = False
    provider: str = ""
    detail: str = ""
    in_doubt: bool = False
    status: str | None = None
    on_record: tuple[Any, ...] | None = field(default=None, eq=False, repr=False)
    claimed_at: float = field(default=NEVER, eq=False, repr=False)
    _checksum: int = field(default=-1, init=False, eq=False, repr=False)

    @property
    def text_only_hash(self) -> bytes:
        """Hash of the text, whenever it is to be sent."""
        return self.text_hash[:HASH_BYTES]

    @property
    def unsettled(self) -> bool:
        """Whether nobody knows if the text went out."""
        return self.state in ("claimed", "unknown")

    def as_claimed(self) -> Values:
        """Return the columns of the row while its message is on its way."""
        number, key, run, text_hash = self.number, self.key, self.run, self.text_hash
        head = self._checksum
        checksum = crc32(_CLAIMED, self._checksum_of_head() if head < 0 else head)
        return self.id, number, key, run, text_hash, "claimed", 0, "", "", None, checksum

    def as_released(self) -> Values:
        """Return the columns of the row when its message did not leave."""
        state: RowState = "unknown" if self.in_doubt else "released"
        return self._with(state, self.in_doubt, self.provider, self.detail)

    def as_it_is(self) -> Values:
        """Return the columns of a row that was not accepted, unchanged."""
        return self._with(self.state, self.healable, self.provider, self.detail)

    def as_unknown(self, why: str) -> Values:
        """Return the columns of the row when nobody can say any more what became of its message."""
        return self._with("unknown", False, self.provider, why)

    def as_accepted(self, receipt: Receipt) -> Values:
        """Return the columns of the row when the gateway has accepted its message."""
        # Spelled out, and so is what it calls: it is done for each message, and calls cost.
        number, key, run, text_hash = self.number, self.key, self.run, self.text_hash
        provider, detail, status = receipt.provider, _pack(receipt), receipt.status.state
        tail = f"|accepted|0|{provider}|{detail}|={status}".encode()
        head = self._checksum
        checksum = crc32(tail, self._checksum_of_head() if head < 0 else head)
        return (
            self.id, number, key, run, text_hash, "accepted", 0, provider, detail, status, checksum
        )  # fmt: skip

    def as_ended(self, outcome: Outcome) -> Values:
        """Return the columns of the row with its message's outcome."""
        if isinstance(outcome, Accepted):
            return self.as_accepted(outcome.receipt)
        error, text = outcome.error, outcome.message.text
        provider = str(getattr(error, "provider", ""))
        if not isinstance(outcome, NotSent):
            return self._with("unknown", False, provider, _clean(_reason(outcome.error), text))
        if self.in_doubt:
            detail = f"the first sending is unknown, a second one was refused: {error}"
            named = self.provider or provider
            return self._with("unknown", _could_succeed(error), named, _clean(detail, text))
        return self._with("not_sent", _could_succeed(error), provider, _clean(str(error), text))

    def _with(self, state: RowState, healable: bool, provider: str, detail: str) -> Values:
        head = (self.id, self.number, self.key, self.run, self.text_hash)
        tail = f"|{state}|{healable:d}|{provider}|{detail}|".encode()
        checksum = crc32(tail, self._checksum_of_head())
        return *head, state, int(healable), provider, detail, None, checksum

    def _checksum_of_head(self) -> int:
        """Return the checksum of what stays the same while the message is on its way."""
        if self._checksum < 0:
            key = "" if self.key is None else f"={self.key}"
            head = f"{self.id}|{self.number}|{key}|{self.run}|".encode()
            self._checksum = crc32(head + self.text_hash)
        return self._checksum


_CLAIMED = b"|claimed|0|||"


def to_row(values: Sequence[Any]) -> Row:
    """Read the columns of a row whose checksum was found to be right."""
    row_id, number, key, run, text_hash, state, healable, provider, detail, status, _ = values
    return Row(
        row_id, number, key, text_hash, run, state, bool(healable), provider, detail, status=status
    )


def are_the_same(rows: Sequence[Row], found: Sequence[Row]) -> bool:
    """Return whether rows are still as they were read, for whoever claims, sends or settles."""
    return [_seen(row) for row in rows] == [_seen(row) for row in found]


def _seen(row: Row) -> tuple[object, ...]:
    return row.id, row.state, row.on_record


def to_damaged_row(values: Sequence[object]) -> Row:
    """Read what is left of a row whose checksum is wrong: it is unknown, whatever it says."""
    number_of_row, number, key, _, text_hash, *_ = values
    return Row(
        number_of_row if isinstance(number_of_row, int) else 0,
        str(number),
        None if key is None else str(key),
        text_hash if isinstance(text_hash, bytes) else b"",
        0,
        "unknown",
        detail=DAMAGED_ROW,
    )


def _could_succeed(error: SmsError) -> bool:
    """Return whether a later run may send it; trouble of the account or the program passes.

    What expired is not sent again by itself, but with another `not_after` it may be.
    """
    return error.healable or error.blame == "account" or isinstance(error, ExpiredError)


def _reason(error: OutcomeUnknownError) -> str:
    ids = f" (the gateway's ids: {', '.join(error.references)})" if error.references else ""
    return f"{error.reason}{ids}"


def _clean(detail: str, text: str) -> str:
    """Return an error's words, not too many, and none of the text should the gateway repeat it."""
    short = without_text(detail, text)[:_LONGEST_DETAIL]
    # Half a character can't be written to the file.
    return short.encode(errors="replace").decode()


def _pack(receipt: Receipt) -> str:
    """Return a receipt as a JSON array; an encoder made for one value costs four times as much."""
    status, cost = receipt.status, receipt.cost
    try:
        return (
            f"[{_NULL if receipt.message_id is None else _quote(receipt.message_id)},"
            f"{_quote(receipt.to)},{receipt.segments:d},"
            f"{_NULL if cost is None else _quote(str(cost))},"
            f"{_PENDING if status is PENDING else _status(status)},"
            f"{'true' if receipt.scheduled else 'false'}]"
        )
    except (TypeError, ValueError):
        # An adapter of somebody else's put something else than text into it.
        head = (receipt.message_id, str(receipt.to), int(receipt.segments))
        price = None if cost is None else str(cost)
        tail = (price, str(status.state), str(status.word), bool(receipt.scheduled))
        return json.dumps([*head, *tail])


def _status(status: DeliveryStatus) -> str:
    return f"{_quote(status.state)},{_quote(status.word)}"


# What nearly every receipt begins with.
_PENDING = _status(PENDING)


def unpack_receipt(row: Row) -> Receipt:
    """Return the receipt of an accepted row.

    Raises:
        JournalError: The row is damaged.
    """
    try:
        message_id, to, segments, cost, state, word, scheduled = json.loads(row.detail)
        amount = None if cost is None else Decimal(cost)
        status = DeliveryStatus(state, word)
        return Receipt(row.provider, message_id, to, segments, amount, status, scheduled)
    except (ValueError, TypeError, ArithmeticError, LookupError):
        raise JournalError(f"row {row.id} of the journal is damaged") from None
