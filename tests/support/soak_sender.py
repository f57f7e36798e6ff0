"""A process that sends at full speed, in laps, and then tells what it saw, as JSON.

Arguments: address, folder, seconds, seconds of a lap, and what to leak on purpose, or nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Literal

from iprog_async import HttpPool, Journal, Message, RetryPolicy, SmsClient, SmsError
from iprog_async_providers import IprogProvider
from support.soak_gateway import PEOPLE
from support.soak_levels import Levels, levels


Engine = Literal["httpx", "asyncio"]
GROUP = 500
NOTHING = ord(".")


class Soak:
    """Numbers people, and keeps the last outcome of each as one letter: a, n or u."""

    def __init__(self, base_url: str, folder: Path) -> None:
        self._base_url = base_url
        self._folder = folder
        self.people = 0
        # Filled, not zeroed: memory that is first touched later would look like a leak.
        self.outcomes = bytearray([NOTHING]) * PEOPLE
        self.samples: list[Levels] = []

    def client(self, pool: HttpPool, token: str) -> SmsClient[IprogProvider]:
        """Return one account's client on shared connections."""
        provider = IprogProvider(token, base_url=self._base_url, max_batch=10)
        retry = RetryPolicy(base=0.01, max_wait=0.05)
        return SmsClient(provider, pool=pool, timeout=0.5, retry=retry)

    async def lap(self, clients: Sequence[SmsClient[IprogProvider]], ends: float) -> None:
        """Send single texts, streams of different ones and of equal ones, until a moment."""

        async def repeat(send: Callable[[range], Awaitable[object]]) -> None:
            while time.monotonic() < ends and self.people + GROUP <= PEOPLE:
                await send(self._newcomers())

        await asyncio.gather(
            repeat(lambda people: self._singles(clients, people)),
            repeat(lambda people: self._stream(clients[0], people, "Text {}")),
            repeat(lambda people: self._stream(clients[1], people, "Hi")),
        )

    def _newcomers(self) -> range:
        first = self.people
        self.people += GROUP
        return range(first, self.people)

    def _note(self, person: int, letter: str) -> None:
        self.outcomes[person] = ord(letter)

    async def _singles(self, clients: Sequence[SmsClient[IprogProvider]], people: range) -> None:
        sends = (self._single(clients[person % len(clients)], person) for person in people)
        await asyncio.gather(*sends)

    async def _single(self, client: SmsClient[IprogProvider], person: int) -> None:
        try:
            await client.send(_number(person), f"Single {person}")
        except SmsError as exc:
            self._note(person, "u" if exc.may_have_been_sent else "n")
        else:
            self._note(person, "a")

    async def _stream(self, client: SmsClient[IprogProvider], people: range, text: str) -> None:
        messages = [Message(_number(person), text.format(person)) for person in people]
        path = self._folder / f"{messages[0].to}.db"
        for _ in range(2):  # the second run resumes, and may send what certainly was not sent
            with Journal.open(path, campaign="soak") as journal:
                run = client.send_many(
                    messages, concurrency=50, journal=journal, halt_after_unknown=len(messages)
                )
                async with run:
                    async for outcome in run:
                        self._note(int(outcome.message.to[-7:]), outcome.state[0])
        # Not by pathlib's glob: it keeps every pattern it has seen.
        for name in os.listdir(self._folder):
            if name.startswith(path.name):
                (self._folder / name).unlink()


def _number(person: int) -> str:
    return f"0917{person:07d}"


class Leak:
    """Loses a little of one kind with each lap, on purpose."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._lost: list[object] = []
        self._never = asyncio.Event()

    def drip(self) -> None:
        """Lose some."""
        if self._kind == "memory":
            self._lost.append(b"x" * 2_000_000)
        elif self._kind == "objects":
            self._lost.extend([n] for n in range(1000))
        elif self._kind == "files":
            self._lost.append(os.open(os.devnull, os.O_RDONLY))
        elif self._kind == "tasks":
            self._lost.append(asyncio.ensure_future(self._never.wait()))


async def soak(base_url: str, folder: Path, seconds: float, lap: float, kind: str) -> Soak:
    """Go lap after lap with both engines, and look at the levels while nothing is on its way."""
    soaked, leak = Soak(base_url, folder), Leak(kind)
    engines: tuple[Engine, ...] = ("httpx", "asyncio")
    pools = [HttpPool(engine=engine, max_connections=50) for engine in engines]
    clients = [[soaked.client(pool, f"soak-{n}") for n in range(3)] for pool in pools]
    ends = time.monotonic() + seconds
    while (now := time.monotonic()) < ends:
        await asyncio.gather(*(soaked.lap(of_engine, now + lap) for of_engine in clients))
        leak.drip()
        soaked.samples.append(levels())
    for pool in pools:
        await pool.aclose()
    return soaked


if __name__ == "__main__":
    _, base_url, folder, seconds, lap, kind = sys.argv
    done = asyncio.run(soak(base_url, Path(folder), float(seconds), float(lap), kind))
    (Path(folder) / "outcomes").write_bytes(done.outcomes[: done.people])
    sys.stdout.write(json.dumps(done.samples))
