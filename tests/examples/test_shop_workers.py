"""The shop with several workers that are killed: each order is one text, and has one answer.

`pytest tests/examples --slow --orders 10000` takes more of them than the usual run.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from attrs import Factory, define
from support.kill.gateway import CountingGateway
from support.shop import order

from iprog_async import JournalReader


pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX systems"),
]

_WORKERS, _CALLERS = 4, 40
_KILLS = 6
_STARTED = re.compile(r"Started server process \[(\d+)\]")


@define
class _Shop:
    """A server with several workers.

    Args:
        server: Its process.
        base_url: Where it answers.
        log: What it writes.
    """

    server: subprocess.Popen[bytes]
    base_url: str
    log: Path
    killed: set[int] = Factory(set[int])

    def said(self, words: str) -> bool:
        """Return whether it has said something."""
        assert self.server.poll() is None
        return words in self.log.read_text(encoding="utf-8")

    def workers(self) -> list[int]:
        """Return the processes that have started and were not killed."""
        started = _STARTED.findall(self.log.read_text(encoding="utf-8"))
        return [pid for pid in map(int, started) if pid not in self.killed]

    def kill_one(self, moments: random.Random) -> None:
        """Kill a worker as hard as can be; the server starts another one."""
        pid = moments.choice(self.workers())
        self.killed.add(pid)
        os.kill(pid, signal.SIGKILL)


def _start(folder: Path, gateway: CountingGateway, listener: socket.socket) -> _Shop:
    descriptor = listener.fileno()
    examples = Path(__file__).parents[2] / "examples"
    options = ["--app-dir", str(examples), "--workers", str(_WORKERS), "--fd", str(descriptor)]
    log = folder / "shop.log"
    with log.open("wb") as file:
        server = subprocess.Popen(  # noqa: S603 - ours
            [sys.executable, "-m", "uvicorn", "--factory", "shop:create_app", *options],
            stdout=file,
            stderr=file,
            pass_fds=[descriptor],
            env=os.environ
            | {"SMS_URL": f"iprog://shop-token@?base_url={gateway.base_url}"}
            | {"SHOP_DATA": str(folder / "data")},
        )
    return _Shop(server, f"http://127.0.0.1:{listener.getsockname()[1]}", log)


@asynccontextmanager
async def _serving(folder: Path, gateway: CountingGateway) -> AsyncGenerator[_Shop]:
    """Start the shop on a port of the system's choice, and let it end by itself."""
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        shop = _start(folder, gateway, listener)
        try:
            while not shop.said("Application startup complete"):  # noqa: ASYNC110 - a process tells no event
                await asyncio.sleep(0.05)
            yield shop
            assert not shop.said("Application startup failed")
        finally:
            shop.server.send_signal(signal.SIGINT)
            shop.server.wait(60)


@define
class _Answers:
    """What callers were told of each order."""

    refs: defaultdict[int, list[str]] = Factory(lambda: defaultdict[int, list[str]](list))
    unknown: defaultdict[int, int] = Factory(lambda: defaultdict[int, int](int))
    count: int = 0

    async def reach(self, count: int) -> None:
        """Wait until there are so many."""
        while self.count < count:  # noqa: ASYNC110 - looking costs less than waking for each
            await asyncio.sleep(0.005)

    def note(self, number: int, answer: httpx.Response) -> bool:
        """Note an answer; return whether it says what became of the text."""
        if answer.status_code == 201:
            self.refs[number].append(answer.json()["ref"])
        elif answer.status_code == 202:
            self.unknown[number] += 1
        else:
            return False
        self.count += 1
        return True


async def _place(client: httpx.AsyncClient, number: int, answers: _Answers) -> None:
    """Place an order until an answer says what became of it, as a caller does."""
    placed = order(str(number), phone=f"0917{number:07}")
    while True:
        try:
            if answers.note(number, await client.post("/orders", json=placed)):
                return
        except httpx.TransportError:
            # The worker was killed: nobody knows, and the same request is harmless.
            continue


async def test_each_order_is_one_text(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Of orders that are placed twice each, at any worker, none is texted or answered twice."""
    orders = int(str(pytestconfig.getoption("--orders")))
    moments = random.Random()  # noqa: S311 - moments, not secrets
    waiting = [*range(orders), *range(orders)]
    moments.shuffle(waiting)
    answers = _Answers()
    with CountingGateway() as gateway:
        async with (
            _serving(tmp_path, gateway) as shop,
            # A connection for each request: any worker may get it.
            httpx.AsyncClient(
                base_url=shop.base_url, timeout=60, headers={"Connection": "close"}
            ) as client,
        ):

            async def call() -> None:
                while waiting:
                    await _place(client, waiting.pop(), answers)

            async def kill() -> None:
                for number in range(1, _KILLS + 1):
                    await answers.reach(number * 2 * orders // (_KILLS + 1))
                    shop.kill_one(moments)

            await asyncio.gather(kill(), *(call() for _ in range(_CALLERS)))

    assert 2 * orders == answers.count
    assert [1] * len(gateway.texts) == list(gateway.texts.values())
    assert {1} == {len(set(refs)) for refs in answers.refs.values()}
    assert set() == answers.refs.keys() & answers.unknown.keys()
    assert set(range(orders)) == answers.refs.keys() | answers.unknown.keys()
    assert len(answers.refs) <= len(gateway.texts)
    assert orders - len(gateway.texts) <= len(answers.unknown) <= _KILLS * _CALLERS
    with JournalReader.open(tmp_path / "data" / "texts.db") as reader:
        counts = await reader.counts()
    assert (len(answers.refs), len(answers.unknown)) == (counts["accepted"], counts["unknown"])
