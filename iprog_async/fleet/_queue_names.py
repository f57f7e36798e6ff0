"""What the fleet's jobs are called in the job queue."""

from __future__ import annotations

from iprog_async._core.checks import check_storable
from iprog_async._core.errors import ConfigurationError


_CHANNEL = "procrastinate_queue_v1#"
# Of the name of a channel.
_MOST_BYTES = 63

TASK = "iprog_async.chunk"
"""The task of a job: one chunk."""

DEFAULT_QUEUE = "iprog-async"
"""The queue that jobs are put in, unless another one is named."""


def channel_of(queue: str) -> str:
    """Return where the job queue tells of new jobs of a queue."""
    return f"{_CHANNEL}{queue}"


def check_queue(queue: str) -> None:
    """Raise `ConfigurationError` for a name that a queue can't have."""
    check_storable("queue", queue)
    if not queue:
        raise ConfigurationError("the name of a queue is not empty")
    if len(channel_of(queue).encode()) > _MOST_BYTES:
        most = _MOST_BYTES - len(_CHANNEL)
        raise ConfigurationError(
            f"the name of a queue has at most {most} bytes in UTF-8, and {queue!r} has "
            f"{len(queue.encode())}"
        )
