"""What a policy is asked, and what it can decide."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol

from attrs import field, frozen

from iprog_async._core.checks import check_moment
from iprog_async._core.errors import ConfigurationError, SmsError
from iprog_async._core.messages import Message
from iprog_async._core.outcomes import Outcome


@frozen(kw_only=True)
class Outgoing:
    """A text that is about to be sent, as a policy sees it.

    Args:
        number: The recipient as E.164, such as `"+639171234567"`.
        message: The message, with the text that travels.
        segments: How many segments it has.
        now: The time at which the policy is asked, by the client's clock, aware.
        in_run: Whether it is a row of a run, which can wait; a single send can't.
    """

    number: str
    message: Message = field(repr=False)
    segments: int
    now: datetime
    in_run: bool = False


@frozen
class Allow:
    """The text may be sent.

    Args:
        until: Until when this holds, as an aware `datetime`; no byte of the text leaves later.
            If `None`, it holds for ten seconds, or as many as the policy's attribute `holds_for`
            says, and a text that has waited longer for its turn is asked about again, unless the
            policy has `settle`: what it counted stays counted.
    """

    until: datetime | None = None

    def __attrs_post_init__(self) -> None:
        if self.until is not None:
            check_moment("until", self.until)


@frozen
class Refuse:
    """The text must not be sent.

    Args:
        error: Why; one of this library's errors that says that nothing was sent, or words. In a
            run, an error whose `blame` is the account halts the run.
    """

    error: SmsError | str

    def __attrs_post_init__(self) -> None:
        if isinstance(self.error, SmsError) and self.error.may_have_been_sent:
            raise ConfigurationError(
                f"{type(self.error).__name__} says that a text may have been sent; a policy "
                "refuses before that"
            )


@frozen
class WaitUntil:
    """The text may be sent later: a row of a run waits, a single send is refused with the time.

    Args:
        time: From when on, as an aware `datetime`; then the policies are asked again.
        reason: Why, in a few words.
    """

    time: datetime
    reason: str = ""

    def __attrs_post_init__(self) -> None:
        check_moment("time", self.time)


@frozen
class Rewrite:
    """The text may be sent as this message.

    Args:
        message: What is sent instead, for the same number and with the same key.
        otherwise: What holds if the gateway can't send that message; if `None`, the text is
            refused with the reason.
    """

    message: Message = field(repr=False)
    otherwise: Refuse | WaitUntil | None = None


Decision = Allow | Refuse | WaitUntil | Rewrite
"""What a policy decides about a text."""


class Policy(Protocol):
    """Decides whether a text may be sent; it is asked right before the text is claimed.

    A class can also have a method `settle(text, outcome)`, which may be awaited: it is called once
    for each text that `decide` allowed, with what became of it, so that a policy that counts can
    give back what it counted for a text that certainly was not sent (`NotSent`). It is not called
    if the process is killed. And it can have `preview(text)`, which decides like `decide` and
    counts nothing: a preview of a run asks that, and policies without it not at all.
    """

    def decide(self, text: Outgoing, /) -> Decision | Awaitable[Decision]:
        """Decide; a plain method must not wait for anything, or everybody waits."""
        ...


PolicyLike = Policy | Callable[[Outgoing], Decision | Awaitable[Decision]]
"""What users pass in `policies=`: an object with a method `decide`, or a function."""


class Settles(Protocol):
    """A policy that is told what became of the texts that it allowed."""

    def settle(self, text: Outgoing, outcome: Outcome, /) -> Any:
        """Note the outcome of a text that `decide` allowed."""
        ...


class Previews(Protocol):
    """A policy that decides also for a preview, without counting anything."""

    def preview(self, text: Outgoing, /) -> Decision | Awaitable[Decision]:
        """Decide as `decide` would."""
        ...
