"""Whatever happens to a fleet, nobody is texted twice and nobody is forgotten.

`pytest tests/fleet/test_chaos.py --campaigns 100` does it at length.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from attrs import frozen
from support.fleet import child
from support.fleet.processes import Workers
from support.kill.gateway import CountingGateway
from support.postgres.server import PostgresServer
from support.waiting import LONG

from iprog_async import Journal, Message, SmsClient
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.migrations import migrate
from iprog_async.fleet import enqueue_many
from iprog_async_providers import IprogProvider


pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.name == "nt", reason="signals of POSIX systems"),
]

WORKERS = 3
INCIDENTS = 3
STALLED_AFTER = 1.0
# A worker's requests, and what each carries.
IN_FLIGHT = child.CONCURRENCY * child.BATCH


@frozen
class Scene:
    """Where something happens."""

    server: PostgresServer
    workers: Workers
    moments: random.Random

    def kill(self) -> int:
        """Kill a worker, and start another; return how many texts may be unknown now."""
        self.workers.kill(self.moments.randrange(WORKERS))
        return IN_FLIGHT

    def freeze(self) -> int:
        """Stop a worker for longer than it may be silent, and let it go on."""
        number = self.workers.freeze(self.moments.randrange(WORKERS))
        time.sleep(STALLED_AFTER * self.moments.uniform(1.5, 2.5))
        self.workers.thaw(number)
        return IN_FLIGHT

    def cut_off(self) -> int:
        """End all connections to the database."""
        with psycopg.connect(self.server.address(), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
        return 0

    def crash(self) -> int:
        """Crash the server, and start it again."""
        self.server.crash()
        time.sleep(self.moments.uniform(0, 0.5))
        self.server.start()
        return 0

    def anything(self) -> int:
        """Let one of these happen."""
        return self.moments.choice([self.kill, self.freeze, self.cut_off, self.crash])()


INCIDENT: dict[str, Callable[[Scene], int]] = {
    "kill": Scene.kill,
    "freeze": Scene.freeze,
    "cut off": Scene.cut_off,
    "crash": Scene.crash,
    "mixed": Scene.anything,
}


async def _load(gateway: CountingGateway, journal: str, campaign: str, count: int) -> None:
    provider = IprogProvider("fleet-test-token", base_url=gateway.base_url)
    people = (Message(f"0917{number:07d}", f"Hi from {campaign}") for number in range(count))
    async with SmsClient(provider) as sms:
        report = await enqueue_many(
            sms, people, journal=journal, campaign=campaign, halt_after_unknown=count
        )
    assert count == report.enqueued


def _wait_for_texts(gateway: CountingGateway, count: int, until: float) -> None:
    while gateway.texts.total() < count and time.monotonic() < until:
        time.sleep(0.001)


def _chunks_left(server: PostgresServer) -> int:
    with psycopg.connect(server.address()) as connection:
        query = "SELECT count(*) FROM iprog_async.fleet_chunks WHERE done_at IS NULL"
        (count,) = connection.execute(query).fetchone() or (0,)
    return int(count)


def _wait_for_end(scene: Scene) -> None:
    until = time.monotonic() + LONG
    while _chunks_left(scene.server):
        assert time.monotonic() < until, f"stuck; the workers said: {scene.workers.said()[-3000:]}"
        time.sleep(0.05)


def _wait_for_workers(server: PostgresServer, workers: Workers) -> None:
    """Wait until all that run have registered: one that still starts is killed by SIGTERM."""
    until = time.monotonic() + LONG
    with psycopg.connect(server.address(), autocommit=True) as connection:
        while set(workers.names) - _registered(connection):
            assert time.monotonic() < until, workers.said()[-3000:]
            time.sleep(0.05)


def _registered(connection: psycopg.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM iprog_async.fleet_workers")}


async def _counts(journal: str, campaign: str) -> dict[str, int]:
    opened = await asyncio.to_thread(Journal.open, journal, campaign=campaign)
    try:
        return await opened.counts()
    finally:
        await asyncio.to_thread(opened.close)


def test_nobody_is_texted_twice_and_nobody_is_forgotten(
    own_server: PostgresServer, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """Whatever happens three times in a campaign: 0 twice, 0 lost, 0 stuck, few unknown."""
    campaigns = int(str(pytestconfig.getoption("--campaigns")))
    # In the short form a campaign is smaller.
    people = 1500 if campaigns >= 100 else 400
    moments = random.Random()  # noqa: S311 - moments, not secrets
    journal = own_server.address()
    migrate(PostgresAddress.parse(journal))
    unknown_in_all = 0
    with (
        CountingGateway(latency=0.02) as gateway,
        Workers(gateway.base_url, journal, tmp_path / "log", WORKERS, STALLED_AFTER) as workers,
    ):
        scene = Scene(own_server, workers, moments)
        for number in range(campaigns):
            kind = list(INCIDENT)[number % len(INCIDENT)]
            gateway.texts.clear()
            campaign = f"{kind} {number}"
            asyncio.run(_load(gateway, journal, campaign, people))
            at_risk = 0
            for moment in sorted(moments.randrange(people) for _ in range(INCIDENTS)):
                _wait_for_texts(gateway, moment, time.monotonic() + 10)
                at_risk += INCIDENT[kind](scene)
            _wait_for_end(scene)
            # A worker that was stopped may be about to write down what it knows.
            counts = asyncio.run(_counts(journal, campaign))
            unknown_in_all += counts["unknown"]
            assert 1 == max(gateway.texts.values()), campaign
            assert people == counts["accepted"] + counts["unknown"], (campaign, counts)
            assert people - len(gateway.texts) <= counts["unknown"], campaign
            assert counts["unknown"] <= at_risk, (campaign, counts)
        _wait_for_workers(own_server, workers)
        assert [0] * WORKERS == workers.terminate(), workers.said()[-3000:]
    print(f"{campaigns} campaigns of {people}: {unknown_in_all} unknown")  # noqa: T201 - the figure


def test_a_worker_that_others_took_for_dead_sends_nothing_of_theirs(
    own_server: PostgresServer, tmp_path: Path
) -> None:
    """Stopped until another one has sent all that it had not claimed, it goes on: 0 twice."""
    people, journal = 400, own_server.address()
    migrate(PostgresAddress.parse(journal))
    with (
        CountingGateway(latency=0.02) as gateway,
        Workers(gateway.base_url, journal, tmp_path / "log", 1, STALLED_AFTER) as workers,
    ):
        scene = Scene(own_server, workers, random.Random())  # noqa: S311 - never asked
        asyncio.run(_load(gateway, journal, "zombie", people))
        _wait_for_texts(gateway, people // 4, time.monotonic() + LONG)
        zombie = workers.freeze(0)
        sent = gateway.texts.total()
        workers.start()
        _wait_for_texts(gateway, people - IN_FLIGHT, time.monotonic() + LONG)
        # It was stopped midway, and the other one has its chunks.
        assert sent < people - IN_FLIGHT <= gateway.texts.total(), workers.said()[-3000:]
        workers.thaw(zombie)
        _wait_for_end(scene)
        counts = asyncio.run(_counts(journal, "zombie"))
        _wait_for_workers(own_server, workers)
        assert [0, 0] == workers.terminate(), workers.said()[-3000:]
        assert 1 == max(gateway.texts.values())
        assert people == counts["accepted"] + counts["unknown"], counts
        assert people - len(gateway.texts) <= counts["unknown"] <= IN_FLIGHT, counts
