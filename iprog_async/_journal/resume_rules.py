"""What a run does with a message of which the journal knows something; pure decisions.

| what the journal has of the same message | the run |
|---|---|
| nothing, or it was never claimed | sends |
| accepted, or refused for good | skips, with the outcome it had |
| refused for now (`healable`, or the account's trouble) | sends |
| unknown, or claimed and never ended | skips as unknown; sends if `resend_unknown` |
| the same, of this very run | skips; sends if `resend_unknown` and it is `healable`: not sent |

A message is the same if its key is, or, where neither has one, its text. One whose text was
refused for good and is another now is sent: nobody has it, and this one may do.

What the journal has of other messages for its number counts in a bulk run, unless
`allow_changed_text`, and only where that text was sent or may have been; then nothing is sent. The
claim of PostgreSQL says the same as SQL (`_journal/postgres/statements.py`):

| another message for the number, from | this one has no key | this one has a key |
|---|---|---|
| an earlier bulk run, without key | conflict | conflict |
| an earlier bulk run, with a key | conflict | sends: two orders of one customer |
| a single send, which always has a key | conflict if the text is equal, or sends | sends |
| the present run | sends | sends |

With `one_per_number` a message with another key than an earlier bulk run's is a conflict, too.

So neither a typo fixed in the template nor a key given or left out texts everybody again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import Enum

from attrs import evolve, frozen

from iprog_async._core.errors import (
    InvalidMessageError,
    JournalConflictError,
    JournalError,
    OutcomeUnknownError,
    RejectedError,
    SmsError,
)
from iprog_async._core.messages import PreparedMessage
from iprog_async._core.outcomes import Accepted, NotSent, Outcome, Unknown
from iprog_async._journal.rows import HASH_BYTES, Row, unpack_receipt
from iprog_async._journal.text_hash import TIME


class Resume(Enum):
    """What a run does with a message."""

    SEND = "send"
    SKIP = "skip"
    CONFLICT = "conflict"


@frozen(kw_only=True)
class ResumeRules:
    """What the caller allows.

    Args:
        resend_unknown: Send again what may have been sent.
        allow_changed_text: Send a number another message than an earlier run did.
        one_per_number: Take two messages with two keys for the same once more, too.
    """

    resend_unknown: bool = False
    allow_changed_text: bool = False
    one_per_number: bool = False

    def decide(
        self, rows: Sequence[Row], key: str | None, text_hash: bytes, run: int
    ) -> tuple[Resume, Row | None]:
        """Return what to do with a message, and the row that it is or conflicts with.

        Args:
            rows: All rows of its number; of a single send, those with its key are enough.
            key: The message's key.
            text_hash: Hash of the message's text.
            run: Number of the present run; 0 for a single send.
        """
        same = next((row for row in rows if _is_same(row, key, text_hash)), None)
        if same is not None and not self._may_send(same, text_hash, run):
            return Resume.SKIP, same
        if run and not self.allow_changed_text:
            for row in rows:
                if row is not same and row.run != run and self._may_be_again(row, key, text_hash):
                    return Resume.CONFLICT, row
        return Resume.SEND, same

    def _may_send(self, row: Row, text_hash: bytes, run: int) -> bool:
        if row.unsettled:
            # What became unknown in this very run is no earlier one's, unless it is only still so:
            # what it sent again certainly did not leave. A single send has no run.
            still = row.state == "unknown" and row.healable
            return self.resend_unknown and (not run or row.run != run or still)
        if row.state == "not_sent":
            return row.healable or row.text_hash != text_hash
        return row.state == "released"

    def _may_be_again(self, row: Row, key: str | None, text_hash: bytes) -> bool:
        """Return whether a message may be meant as the one that another row's number has had."""
        if row.state != "accepted" and not row.unsettled:
            return False
        if row.run == 0:
            return key is None and row.text_hash == text_hash
        return self.one_per_number or key is None or row.key is None


def _is_same(row: Row, key: str | None, text_hash: bytes) -> bool:
    return row.key == key and (key is not None or row.text_hash == text_hash)


def rows_of(
    prepared: PreparedMessage, known: Mapping[tuple[str, str | None], list[Row]]
) -> Sequence[Row]:
    """Return the rows of a message, its own first, and those of others for its number."""
    number, key = prepared.e164, prepared.message.key
    own = () if key is None else known.get((number, key), ())
    return [*own, *known.get((number, None), ())]


def as_kept(row: Row, text_hash: bytes, step: timedelta) -> Row:
    """Return a row with the time that the gateway kept; older versions wrote what was asked for.

    Args:
        row: A row of a number.
        text_hash: That of the message at hand, with the time at which the gateway sends it.
        step: The steps in which it keeps times.
    """
    asked = row.text_hash[HASH_BYTES:]
    if row.text_only_hash != text_hash[:HASH_BYTES] or len(asked) != TIME.size:
        return row
    rounded_by = TIME.unpack(text_hash[HASH_BYTES:])[0] - TIME.unpack(asked)[0]
    return evolve(row, text_hash=text_hash) if 0 <= rounded_by < step.total_seconds() else row


def remembered(row: Row, resume: Resume, prepared: PreparedMessage) -> Outcome:
    """Return the outcome of a message that is not sent because of what the journal holds."""
    index, message = prepared.index, prepared.message
    if resume is Resume.CONFLICT:
        return NotSent(index, message, _conflict(row, prepared))
    if row.state == "accepted":
        try:
            return Accepted(index, message, unpack_receipt(row))
        except JournalError as exc:
            return Unknown(index, message, _without_receipt(row, exc))
    if row.unsettled:
        return Unknown(index, message, _unsettled(row, prepared.e164))
    return NotSent(index, message, _refused(row))


def _conflict(row: Row, prepared: PreparedMessage) -> JournalConflictError:
    number, key = prepared.e164, prepared.message.key
    sent = "may have sent" if row.unsettled else "sent"
    if row.run == 0:
        return JournalConflictError(
            number, f"a single send with the key {row.key!r} {sent} {number} this very text"
        )
    if row.key == key or (row.key is not None and key is not None):
        return JournalConflictError(
            number, f"an earlier run of this campaign {sent} {number} another text"
        )
    theirs, ours = ("a key", "none") if key is None else ("no key", "one")
    return JournalConflictError(
        number,
        f"an earlier run of this campaign {sent} {number} a text that had {theirs}, and this one "
        f"has {ours}, so that it may be the same once more: run it with keys, or without, as then",
    )


def _unsettled(row: Row, e164: str) -> OutcomeUnknownError:
    why = row.detail or "an earlier run ended while it was on its way"
    return OutcomeUnknownError(
        f"it is unknown whether the text for {e164} was sent: {why}. Check at the gateway; "
        "resend_unknown=True on the journal sends it again",
        provider=row.provider,
        reason=why,
    )


def _without_receipt(row: Row, problem: JournalError) -> OutcomeUnknownError:
    error = OutcomeUnknownError(
        f"the journal has the text for {row.number} as accepted, and the receipt can't be read: "
        f"{problem}. It was not sent again. Check at the gateway",
        provider=row.provider,
        reason=f"it is on record as accepted, and {problem}",
    )
    error.__cause__ = problem
    return error


def _refused(row: Row) -> SmsError:
    if not row.provider:
        return InvalidMessageError(row.detail)
    return RejectedError(row.detail, provider=row.provider, reason=row.detail)
