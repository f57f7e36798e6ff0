"""Several sending processes, and a gateway that notes when each request arrived."""

from __future__ import annotations

import asyncio
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from attrs import Factory, define

from iprog_async.testing import RawGateway, RawRequest, Reply
from iprog_async.testing._raw_gateway.behaviours import answer as slowly


ACCEPTED = Reply.of_json({"status": 200, "message_id": "iSms-1", "sms_rate": "1"})
_TIME_ENOUGH = 100.0
ROOT = Path(__file__).parents[2]


@define
class Fleet:
    """What goes on.

    Args:
        gateway: Where they send to.
        processes: Those that send.
        arrivals: When each request arrived at the gateway.
    """

    gateway: RawGateway
    processes: list[Process] = Factory(list[Process])
    arrivals: list[float] = Factory(list[float])

    async def start(self) -> None:
        """Let all send, at once."""
        for process in self.processes:
            assert process.stdout is not None
            assert process.stdin is not None
            assert b"ready\n" == await process.stdout.readline()
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.write(b"go\n")

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that is bound to happen when requests arrive."""
        async with asyncio.timeout(_TIME_ENOUGH):
            await self.gateway.until(lambda _: condition())

    async def end(self) -> list[str]:
        """End all; return what each says that is left."""
        said = await asyncio.gather(*(process.communicate(b"end\n") for process in self.processes))
        return [out.decode().strip() for out, _ in said]


@asynccontextmanager
async def fleet(
    place: str,
    rate: str,
    *,
    processes: int = 4,
    concurrency: int = 25,
    answer: Callable[[RawRequest], Reply] | None = None,
    after: float = 0.0,
) -> AsyncGenerator[Fleet]:
    """Yield a fleet that is about to send to a gateway on loopback.

    Args:
        place: Where they keep what they share.
        rate: The account's, or nothing.
        processes: How many there are.
        concurrency: How many requests each makes at once.
        answer: What the gateway answers; it accepts everything if `None`.
        after: In how many seconds it answers.
    """
    arrivals: list[float] = []

    def note(request: RawRequest) -> Reply:
        arrivals.append(time.monotonic())
        return ACCEPTED if answer is None else answer(request)

    async with RawGateway(slowly(note, after=after)) as gateway:
        found = Fleet(gateway, arrivals=arrivals)
        command = (sys.executable, "-m", "support.limits.sender", place, gateway.base_url)
        try:
            for _ in range(processes):
                process = await asyncio.create_subprocess_exec(
                    *command, rate, str(concurrency), stdin=PIPE, stdout=PIPE, cwd=ROOT
                )
                found.processes.append(process)
            yield found
        finally:
            for process in found.processes:
                if process.returncode is None:
                    process.kill()
                    await process.wait()


def fullest(arrivals: list[float], per: float) -> int:
    """Return the most requests that arrived in one window."""
    times, first, most = sorted(arrivals), 0, 0
    for last, time_of_last in enumerate(times):
        while times[first] <= time_of_last - per:
            first += 1
        most = max(most, last - first + 1)
    return most
