"""A machine that slept, or a process that was stopped, texts nobody when it wakes up."""

from __future__ import annotations

from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.core.fakes import NUMBER
from support.engines.tls import serving, trusting
from support.engines.wire import BOTH, OK, EngineName, client_of, outcome, server, whole

from iprog_async import ConnectionFailedError, Journal, RetryPolicy
from iprog_async._engines import base
from iprog_async._engines.http1_connection import Connection, WriteCoalescer
from iprog_async._http import expiry
from iprog_async._journal import rows_claim, single_ledger
from iprog_async.testing import RawGateway


pytest.importorskip("httptools")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return what the machine's clock says, one time after the other, and the last for good."""
    times: list[float] = []

    def reading() -> Iterator[float]:
        while True:
            yield times.pop(0) if len(times) > 1 else times[0]

    readings = reading()
    for module in (single_ledger, rows_claim, base, expiry):
        monkeypatch.setattr(module, "uptime", lambda: next(readings))
    return times


@pytest.mark.parametrize("engine", BOTH)
async def test_nothing_leaves_long_after_its_claim(
    engine: EngineName, clock: list[float], tmp_path: Path
) -> None:
    """A text whose connection took hours is not sent, and waits in the journal."""
    # Claimed as it is looked up, taken at once, and connected hours later.
    clock += [1.0, 1.0, 20_000.0]
    async with RawGateway(OK) as gateway:
        with Journal.open(tmp_path / "j.db") as journal:
            async with client_of(gateway.base_url, engine, journal=journal) as client:
                with pytest.raises(ConnectionFailedError, match=r"slept.*did not leave"):
                    await client.send(NUMBER, "Hi", key="order-1")
            assert 0 == gateway.begun
            assert 1 == (await journal.counts())["not_sent"]


@pytest.mark.parametrize("engine", BOTH)
async def test_a_claim_that_grew_old_is_asked_for_again(
    engine: EngineName, clock: list[float], tmp_path: Path
) -> None:
    """Where retries are allowed, the text goes out once, with a new claim."""
    clock += [1.0, 1.0, 20_000.0]
    retry = RetryPolicy(attempts=2, base=0)
    async with RawGateway(OK) as gateway:
        with Journal.open(tmp_path / "j.db") as journal:
            client = client_of(gateway.base_url, engine, journal=journal, retry=retry)
            async with client:
                receipt = await client.send(NUMBER, "Hi", key="order-1")
            assert ("iSms-1", 1) == (receipt.message_id, gateway.begun)
            assert 1 == (await journal.counts())["accepted"]


@pytest.fixture
def held_up(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the clock, which is hours later when the fast engine comes to write a request."""
    put = WriteCoalescer.put

    def put_early(outbox: WriteCoalescer, connection: Connection, request: bytes) -> None:
        put(outbox, connection, request)
        clock[:] = [20_000.0]

    monkeypatch.setattr(WriteCoalescer, "put", put_early)
    clock[:] = [1.0]
    return clock


@pytest.mark.parametrize("is_kept", [False, True], ids=["new", "kept"])
@pytest.mark.parametrize("tls", [True, False], ids=["tls", "plain"])
async def test_nothing_is_written_late_where_the_loop_was_held_up(
    tls: bool, is_kept: bool, held_up: list[float]
) -> None:
    """Between the last look and the write, other work took hours: the text certainly is not out."""
    asked: list[bytes] = []

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            asked.append(head)
            await reader.readexactly(int(head.lower().split(b"content-length:")[1].split()[0]))
            writer.write(whole(len(asked)))

    async with (
        server(serve, tls=serving() if tls else None) as url,
        client_of(url, "asyncio", verify=trusting()) as client,
    ):
        if is_kept:
            assert "iSms-1" == await outcome(client)
            held_up[:] = [1.0]
        not_after = datetime.now(UTC) + timedelta(hours=1)
        with pytest.raises(ConnectionFailedError, match=r"event loop.*did not leave"):
            await client.send(NUMBER, "Hi", not_after=not_after)

    assert int(is_kept) == len(asked)


async def test_a_claim_that_grew_old_in_the_loop_is_given_back(
    held_up: list[float], tmp_path: Path
) -> None:
    """A claim of seconds is over when the request is written: the text waits in the journal."""
    async with RawGateway(OK) as gateway:
        with Journal.open(tmp_path / "j.db") as journal:
            async with client_of(gateway.base_url, "asyncio", journal=journal) as client:
                with pytest.raises(ConnectionFailedError, match=r"event loop.*did not leave"):
                    await client.send(NUMBER, "Hi", key="order-1")
            assert 1 == (await journal.counts())["not_sent"]
    assert (0, [20_000.0]) == (gateway.begun, held_up)
