from __future__ import annotations

import asyncio
import select
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from types import SimpleNamespace as Part
from typing import Any

import httpx
import pytest
from attrs import frozen
from support.core.clock import settle
from support.engines.tls import serving, trusting
from support.engines.wire import (
    BODY,
    BOTH,
    HEAD,
    OK,
    EngineName,
    client_of,
    outcome,
    raw,
    server,
    whole,
)

from iprog_async._engines import asyncio_engine
from iprog_async._engines.asyncio_engine import AsyncioEngine
from iprog_async._engines.base import (
    KEEPALIVE,
    Failure,
    RequestProgress,
    WireReply,
    WireRequest,
)
from iprog_async._engines.happy_eyeballs import connect
from iprog_async._engines.http1_connection import Connection, WriteCoalescer
from iprog_async._engines.httpx_answers import said_more
from iprog_async._engines.trust import default_ssl_context
from iprog_async.testing import Behaviour, InstantClock, RawGateway, close_idle, drop_on_arrival
from iprog_async.testing._loop_time import jumping_time


pytest.importorskip("httptools")

UNASKED = {
    "in the same packet": raw(whole(1) + whole(666)),
    "begun in the same packet": raw(whole(1) + whole(666)[:5], whole(666)[5:]),
    "a single byte in the same packet": raw(whole(1) + b"H"),
    "in two writes": raw(whole(1), whole(666), gap=0.0),
    "while idle": raw(whole(1), whole(666)),
    "noise while idle": raw(whole(1), b"\x00"),
    "an interim one in the same packet": raw(whole(1) + b"HTTP/1.1 100 Continue\r\n\r\n"),
    "behind a length that is too short": raw(
        HEAD + b"Content-Length: 36\r\n\r\n" + BODY + whole(666)
    ),
}


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("name", UNASKED)
@pytest.mark.parametrize("tls", [False, True])
async def test_what_was_said_unasked_answers_no_later_request(
    name: str, engine: EngineName, tls: bool
) -> None:
    """A second answer to one request never becomes the answer to the next one."""
    shown, trust = (serving(), trusting()) if tls else (None, True)
    script = UNASKED[name], raw(whole(2))
    async with RawGateway(*script, tls=shown) as gateway:
        settings = {"max_connections": 1, "verify": trust}
        async with client_of(gateway.base_url, engine, **settings) as client:
            first = await outcome(client)
            await asyncio.sleep(0.02)  # the gateway's pause is shorter
            await settle()
            second = await outcome(client)

    assert ("iSms-1", "iSms-2") == (first, second)
    assert [1, 2] == [request.connection for request in gateway.requests]


@pytest.mark.parametrize("name", UNASKED)
@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("hooked", [False, True])
async def test_what_was_said_unasked_answers_no_later_request_of_a_client_of_the_user(
    name: str, tls: bool, hooked: bool
) -> None:
    """His pool is not ours, but a connection on which more came is closed before it is used."""

    async def read_it(reply: httpx.Response) -> None:
        await reply.aread()

    shown, trust = (serving(), trusting()) if tls else (None, True)
    hooks = {"response": [read_it]} if hooked else {}
    async with (
        RawGateway(UNASKED[name], raw(whole(2)), tls=shown) as gateway,
        httpx.AsyncClient(verify=trust, event_hooks=hooks) as http,
        client_of(gateway.base_url, None, http=http) as client,
    ):
        first = await outcome(client)
        await asyncio.sleep(0.02)  # the gateway's pause is shorter
        second = await outcome(client)

    assert ("iSms-1", "iSms-2") == (first, second)
    assert [1, 2] == [request.connection for request in gateway.requests]


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("tls", [False, True])
async def test_connection_is_used_again(engine: EngineName, tls: bool) -> None:
    """One after another, texts share a connection; tickets of TLS 1.3 do not disturb that."""
    shown, trust = (serving(), trusting()) if tls else (None, True)
    async with (
        RawGateway(OK, tls=shown) as gateway,
        client_of(gateway.base_url, engine, verify=trust) as client,
    ):
        seen = [await outcome(client) for _ in range(5)]

    assert (["iSms-1"] * 5, 1) == (seen, gateway.connections)


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    "closing",
    [close_idle(OK), raw(HEAD + b"Connection: close\r\nContent-Length: 36\r\n\r\n" + BODY)],
    ids=["closed while idle", "announced"],
)
async def test_connection_that_the_server_gives_up_is_not_used_again(
    closing: Behaviour, engine: EngineName, tls: bool
) -> None:
    """A kept connection that is closed is noticed before the next text, which takes a new one."""
    shown, trust = (serving(), trusting()) if tls else (None, True)
    async with (
        RawGateway(closing, OK, tls=shown) as gateway,
        client_of(gateway.base_url, engine, verify=trust) as client,
    ):
        first = await outcome(client)
        await settle()
        second = await outcome(client)

    assert ("iSms-1", "iSms-1", 2, 2) == (first, second, gateway.connections, gateway.begun)


async def test_close_that_the_loop_has_not_seen_yet_is_noticed() -> None:
    """The kernel is asked: between two texts the loop may not have looked at the socket."""
    engine = AsyncioEngine(default_ssl_context())
    async with RawGateway(close_idle(OK), OK) as gateway:
        request = WireRequest("POST", f"{gateway.base_url}/a", (), b"{}")
        await engine.exchange(request, RequestProgress(), 0, 1.0)
        # Another task hogs the loop meanwhile, and ours is the first to go on.
        (connection,) = engine._open  # pyright: ignore[reportPrivateUsage] - what only a race shows
        await gateway.until(lambda seen: seen.finished == 1)
        assert connection.usable
        while not connection._poll():  # pyright: ignore[reportPrivateUsage] - the same
            pass
        result = await engine.exchange(request, RequestProgress(), 0, 1.0)
        await engine.aclose()

    assert isinstance(result, WireReply)
    assert (2, 2) == (gateway.begun, gateway.connections)


@pytest.mark.parametrize("engine", BOTH)
async def test_gateway_that_closes_with_the_request_on_its_way_is_asked_once(
    engine: EngineName,
) -> None:
    """A kept connection that closes as the request is written: one request, unknown."""
    async with (
        RawGateway(OK, drop_on_arrival(), OK) as gateway,
        client_of(gateway.base_url, engine) as client,
    ):
        seen = [await outcome(client), await outcome(client)]

    assert ["iSms-1", "OutcomeUnknownError"] == seen
    assert (2, 1) == (gateway.begun, gateway.connections)


@frozen
class Exchanged:
    """One exchange, and how far its request came."""

    result: WireReply | Failure
    progress: RequestProgress


async def exchange(engine: AsyncioEngine, url: str, content: bytes = b"") -> Exchanged:
    """Make one POST request."""
    progress = RequestProgress()
    request = WireRequest("POST", f"{url}/a", (), content)
    return Exchanged(await engine.exchange(request, progress, 0, 1.0), progress)


async def test_answer_before_the_request_was_read_is_taken_and_the_connection_is_not() -> None:
    """A gateway may refuse a body that it has not read; what is left to write goes nowhere."""
    ends = asyncio.Event()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        await ends.wait()

    engine = AsyncioEngine(default_ssl_context())
    async with server(serve) as url:
        done = await exchange(engine, url, b" " * 40_000_000)
        ends.set()
        kept = [connection for idle in engine._idle.values() for connection in idle]  # pyright: ignore[reportPrivateUsage] - what a later request would use
        await engine.aclose()

    assert isinstance(done.result, WireReply)
    assert (413, []) == (done.result.status, kept)


async def test_connection_that_ends_before_anything_was_asked_is_certainly_not_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that hangs up, or greets, as soon as it is connected has got no request."""
    connected = connect

    async def slowly(*args: Any) -> Any:
        connection = await connected(*args)
        while connection.usable:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)
        return connection

    monkeypatch.setattr(asyncio_engine, "connect", slowly)

    async def hang_up(_: StreamReader, writer: StreamWriter) -> None:
        writer.close()

    async def greet(reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await reader.read()

    for serve in (hang_up, greet):
        engine = AsyncioEngine(default_ssl_context())
        async with server(serve) as url:
            done = await exchange(engine, url)
            await engine.aclose()
        assert isinstance(done.result, Failure)
        assert "spoke first" in done.result.reason
        assert not done.result.may_have_left
        assert not done.progress.may_have_left


async def test_half_closed_connection_still_answers() -> None:
    """A server may end its side with the answer; the connection is not used again."""

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(whole(1))
        writer.write_eof()
        await reader.read()

    engine = AsyncioEngine(default_ssl_context())
    async with server(serve) as url:
        first, second = await exchange(engine, url), await exchange(engine, url)
        await engine.aclose()

    assert isinstance(first.result, WireReply)
    assert isinstance(second.result, WireReply)


async def test_idle_connections_are_closed() -> None:
    """What nobody has used for a while is closed, without a further request."""
    engine = AsyncioEngine(default_ssl_context())
    with jumping_time() as jump:
        async with RawGateway(OK) as gateway:
            await asyncio.gather(*(exchange(engine, gateway.base_url) for _ in range(3)))
            assert 3 == gateway.open_connections
            jump(KEEPALIVE + 1)
            await gateway.until(lambda seen: seen.open_connections == 0)
            await asyncio.sleep(0)
            left = len(engine._open), len(engine._idle)  # pyright: ignore[reportPrivateUsage] - what would leak
            again = await exchange(engine, gateway.base_url)
            await engine.aclose()

    assert (0, 0) == left
    assert isinstance(again.result, WireReply)
    assert 4 == gateway.connections


async def test_sweep_spares_what_was_used_lately(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the connections that were idle for the whole time go."""
    loop = asyncio.get_running_loop()
    engine = AsyncioEngine(default_ssl_context())
    clock = InstantClock()
    async with RawGateway(OK) as gateway:
        await asyncio.gather(*(exchange(engine, gateway.base_url) for _ in range(2)))
        clock.advance(loop.time() + 20)
        with monkeypatch.context() as patched:
            patched.setattr(loop, "time", clock.monotonic)
            await exchange(engine, gateway.base_url)
            clock.advance(15)
            engine._sweep(loop)  # pyright: ignore[reportPrivateUsage] - the timer's callback
        await gateway.until(lambda seen: seen.open_connections == 1)
        await engine.aclose()

    assert 2 == gateway.connections


async def test_systems_without_poll_use_select(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no poll and completes reads late: the loop goes round before a reuse."""
    monkeypatch.delattr("select.poll")
    monkeypatch.setattr(asyncio_engine, "_READS_SHOW_LATE", True)
    engine = AsyncioEngine(default_ssl_context())
    assert not hasattr(select, "poll")
    async with RawGateway(OK, close_idle(OK), OK) as gateway:
        for _ in range(3):
            done = await exchange(engine, gateway.base_url)
            assert isinstance(done.result, WireReply)
            await settle()
        await engine.aclose()

    assert [1, 1, 2] == [request.connection for request in gateway.requests]


@pytest.mark.parametrize("what", ["is closed", "speaks first"])
async def test_connection_that_fails_before_the_request_is_written_has_sent_nothing(
    what: str,
) -> None:
    """Requests of one round of the loop are written at its end; until then nothing has left."""
    loop = asyncio.get_running_loop()
    async with RawGateway(OK) as gateway:
        connection = await connect(
            lambda: Connection(loop, WriteCoalescer(loop)), "127.0.0.1", gateway.port, None
        )
        task = asyncio.create_task(
            connection.exchange(b"POST / HTTP/1.1\r\n\r\n", RequestProgress())
        )
        # Before the loop comes to the end of the round in which the task begins.
        loop.call_soon(connection.close if what == "is closed" else _receive(connection))
        result = await task
        await gateway.until(lambda seen: seen.open_connections == 0)

    assert isinstance(result, Failure)
    assert (False, 0) == (result.may_have_left, gateway.begun)


def _receive(connection: Connection) -> Callable[[], None]:
    answer = whole(666)
    connection.get_buffer(-1)[: len(answer)] = answer
    return lambda: connection.buffer_updated(len(answer))


async def test_many_at_once_are_written_and_answered() -> None:
    """More requests than are written together in one go all arrive, each once."""
    engine = AsyncioEngine(default_ssl_context())
    async with RawGateway(OK) as gateway:
        done = await asyncio.gather(*(exchange(engine, gateway.base_url) for _ in range(50)))
        done += await asyncio.gather(*(exchange(engine, gateway.base_url) for _ in range(50)))
        await engine.aclose()

    assert (100, 50) == (len(gateway.requests), gateway.connections)
    assert all(isinstance(each.result, WireReply) for each in done)


class Body(httpx.AsyncByteStream):
    """A body with another one in it, or with what httpcore gave."""

    def __init__(self, **held: object) -> None:
        vars(self).update(held)


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        (Part(_h11_state=Part(trailing_data=(b"", False))), False),
        (Part(_h11_state=Part(trailing_data=(b"H", False))), True),
        (Part(), True),
    ],
)
@pytest.mark.parametrize("of_the_user", [True, False])
def test_httpcore_that_has_changed_inside_loses_its_connections(
    connection: Part, expected: bool, of_the_user: bool
) -> None:
    """Where nobody can tell whether a server said more, the connection is not used again."""
    stream = Body(_httpcore_stream=Part(_stream=Part(_connection=connection)))
    reply: Any = Part(
        stream=Body(_stream=stream) if of_the_user else stream,
        extensions={"network_stream": object()},
    )

    assert expected == said_more(reply)
    assert not said_more(httpx.Response(200))
