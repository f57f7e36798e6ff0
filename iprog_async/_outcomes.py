"""The three ways a send can end."""

from __future__ import annotations

from typing import Literal, TypeAlias

from attrs import frozen

from iprog_async._errors import OutcomeUnknownError, SmsError
from iprog_async._messages import Message
from iprog_async._receipts import Receipt


@frozen
class Accepted:
    """The gateway took the text; whether it was delivered is a question for `status`."""

    index: int
    message: Message
    receipt: Receipt
    state: Literal["accepted"] = "accepted"


@frozen
class NotSent:
    """The text certainly did not go out; `error.healable` says whether to try again."""

    index: int
    message: Message
    error: SmsError
    state: Literal["not_sent"] = "not_sent"


@frozen
class Unknown:
    """The text may have gone out; sending it again may text somebody twice."""

    index: int
    message: Message
    error: OutcomeUnknownError
    state: Literal["unknown"] = "unknown"


Outcome: TypeAlias = Accepted | NotSent | Unknown
