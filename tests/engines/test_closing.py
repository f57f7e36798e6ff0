from __future__ import annotations

import asyncio
import gc
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from typing import Any

import pytest
from support.engines.tls import serving, trusting
from support.engines.wire import (
    BOTH,
    NUMBER,
    OK,
    EngineName,
    client_of,
    left_open,
    open_files,
    outcome,
    server,
)

from iprog_async import ConfigurationError, HttpPool, OutcomeUnknownError, SmsClient
from iprog_async._engines import asyncio_engine
from iprog_async._engines.happy_eyeballs import connect
from iprog_async._http.send_context import was_in_flight
from iprog_async.testing import RawGateway, answer, silence


pytest.importorskip("httptools")


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    """Let warnings about what was left open come while the test is to blame."""
    yield
    gc.collect()


@pytest.mark.slow
@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("tls", [False, True])
async def test_storm_of_cancellations_leaks_nothing(engine: EngineName, tls: bool) -> None:
    """Whenever texts are cancelled, no socket, task or slot is left, and texts go on."""
    count, shown = (100, serving()) if tls else (200, None)
    tasks_before = asyncio.all_tasks()
    async with RawGateway(answer(OK, after=0.002), tls=shown) as gateway:
        before = open_files()
        async with HttpPool(
            engine=engine, max_connections=50, verify=trusting() if tls else True
        ) as pool:
            client = client_of(gateway.base_url, None, pool=pool)
            tasks = [asyncio.create_task(client.send(NUMBER, f"Hi {n}")) for n in range(count)]
            for position, task in enumerate(tasks):
                if position % 10 == 0:
                    # In the middle of connecting, of a handshake, of writing, of waiting.
                    await asyncio.sleep(0.0005)
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert 0 == pool.in_flight
            assert ["iSms-1"] * 60 == await asyncio.gather(*(outcome(client) for _ in range(60)))
        await gateway.until(lambda seen: seen.open_connections == 0)
        assert set() == await left_open(before)
    assert tasks_before == asyncio.all_tasks()


@pytest.mark.parametrize("engine", BOTH)
async def test_cancellation_while_connecting_is_certainly_not_sent(engine: EngineName) -> None:
    """Who is cancelled in a handshake has sent nothing, and leaves nothing behind."""
    arrived = asyncio.Event()

    async def serve(reader: StreamReader, _: StreamWriter) -> None:
        await reader.read(1)
        arrived.set()
        await asyncio.Event().wait()

    before = open_files()
    async with server(serve) as address:
        encrypted = address.replace("http://", "https://")
        async with client_of(encrypted, engine) as client:
            task = asyncio.create_task(client.send(NUMBER, "Hi"))
            await arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
    assert not was_in_flight(caught.value)
    assert set() == await left_open(before)


@pytest.mark.parametrize("engine", BOTH)
async def test_cancellation_while_waiting_says_so_and_closes_the_connection(
    engine: EngineName,
) -> None:
    """What was on its way may have been sent; its late answer goes to nobody."""
    async with (
        RawGateway(silence(), OK) as gateway,
        client_of(gateway.base_url, engine, max_connections=1) as client,
    ):
        task = asyncio.create_task(client.send(NUMBER, "Hi"))
        await gateway.until(lambda seen: len(seen.requests) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert was_in_flight(caught.value)
        assert "iSms-1" == await outcome(client)

    assert [1, 2] == [request.connection for request in gateway.requests]


@pytest.mark.parametrize("engine", BOTH)
async def test_closing_the_client_ends_what_is_on_its_way(engine: EngineName) -> None:
    """A request under way ends as unknown at once, and its connection is closed."""
    before = open_files()
    async with RawGateway(silence()) as gateway:
        client = client_of(gateway.base_url, engine)
        task = asyncio.create_task(client.send(NUMBER, "Hi"))
        await gateway.until(lambda seen: len(seen.requests) == 1)
        await client.aclose()
        with pytest.raises(OutcomeUnknownError):
            await task
        await client.aclose()
    assert 1 == gateway.begun
    assert set() == await left_open(before)


async def test_client_that_closes_while_it_connects_has_not_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A connection that comes too late carries nothing, and is closed."""
    connected, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(*args: Any) -> Any:
        made = await connect(*args)
        connected.set()
        await go_on.wait()
        return made

    monkeypatch.setattr(asyncio_engine, "connect", slowly)
    async with RawGateway(OK) as gateway:
        client = client_of(gateway.base_url, "asyncio")
        task = asyncio.create_task(outcome(client))
        await connected.wait()
        await client.aclose()
        go_on.set()
        assert "ConnectionFailedError" == await task
        await gateway.until(lambda seen: seen.open_connections == 0)

    assert (1, 0) == (gateway.connections, gateway.begun)


async def test_missing_parser_gives_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without httptools the fast engine says how to get it, before anything is sent."""
    for name in [name for name in sys.modules if name.startswith("iprog_async._engines.http1_")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "iprog_async._engines.asyncio_engine", raising=False)
    monkeypatch.setitem(sys.modules, "httptools", None)

    with pytest.raises(ConfigurationError, match=r'pip install "iprog-async\[fast\]"'):
        client_of("http://sms.example.test", "asyncio")


def test_engine_is_documented() -> None:
    """The names of the engines are in the docstrings of whoever takes one."""
    for kind in (SmsClient, HttpPool):
        assert all(f'"{name}"' in (kind.__doc__ or "") for name in BOTH)
