"""What a run does with a message of which the journal knows something; pure decisions.

| what the journal has of the same message | the run |
|---|---|
| nothing, or it was never claimed | sends |
| accepted, or refused for good | skips, with the outcome it had |
| refused for now (`healable`, or the account's trouble) | sends |
| unknown, or claimed and never ended | skips as unknown; sends if `resend_unknown` |

A message is the same if its key is, or, where neither has one, its text. A message without key
whose number had another text in an earlier run is a conflict, unless that text never left or
`allow_changed_text`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from attrs import frozen

from iprog_async._errors import (
    InvalidMessageError,
    JournalConflictError,
    OutcomeUnknownError,
    RejectedError,
    SmsError,
)
from iprog_async._journal_rows import Row, unpack_receipt
from iprog_async._messages import PreparedMessage
from iprog_async._outcomes import Accepted, NotSent, Outcome, Unknown


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
        allow_changed_text: Send a number another text than an earlier run did.
    """

    resend_unknown: bool = False
    allow_changed_text: bool = False

    def decide(
        self, rows: Sequence[Row], key: str | None, text_hash: bytes, run: int
    ) -> tuple[Resume, Row | None]:
        """Return what to do with a message, and the row that it is or conflicts with.

        Args:
            rows: All rows of its number.
            key: The message's key.
            text_hash: Hash of the message's text.
            run: Number of the present run.
        """
        for row in rows:
            if _is_same(row, key, text_hash):
                return (Resume.SEND if self._may_send(row) else Resume.SKIP), row
        if key is None and not self.allow_changed_text:
            # A typo mended in the template must not text everyone again.
            for row in rows:
                if row.key is None and row.run != run and not _never_left(row):
                    return Resume.CONFLICT, row
        return Resume.SEND, None

    def _may_send(self, row: Row) -> bool:
        return self.resend_unknown if row.unsettled else _never_left(row)


def _is_same(row: Row, key: str | None, text_hash: bytes) -> bool:
    return row.key == key and (key is not None or row.text_hash == text_hash)


def _never_left(row: Row) -> bool:
    return row.state == "released" or (row.state == "not_sent" and row.healable)


def remembered(row: Row, resume: Resume, prepared: PreparedMessage) -> Outcome:
    """Return the outcome of a message that is not sent because of what the journal holds.

    Raises:
        JournalError: The row is damaged.
    """
    index, message = prepared.index, prepared.message
    if resume is Resume.CONFLICT:
        return NotSent(index, message, JournalConflictError(prepared.e164))
    if row.state == "accepted":
        return Accepted(index, message, unpack_receipt(row))
    if row.unsettled:
        return Unknown(index, message, _unsettled(row, prepared.e164))
    return NotSent(index, message, _refused(row))


def _unsettled(row: Row, e164: str) -> OutcomeUnknownError:
    why = row.detail or "an earlier run ended while it was on its way"
    return OutcomeUnknownError(
        f"it is unknown whether the text for {e164} was sent: {why}. Check at the gateway; "
        "resend_unknown=True on the journal sends it again",
        provider=row.provider,
        reason=why,
    )


def _refused(row: Row) -> SmsError:
    if not row.provider:
        return InvalidMessageError(row.detail)
    return RejectedError(row.detail, provider=row.provider, reason=row.detail)
