"""The moment between getting a connection and writing to it, where a send is put on record."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Protocol

from iprog_async._core.errors import SmsError


class Claim(Protocol):
    """What has to be on record before the messages of one request may leave."""

    def take(self) -> asyncio.Future[SmsError | None]:
        """Put on record that the request is about to leave.

        Returns:
            What is done when it is; its result is the error if that is impossible.
        """
        ...

    def release(self) -> None:
        """Put on record that a request for which `take` was called certainly did not leave."""
        ...

    def hold(self) -> None:
        """Note that a request may have left: from now on `release` changes nothing."""
        ...

    def part(self, positions: Sequence[int]) -> Claim:
        """Return a claim of some of the messages, for a request that carries only them.

        Whoever asks one gateway after the other takes a part for each request, so that none
        takes back what went out with another.

        Args:
            positions: Which messages, by their position in this claim.
        """
        ...

    def give_back(self) -> None:
        """Put on record that no message of this claim was sent, by whatever request, and waits."""
        ...


active_claim: ContextVar[Claim | None] = ContextVar("active_claim", default=None)
"""The claim of the send that this task is making; `None` where no journal is kept."""
