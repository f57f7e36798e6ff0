"""How the workers send what was loaded; kept with it, so that all of them do the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from attrs import asdict, field, fields_dict, frozen

from iprog_async._bulk.credit_limit import check_limit
from iprog_async._core.checks import check_moment
from iprog_async._core.errors import ConfigurationError
from iprog_async._policies.send_between import SendBetween, WhenQuiet
from iprog_async.fleet._queue_names import check_queue


def to_names(given: Iterable[str]) -> tuple[str, ...]:
    """Return names in one order, whatever they came from."""
    return tuple(sorted(given))


@frozen(kw_only=True)
class RunSettings:
    """How the workers send a run.

    Args:
        one_per_number: Whether each number gets one message.
        allow_changed_text: Whether a number gets another text than an earlier run sent it.
        resend_unknown: Whether to send again what an earlier run left unknown.
        halt_after_unknown: The run halts once so many outcomes are unknown with none accepted in
            between, over all workers.
        halt_after_failed: A worker halts the run after so many accepted texts in a row that the
            gateway reports as failed.
        send_between: The hours at which texts leave; they hold beside those of each worker.
        zone: Whose clocks, if not the number's.
        when_quiet: What becomes of a text that is scheduled outside of these hours: `"schedule"`
            has it sent when they begin. All others wait for them in any case.
        gateways: Names of the gateways that it was loaded for: what they send, others may not.

    Raises:
        ConfigurationError: A number is out of range.
    """

    one_per_number: bool = False
    allow_changed_text: bool = False
    resend_unknown: bool = False
    halt_after_unknown: int = 20
    halt_after_failed: int | None = None
    send_between: str | None = None
    zone: str | None = None
    when_quiet: WhenQuiet = "wait"
    gateways: tuple[str, ...] = field(default=(), converter=to_names)

    def __attrs_post_init__(self) -> None:
        if self.halt_after_unknown < 1:
            raise ConfigurationError("halt_after_unknown starts at 1")
        if self.halt_after_failed is not None and self.halt_after_failed < 1:
            raise ConfigurationError("halt_after_failed starts at 1")

    @property
    def hours(self) -> SendBetween | None:
        """The hours, as a run takes them."""
        if self.send_between is None:
            return None
        return SendBetween.of_words(self.send_between, self.zone, self.when_quiet)

    def to_dict(self) -> dict[str, Any]:
        """Return them as JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Read them; what a newer release has added is left out."""
        return cls(**{name: data[name] for name in fields_dict(cls) if name in data})


@frozen(kw_only=True)
class JobSettings:
    """How a run's jobs are queued.

    Args:
        queue: The queue that they are put in.
        priority: Jobs with a higher one are taken first.
        starts_at: When the first may be taken, as an aware `datetime`; at once if `None`.
        chunk_size: The most messages of a job; chosen by how many there are if `None`.
        max_credits: The most credits that all workers together may spend.

    Raises:
        ConfigurationError: A number is out of range, or the time has no zone.
    """

    queue: str = "iprog-async"
    priority: int = 0
    starts_at: Any = None
    chunk_size: int | None = None
    max_credits: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.chunk_size is not None and not 1 <= self.chunk_size <= _LARGEST_ALLOWED:
            raise ConfigurationError("chunk_size is a number of messages, from 1 to 10000")
        if self.max_credits is not None:
            check_limit(self.max_credits)
        if self.starts_at is not None:
            check_moment("at", self.starts_at)
        check_queue(self.queue)

    def size_for(self, total: int) -> int:
        """Return how many messages a chunk gets: fewer in a small run, for all to have some."""
        return self.chunk_size or min(max(total // _FEWEST_CHUNKS, _SMALLEST), _LARGEST)


_FEWEST_CHUNKS = 30
_SMALLEST = 50
_LARGEST = 1000
_LARGEST_ALLOWED = 10_000
