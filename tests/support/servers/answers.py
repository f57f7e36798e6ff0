"""Everybody asks for each text twice, workers are killed meanwhile; what was told, and sent."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import Literal

import httpx
from attrs import Factory, define

from support.servers.process import Server


Told = tuple[Literal["sent"], str] | tuple[Literal["unknown", "not sent"], None]
"""What one answer says of a text, with the reference of one that was sent."""

_PAUSE = 0.01


@define
class Answers:
    """What callers were told of each text."""

    refs: defaultdict[int, set[str]] = Factory(lambda: defaultdict[int, set[str]](set))
    unknown: set[int] = Factory(set[int])
    count: int = 0

    def note(self, number: int, told: Told) -> None:
        """Note an answer that says what became of a text."""
        state, ref = told
        assert state in ("sent", "unknown")
        self.count += 1
        if ref is None:
            self.unknown.add(number)
        else:
            self.refs[number].add(ref)

    async def reach(self, count: int) -> None:
        """Wait until there are so many."""
        while self.count < count:  # noqa: ASYNC110 - looking costs less than waking for each
            await asyncio.sleep(_PAUSE)

    def check(self, numbers: Iterable[int], texts: Counter[str], *, most_unknown: int) -> None:
        """Each text went out once at most, and all who asked for it were told the same.

        Args:
            numbers: Those of all texts.
            texts: What the gateway accepted, and how often.
            most_unknown: How many were on their way at most when workers were killed.
        """
        everything = set(numbers)
        assert 2 * len(everything) == self.count
        assert [1] * len(texts) == list(texts.values())
        assert {1} == {len(refs) for refs in self.refs.values()}
        assert set() == self.refs.keys() & self.unknown
        assert everything == self.refs.keys() | self.unknown
        assert len(self.refs) <= len(texts)
        assert len(everything) - len(texts) <= len(self.unknown) <= most_unknown


async def ask_twice(
    server: Server,
    numbers: range,
    ask: Callable[[int], Awaitable[Told]],
    *,
    callers: int,
    kills: int,
    moments: random.Random,
) -> Answers:
    """Have each text asked for twice, in any order and by many at once, and kill workers.

    Whoever gets no answer, or hears that nothing was sent, asks again, as a caller does.

    Args:
        server: Who is asked, and loses workers.
        numbers: Those of the texts.
        ask: Asks for one text.
        callers: How many ask at once.
        kills: How many workers are killed.
        moments: Chooses.
    """
    waiting = [*numbers, *numbers]
    total = len(waiting)
    moments.shuffle(waiting)
    answers = Answers()

    async def call() -> None:
        while waiting:
            number = waiting.pop()
            answers.note(number, await _until_told(ask, number))

    async def kill() -> None:
        for place in range(1, kills + 1):
            await answers.reach(place * total // (kills + 1))
            server.kill_a_worker(moments)

    await asyncio.gather(kill(), *(call() for _ in range(callers)))
    return answers


async def _until_told(ask: Callable[[int], Awaitable[Told]], number: int) -> Told:
    while True:
        try:
            told = await ask(number)
        except httpx.TransportError:
            # The worker was killed: nobody knows, and the same request is harmless.
            pass
        else:
            if told[0] != "not sent":
                return told
        await asyncio.sleep(_PAUSE)
