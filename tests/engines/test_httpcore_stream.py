from __future__ import annotations

import asyncio
import socket
import struct
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpcore
import httpx
import pytest
from support.waiting import LONG

from iprog_async._engines import httpcore_stream
from iprog_async._engines.base import RequestProgress, WireRequest
from iprog_async._engines.httpcore_stream import Stream, StreamBackend, UnaskedError
from iprog_async._engines.httpx_engine import TransportEngine
from iprog_async._engines.trust import default_ssl_context


Serve = Callable[[StreamReader, StreamWriter], Awaitable[None]]


@asynccontextmanager
async def connected(serve: Serve) -> AsyncGenerator[Stream]:
    """Connect a stream to a server of one connection."""
    ended = asyncio.Event()

    async def once(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()
            ended.set()

    async with await asyncio.start_server(once, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        stream = await StreamBackend().connect_tcp("127.0.0.1", port)
        assert isinstance(stream, Stream)
        try:
            yield stream
        finally:
            await stream.aclose()
            await ended.wait()


async def echo(reader: StreamReader, writer: StreamWriter) -> None:
    """Say everything back."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def test_what_is_written_is_read() -> None:
    """Bytes go out and come back, in order and in the sizes asked for."""
    async with connected(echo) as stream:
        await stream.write(b"Hello ")
        await stream.write(b"there")

        assert b"Hello" == await stream.read(5)
        assert b" there" == await stream.read(100)


async def test_short_writes_leave_together() -> None:
    """Header fields and body of a request are one packet."""
    packets: list[bytes] = []

    async def collect(reader: StreamReader, writer: StreamWriter) -> None:
        packets.append(await reader.read(65536))
        writer.write(b"!")
        await reader.read()

    async with connected(collect) as stream:
        await stream.write(b"head")
        await stream.write(b"body")
        await stream.read(1)

    assert [b"headbody"] == packets


async def test_long_write_leaves_at_once() -> None:
    """A long body does not pile up here until somebody reads."""
    arrived = asyncio.Event()

    async def notice(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read(1)
        arrived.set()
        await reader.read()

    async with connected(notice) as stream:
        await stream.write(bytes(100_000))
        await asyncio.wait_for(arrived.wait(), LONG)


async def test_much_is_read_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody reads stays with the sender, and all of it is read in the end."""
    monkeypatch.setattr(httpcore_stream, "_ENOUGH", 1000)
    much = bytes(range(256)) * 40_000

    async def flood(_: StreamReader, writer: StreamWriter) -> None:
        writer.write(much)
        await writer.drain()

    async with connected(flood) as stream:
        read = bytearray()
        while piece := await stream.read(3000):
            # asyncio reads at most this much at once, whatever we say.
            assert len(stream._received) < 1000 + 256 * 1024  # pyright: ignore[reportPrivateUsage] - what is kept shows in no other way
            read += piece

    assert much == bytes(read)


async def test_reading_has_a_timeout() -> None:
    """A timeout of the reader's is httpcore's own error; the stream can be read again."""

    async def late(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"late")
        await reader.read()

    async with connected(late) as stream:
        with pytest.raises(httpcore.ReadTimeout):
            await stream.read(10, timeout=0.001)
        await stream.write(b"?")

        assert b"late" == await stream.read(10)


async def test_end_is_read_and_nothing_can_be_written_after_it() -> None:
    """An orderly end reads as nothing; writing afterwards is httpcore's own error."""

    async def end(_: StreamReader, __: StreamWriter) -> None:
        return

    async with connected(end) as stream:
        assert b"" == await stream.read(10)
        assert stream.get_extra_info("is_readable")
        with pytest.raises(httpcore.WriteError):
            await stream.write(b"?")


async def test_reset_is_an_error() -> None:
    """A reset connection raises httpcore's own error, to whoever reads and whoever writes."""

    async def reset(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readexactly(1)
        # Without lingering the system ends a connection by a reset.
        at_once = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        writer.transport.abort()

    async with connected(reset) as stream:
        await stream.write(b"?")
        with pytest.raises(httpcore.ReadError):
            await stream.read(10)
        with pytest.raises(httpcore.WriteError):
            await stream.write(b"?")


async def test_unread_bytes_and_addresses_can_be_asked_for() -> None:
    """What came in unasked shows before anybody reads it, and so do both addresses."""

    async def greet(reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(b"220 hello")
        await reader.read()

    async with connected(greet) as stream:
        assert b"2" == await stream.read(1)

        assert stream.has_unread
        assert stream.get_extra_info("is_readable")
        assert stream.get_extra_info("ssl_object") is None
        assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
        assert stream.get_extra_info("client_addr")[0] == "127.0.0.1"


def test_stream_without_a_connection_knows_nothing() -> None:
    """Before it is connected nothing can be said about a stream."""

    async def ask() -> object:
        return Stream().get_extra_info("server_addr")

    assert asyncio.run(ask()) is None


async def test_engine_reads_and_writes_through_it() -> None:
    """Httpx keeps its pool where we expect it; otherwise the engine would be slower, unnoticed."""
    engine = TransportEngine(default_ssl_context())

    transport = engine._transport("https://gateway.invalid")  # pyright: ignore[reportPrivateUsage] - asked for the same reason

    pool = getattr(transport, "_pool", None)
    assert isinstance(getattr(pool, "_network_backend", None), StreamBackend)
    await transport.aclose()


async def test_engine_does_without_where_httpx_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without httpx's present inside the engine uses httpcore's own streams."""

    class Other(httpx.AsyncBaseTransport):
        def __init__(self, **_: object) -> None:
            super().__init__()

    monkeypatch.setattr(httpx, "AsyncHTTPTransport", Other)

    transport = TransportEngine(default_ssl_context())._transport("https://gateway.invalid")  # pyright: ignore[reportPrivateUsage] - asked for the same reason

    assert isinstance(transport, Other)


async def test_connecting_has_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that does not answer, and one that refuses, are httpcore's own errors."""

    async def hang(*_: object) -> Stream:
        await asyncio.Event().wait()
        raise AssertionError

    async def refuse(*_: object) -> Stream:
        raise ConnectionRefusedError("no")

    monkeypatch.setattr(httpcore_stream, "connect", hang)
    with pytest.raises(httpcore.ConnectTimeout):
        await StreamBackend().connect_tcp("gateway.invalid", 443, timeout=0.001)
    monkeypatch.setattr(httpcore_stream, "connect", refuse)
    with pytest.raises(httpcore.ConnectError, match="no"):
        await StreamBackend().connect_tcp("gateway.invalid", 443)


async def test_server_that_never_shakes_hands_is_a_connect_timeout() -> None:
    """TLS that does not come about in time is certain not to have sent anything."""

    async def silent(reader: StreamReader, _: StreamWriter) -> None:
        await reader.read()

    async with connected(silent) as stream:
        with pytest.raises(httpcore.ConnectTimeout):
            await stream.start_tls(default_ssl_context(), "gateway.invalid", timeout=0.01)
        assert stream.get_extra_info("is_readable")


async def test_plain_bytes_before_tls_are_never_read_as_encrypted() -> None:
    """A proxy in the way can't put an answer where that of the gateway is expected."""

    async def forge(_: StreamReader, writer: StreamWriter) -> None:
        writer.write(b"?HTTP/1.1 200 OK\r\n")
        await writer.drain()

    async with connected(forge) as stream:
        assert b"?" == await stream.read(1)
        with pytest.raises(httpcore.ConnectError, match="before TLS"):
            await stream.start_tls(default_ssl_context(), "gateway.invalid", timeout=5)


async def test_unasked_bytes_stop_the_next_request() -> None:
    """What came in before a request left is no answer to it, and the request does not leave."""
    heard = bytearray()

    async def greet(reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(b"220 hello")
        heard.extend(await reader.read())

    async with connected(greet) as stream:
        assert b"2" == await stream.read(1)
        await stream.write(b"request")
        with pytest.raises(UnaskedError, match="unasked"):
            await stream.read(10)

    assert b"" == bytes(heard)


async def test_unasked_bytes_that_come_before_the_request_leaves_stop_it() -> None:
    """The same while a request is held back to leave in one piece."""
    heard = bytearray()
    speak = asyncio.Event()

    async def greet(reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(b"!")
        await speak.wait()
        writer.write(b"HTTP/1.1 401 Unauthorized")
        heard.extend(await reader.read())

    async with connected(greet) as stream:
        assert b"!" == await stream.read(1)
        await stream.write(b"request")
        speak.set()
        stream.data_received(b"HTTP/1.1 401 Unauthorized")
        with pytest.raises(UnaskedError, match="unasked"):
            await stream.read(10)

    assert b"" == bytes(heard)


async def test_closing_drops_what_was_not_written() -> None:
    """A request that was given up before it left does not leave with the closing."""
    heard = bytearray()

    async def listen(reader: StreamReader, _: StreamWriter) -> None:
        heard.extend(await reader.read())

    async with connected(listen) as stream:
        await stream.write(b"request")

    assert b"" == bytes(heard)


async def test_hang_up_that_the_loop_has_not_seen_yet_costs_nothing() -> None:
    """A connection that was closed while the loop was busy is not used for the next request."""
    hang_up, hung_up = threading.Event(), threading.Event()

    def serve(listener: socket.socket) -> None:
        for last in (False, True):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                if not last:
                    hang_up.wait(LONG)
            hung_up.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        engine = TransportEngine(default_ssl_context())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        request = WireRequest("POST", url, (("Host", "x"), ("Content-Length", "2")), b"hi")
        replies = [await engine.exchange(request, RequestProgress(), 0, 60)]
        hang_up.set()
        # The loop sees nothing meanwhile, as when it is busy.
        hung_up.wait(LONG)
        replies.append(await engine.exchange(request, RequestProgress(), 0, 60))
        await engine.aclose()
        thread.join()

    assert [200, 200] == [getattr(reply, "status", reply) for reply in replies]


async def test_waiting_between_attempts_to_connect() -> None:
    """Httpcore's pause goes through the loop."""
    await StreamBackend().sleep(0)
