"""Senders are killed, stopped and cut off, their server crashes: nobody is texted twice or lost.

`pytest tests/outbox/test_chaos.py --outboxes 30 --outbox-texts 800` does it at length.
"""

from __future__ import annotations

import os
import random
from secrets import token_hex
from typing import Any

import psycopg
import pytest
from support.kill.gateway import CountingGateway
from support.outbox.chaos import CONCURRENCY, Chaos, Program, wait_until
from support.outbox.looking import told, until

from iprog_async import Journal, SmsClient
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.migrations import migrate
from iprog_async.outbox import OutboxSender
from iprog_async_providers import IprogProvider


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="SIGSTOP is a signal of POSIX systems"),
]


_WAITS = (
    "SELECT (SELECT count(*) FROM {outbox} WHERE state = 'waiting') + (SELECT count(*) FROM "
    "{entries} WHERE state = 'released' OR state = 'not_sent' AND healable)"
)


def _waiting(address: str) -> int:
    try:
        ((count,),) = told(address, "SELECT count(*) FROM {outbox} WHERE state = 'waiting'")
    except psycopg.Error:
        return -1
    return int(count)


async def _sweep(address: str, base_url: str) -> None:
    """Send what was thought unknown, and given back after."""
    provider = IprogProvider("outbox-test-token", base_url=base_url)
    with Journal.open(address) as journal:
        async with SmsClient(provider, journal=journal) as client, OutboxSender(client):
            await until(lambda: told(address, _WAITS) == [(0,)])


@pytest.mark.timeout(3600)
async def test_nobody_is_texted_twice_and_nobody_is_lost(
    own_server: Any, pytestconfig: pytest.Config
) -> None:
    """Each text of a committed transaction goes out once or is unknown, and no other does."""
    outboxes = int(str(pytestconfig.getoption("--outboxes")))
    count = int(str(pytestconfig.getoption("--outbox-texts")))
    draw = random.Random()  # noqa: S311 - moments, not secrets
    for _ in range(outboxes):
        address = own_server.address(schema=f"chaos_{token_hex(4)}")
        migrate(PostgresAddress.parse(address))
        with CountingGateway(latency=0.02) as gateway:
            killed = _befall(own_server, address, gateway, count, draw)
            await _sweep(address, gateway.base_url)
            _check(address, gateway, count, killed)


def _befall(
    server: Any, address: str, gateway: CountingGateway, count: int, draw: random.Random
) -> list[str]:
    """Have texts enqueued and sent, while things happen; return what happened."""
    program = Program(address, count, draw)
    chaos = Chaos(server, address, gateway)
    happened = draw.sample(sorted(chaos.incidents), k=len(chaos.incidents))
    try:
        program.start()
        for place, name in enumerate(happened, 1):
            goal = place * count // (len(happened) + 1)
            wait_until(lambda: gateway.texts.total() >= goal)  # noqa: B023 - called at once
            chaos.incidents[name](draw.randrange(3))
        program.join()
        wait_until(lambda: _waiting(address) == 0)
        assert [0, 0, 0] == chaos.end()
    finally:
        chaos.abandon()
    return happened


def _check(address: str, gateway: CountingGateway, count: int, happened: list[str]) -> None:
    entries = dict(told(address, "SELECT key, state FROM {entries}"))
    unknown = {key for key, state in entries.items() if state in ("claimed", "unknown")}
    accepted = {key for key, state in entries.items() if state == "accepted"}
    sent = {f"order-{text.removeprefix('Text ')}" for _, text in gateway.texts}

    assert 1 == max(gateway.texts.values()), happened
    assert {f"order-{n}" for n in range(count)} == unknown | accepted, happened
    assert accepted <= sent <= accepted | unknown, happened
    # Whoever was killed had no more than these on the way; a crash cuts all of them off.
    assert len(unknown) <= 4 * CONCURRENCY, happened
    print(f"{happened}: {len(sent)} sent, {len(unknown)} unknown")  # noqa: T201 - for whoever runs it at length
