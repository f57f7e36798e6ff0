"""What a journal's thread is asked to do, and in which order it does what came together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum
from itertools import groupby
from typing import Any, Protocol

from attrs import define

from iprog_async._journal.postgres.connecting import Connection
from iprog_async._journal.rows import Row


ATTEMPT = 4
"""Where its attempt is in the values of a claim."""

STATE, END = 5, 10
"""Where an outcome begins and ends in a row's columns."""


class Kind(IntEnum):
    """What a job does, in the order in which jobs that came together are done."""

    RECORD = 1
    PUT = 2
    SETTLE = 3
    RELEASE = 4
    CLAIM_NEW = 5
    CLAIM = 6
    ASK = 7

    @property
    def is_claim(self) -> bool:
        """Whether something leaves when it is done, so that it must be done soon or never."""
        return self in (Kind.CLAIM, Kind.CLAIM_NEW)

    @property
    def is_kept(self) -> bool:
        """Whether it is repeated until it is done, although nobody may wait any more."""
        return not self.is_claim and self is not Kind.ASK


class Asker(Protocol):
    """Who asked for something, in an event loop, and is told there what came of it."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop."""
        ...

    @property
    def ended(self) -> deque[tuple[Job, Any]]:
        """What was done, and the event loop has not heard of yet."""
        ...

    def hand_out(self) -> None:
        """Tell those who wait; called in the event loop."""
        ...

    def unheard(self) -> list[Job]:
        """Return what gives back the claims that an event loop won't hear of: it is closed."""
        ...


@define(eq=False)
class Job:
    """One thing to do.

    Args:
        kind: What it does.
        queue: Who hears of its end.
        done: Who waits for it; the result may be an error, as an exception would complain that
            nobody asked for it.
        asked_at: When it was asked for, by `uptime`.
        values: The rows of its statement.
        rows: The rows that a claim is for.
        work: What else to do with the connection.
        tried: Whether the server has done some of it, or may have: of a claim, what is then to be
            taken back if it is not used.
        answered: Whether nobody waits any more.
        finished: Whether nothing is left to do.
    """

    kind: Kind
    queue: Asker
    done: asyncio.Future[Any]
    asked_at: float
    values: list[tuple[Any, ...]]
    rows: Sequence[Row] = ()
    work: Callable[[Connection], Any] | None = None
    tried: bool = False
    answered: bool = False
    finished: bool = False

    def is_unused(self, result: Any) -> bool:
        """Return whether it has claimed what nobody will send: who asked for it was cancelled."""
        return self.kind.is_claim and result is None and self.done.cancelled()


def in_groups(jobs: Sequence[Job]) -> Iterator[list[Job]]:
    """Return jobs in the order in which to do them, those of one statement together.

    A release and a claim of the same message may have come together, in either order; all else
    is of different messages, or was waited for.
    """
    ordered = list(jobs)
    if all(job.kind is not Kind.RELEASE for job in ordered):
        ordered.sort(key=_kind)
    for _, group in groupby(ordered, key=_kind):
        yield list(group)


def values_of(jobs: Iterable[Job]) -> list[tuple[Any, ...]]:
    """Return the rows of several jobs of one statement."""
    return [values for job in jobs for values in job.values]


def released(job: Job) -> list[tuple[Any, ...]]:
    """Return the rows of the statement that takes back what a claim has got, if it has."""
    return [
        (row.number, row.key, row.text_hash, values[ATTEMPT], *row.as_released()[STATE:END])
        for row, values in zip(job.rows, job.values, strict=True)
    ]


def release_of(job: Job) -> Job:
    """Return what takes back a claim that is not used, for as long as it takes; nobody waits."""
    return Job(Kind.RELEASE, job.queue, job.done, job.asked_at, released(job), answered=True)


def _kind(job: Job) -> Kind:
    return job.kind
