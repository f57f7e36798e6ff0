"""How the sends of a test end: rules, of which the first one that fits is taken."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import TypeAlias

from attrs import define, frozen

from iprog_async._core.errors import ConfigurationError, ConnectionFailedError, ProviderError
from iprog_async._core.messages import PreparedMessage
from iprog_async._core.outcomes import Outcome, accepted, failed, unclear
from iprog_async.testing._outbox.messages import OutboxMessage


Refused: TypeAlias = ProviderError | ConnectionFailedError
"""What a send that certainly did not leave, or was certainly refused, ends in."""

When = Callable[[OutboxMessage], bool]

_WISH = "as the test wants it"


@frozen
class Accept:
    """The gateway takes the text."""

    def end(self, prepared: PreparedMessage, provider: str, message_id: str) -> Outcome:
        """Return the outcome of one message."""
        return accepted(
            prepared,
            provider,
            message_id=message_id,
            scheduled=prepared.message.schedule_at is not None,
        )


@frozen
class Refuse:
    """The text is certainly not sent.

    Args:
        error: The error, or its class.

    Raises:
        ConfigurationError: It is an error of another kind.
    """

    error: Refused | type[Refused]

    def __attrs_post_init__(self) -> None:
        kind = self.error if isinstance(self.error, type) else type(self.error)
        if not issubclass(kind, ProviderError | ConnectionFailedError):
            raise ConfigurationError(
                f"{kind.__name__} is no refusal; refuse() takes a ProviderError or a "
                "ConnectionFailedError, and lose() makes an outcome unknown"
            )

    def end(self, prepared: PreparedMessage, provider: str, message_id: str) -> Outcome:
        """Return the outcome of one message."""
        return failed(prepared, self._error(prepared.to, provider))

    def _error(self, to: str, provider: str) -> Refused:
        if not isinstance(self.error, type):
            # Raised again and again, one object would collect the tracebacks of all of them.
            return copy(self.error)
        words = f"{provider}: {self.error.__name__} for {to}, {_WISH}. Nothing was sent"
        if issubclass(self.error, ProviderError):
            return self.error(words, provider=provider, reason=_WISH)
        return self.error(words)


@frozen
class Lose:
    """The text leaves, and no answer comes back."""

    def end(self, prepared: PreparedMessage, provider: str, message_id: str) -> Outcome:
        """Return the outcome of one message."""
        return unclear(prepared, provider, f"no answer, {_WISH}")


Ending: TypeAlias = Accept | Refuse | Lose


@define
class Rule:
    """Which texts end in which way.

    Args:
        ending: How they end.
        times: How many of them; `None` is all.
        to: Only those for this number, as E.164.
        when: Only those for which it returns true.
    """

    ending: Ending
    times: int | None = 1
    to: str | None = None
    when: When | None = None

    def __attrs_post_init__(self) -> None:
        if self.times is not None and self.times < 1:
            raise ConfigurationError(f"times is 1 or more, or None for all, not {self.times}")

    def matches(self, message: OutboxMessage) -> bool:
        """Return whether a text ends by this rule."""
        if self.times == 0 or self.to not in (None, message.to):
            return False
        return self.when is None or self.when(message)

    def use(self) -> Ending:
        """Count one text, and return how it ends."""
        if self.times is not None:
            self.times -= 1
        return self.ending
