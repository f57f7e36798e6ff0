"""How a worker works."""

from __future__ import annotations

import os
import secrets
import socket

from attrs import field, frozen

from iprog_async._core.errors import ConfigurationError
from iprog_async.fleet._queue_names import DEFAULT_QUEUE, check_queue


_SECONDS_BETWEEN_LOOKS = 1.0


def own_name() -> str:
    """Return a name that no other worker has: host, process, and a few random digits."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(3)}"


@frozen(kw_only=True)
class WorkerOptions:
    """How a worker works.

    Args:
        concurrency: The most requests at once.
        queues: The queues that it takes jobs from.
        stalled_after: After how many seconds without a sign of life a worker's chunks are others'.
        name: What it is called in lists.
        any_gateway: Whether it sends what was loaded for a gateway that it does not have.

    Raises:
        ConfigurationError: A number is out of range, or there is no queue.
    """

    concurrency: int = 100
    queues: tuple[str, ...] = (DEFAULT_QUEUE,)
    stalled_after: float = 30.0
    name: str = field(factory=own_name)
    any_gateway: bool = False

    @property
    def seconds_between_looks(self) -> float:
        """How often it says that it is there, and looks what the others say."""
        return min(_SECONDS_BETWEEN_LOOKS, self.stalled_after / 4)

    def __attrs_post_init__(self) -> None:
        if self.concurrency < 1:
            raise ConfigurationError("concurrency starts at 1")
        if not self.queues:
            raise ConfigurationError("a worker needs a queue to take jobs from")
        for queue in self.queues:
            check_queue(queue)
        if not self.stalled_after >= 1:
            raise ConfigurationError("stalled_after is a number of seconds, 1 or more")
