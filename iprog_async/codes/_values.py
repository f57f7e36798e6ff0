"""What is known of a code: that it was sent, and whether somebody has it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from attrs import frozen

from iprog_async._core.errors import OutcomeUnknownError
from iprog_async._core.receipts import Receipt


@frozen
class CodeSent:
    """A code that was sent, or may have been: whoever types it gets in. It is not in here.

    Args:
        to: The number, as E.164.
        purpose: What it is for.
        expires_at: Until when it is valid.
        receipt: The gateway's word that it accepted the text; `None` if that is not known, or if
            the gateway made the code itself.
        unknown: Why it is not known whether it was sent; `None` if it was. Tell people to
            look at their phone all the same, and to ask again after a minute.
    """

    to: str
    purpose: str
    expires_at: datetime
    receipt: Receipt | None = None
    unknown: OutcomeUnknownError | None = None


CheckReason = Literal["right", "wrong", "no code"]


@frozen
class CodeCheck:
    """Whether a code was the right one; true in an `if` only when it was.

    Args:
        verified: Whether it was.
        reason: `"right"`, `"wrong"`, or `"no code"`: none was sent, or it is too old, was used, or
            was guessed at too often, so that another one has to be asked for. It is for your own
            log: whoever typed the code need not learn which.
        tries_left: How often this code may still be tried.
    """

    verified: bool
    reason: CheckReason
    tries_left: int = 0

    def __bool__(self) -> bool:
        return self.verified
