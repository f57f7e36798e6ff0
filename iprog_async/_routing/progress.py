"""One message on its way through the members of a router; pure bookkeeping."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from attrs import define, field

from iprog_async._core.errors import ConnectionFailedError, RateLimitError, SmsError
from iprog_async._core.messages import PreparedMessage
from iprog_async._core.outcomes import Accepted, NotSent, Outcome, Unknown
from iprog_async._journal.store import ClaimLostError


@define
class MessageRoute:
    """What has become of one message so far.

    Args:
        prepared: The message, as the router prepared it.
        position: Its place in the batch.
        order: Names of the members to ask, the preferred one first.
        outcome: How it ended; `None` while another member or round may bring it on.
    """

    prepared: PreparedMessage
    position: int
    order: Sequence[str]
    outcome: Outcome | None = None
    _next: int = 0
    _skipped: int = 0
    _unable: list[SmsError] = field(factory=list[SmsError])
    _errors: list[SmsError] = field(factory=list[SmsError])

    def restart(self) -> None:
        """Begin a round: every member may be asked again."""
        self._next = self._skipped = 0
        self._unable.clear()
        self._errors.clear()

    @property
    def may_have_left(self) -> bool:
        """Whether the message has an outcome other than not sent."""
        return self.outcome is not None and self.outcome.state != "not_sent"

    @property
    def next_member(self) -> str | None:
        """The member to ask next; `None` if the message has ended, or the round for it."""
        if self.outcome is not None or self._next == len(self.order):
            return None
        return self.order[self._next]

    def advance(self) -> None:
        """Note that the next member's turn has come, so that it does not come twice."""
        self._next += 1

    def skip(self) -> None:
        """Note that a member is out of order, and was not asked."""
        self._skipped += 1

    def refuse(self, error: SmsError) -> None:
        """Note that a member can't take the message, as it knew without being asked."""
        self._unable.append(error)

    def record(self, outcome: Outcome) -> None:
        """Note what a member said; only what is certainly not sent and healable goes on.

        Nor does a message that another process is sending: no member could.
        """
        if isinstance(outcome, NotSent) and _goes_on(outcome.error):
            self._errors.append(outcome.error)
        else:
            self.outcome = _of(self.prepared, outcome)

    def finalize(self, outcome: Outcome) -> None:
        """Note a refusal that is not asked about again, whoever else's fault it may be."""
        self.outcome = _of(self.prepared, outcome)

    def fail(self, error: SmsError) -> None:
        """Note that nothing more is tried."""
        self.outcome = NotSent(self.prepared.index, self.prepared.message, error)

    def end_round(self) -> None:
        """End with the first refusal if no member can take the message at all."""
        if self.outcome is None and not self._errors and not self._skipped:
            self.fail(self._unable[0])

    def give_up(self, router: str, members: int) -> None:
        """End with what the last round saw, which another try may heal.

        Args:
            router: Its name.
            members: How many members it has.
        """
        # What a gateway itself suffers from says more than what is wrong with one account.
        others = [error for error in self._errors if error.blame != "account"]
        if others:
            self.fail(others[-1])
        elif len(self._errors) == members:
            self.fail(self._errors[-1])
        elif self._skipped:
            self.fail(_out_of_order(router))
        else:
            self.fail(_for_this(self._errors[-1]))

    def pause(self, default: float) -> float | None:
        """Return how soon a member that asked to slow down takes texts again, if one did.

        Args:
            default: Seconds where a gateway did not say for how long.
        """
        pauses = [
            default if error.retry_after is None else error.retry_after
            for error in self._errors
            if isinstance(error, RateLimitError)
        ]
        return min(pauses, default=None)


def _goes_on(error: SmsError) -> bool:
    return error.healable and not isinstance(error, ClaimLostError)


def _of(prepared: PreparedMessage, outcome: Outcome) -> Outcome:
    """Return an outcome as one of the caller's own message."""
    index, message = prepared.index, prepared.message
    if isinstance(outcome, Accepted):
        return Accepted(index, message, outcome.receipt)
    if isinstance(outcome, NotSent):
        return NotSent(index, message, outcome.error)
    return Unknown(index, message, outcome.error)


def _out_of_order(router: str) -> ConnectionFailedError:
    return ConnectionFailedError(
        f"{router}: every gateway that takes this message is out of order for now. "
        "Nothing was sent; send it again later"
    )


def _for_this(error: SmsError) -> SmsError:
    """Return an account's error as one of this message: other members may take the next one."""
    copied = copy.copy(error)
    copied.blame = "message"
    return copied
