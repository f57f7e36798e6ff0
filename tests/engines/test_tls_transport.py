from __future__ import annotations

import asyncio
import gc
import ssl
import weakref
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from attrs import define, field
from support.core.clock import settle
from support.engines.tls import serving, trusting
from support.engines.wire import (
    BOTH,
    EngineName,
    client_of,
    left_open,
    open_files,
    outcome,
    server,
    whole,
)

from iprog_async._engines.happy_eyeballs import connect
from iprog_async._engines.tls import TlsTransport


pytest.importorskip("httptools")


@define(eq=False)
class Peer:
    """The serving end of one encrypted connection, record by record.

    Args:
        reader: Of the connection below.
        writer: The same.
    """

    reader: StreamReader
    writer: StreamWriter
    _incoming: ssl.MemoryBIO = field(factory=ssl.MemoryBIO)
    _outgoing: ssl.MemoryBIO = field(factory=ssl.MemoryBIO)
    _tls: ssl.SSLObject = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._tls = serving().wrap_bio(self._incoming, self._outgoing, server_side=True)

    async def read(self) -> bytes:
        """Return what the other side says next, nothing after its goodbye.

        Raises:
            ConnectionError: It went without one.
        """
        while True:
            try:
                return self._tls.read(65536)
            except ssl.SSLEOFError as exc:
                raise ConnectionResetError from exc
            except ssl.SSLWantReadError:
                self.writer.write(self._outgoing.read())
            received = await self.reader.read(65536)
            if received:
                self._incoming.write(received)
            else:
                self._incoming.write_eof()

    def record(self, data: bytes) -> bytes:
        """Return some bytes as a record, which is not written yet."""
        self._tls.write(data)
        return self._outgoing.read()


class Heard(asyncio.Protocol):
    """Keeps what comes in.

    Attributes:
        heard: What came in.
        ended: Whether the other side has said everything.
        lost: Done when the connection is gone.
    """

    def __init__(self) -> None:
        self.heard = b""
        self.ended = False
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        """Keep the transport."""
        self.transport: TlsTransport = transport

    def data_received(self, data: bytes) -> None:
        """Keep it."""
        self.heard += data

    def eof_received(self) -> bool:
        """Note the end."""
        self.ended = True
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that, too."""
        self.lost.set_result(exc)


@asynccontextmanager
async def connected(serve: Any, trust: ssl.SSLContext | None = None) -> AsyncGenerator[Heard]:
    """Connect to a server of one connection."""
    async with server(serve, tls=serving()) as address:
        port = int(address.rpartition(":")[2])
        made = await connect(Heard, "127.0.0.1", port, trust or trusting())
        try:
            yield made
        finally:
            made.transport.abort()
            await made.lost


async def echo(reader: StreamReader, writer: StreamWriter) -> None:
    """Say everything back."""
    while data := await reader.read(65536):
        writer.write(data)


@pytest.mark.parametrize("engine", BOTH)
async def test_part_of_a_record_that_nobody_asked_for_stops_the_next_request(
    engine: EngineName,
) -> None:
    """An answer whose end comes in after the next request has left would pass for its answer."""
    asked: list[int] = []

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        peer, number = Peer(reader, writer), len(asked)
        asked.append(0)
        while await peer.read():
            asked[number] += 1
            forged = peer.record(whole(2 if number else 1)), peer.record(whole(666))
            writer.write(forged[0] + forged[1][:20])

    async with (
        server(serve) as address,
        client_of(
            address.replace("http://", "https://"), engine, verify=trusting(), max_connections=1
        ) as client,
    ):
        first = await outcome(client)
        await settle()
        second = await outcome(client)

    # httpcore's connections are not asked for a second time either way.
    assert ("iSms-1", "iSms-2", [1, 1]) == (first, second, asked)


@pytest.mark.parametrize("engine", BOTH)
async def test_hang_up_during_the_handshake_is_certainly_not_sent(engine: EngineName) -> None:
    """Before hands are shaken nothing can have left, and no socket stays."""

    async def hang_up(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    before = open_files()
    async with (
        server(hang_up) as address,
        client_of(address.replace("http://", "https://"), engine, verify=trusting()) as client,
    ):
        assert "ConnectionFailedError" == await outcome(client)
    assert set() == await left_open(before)


async def test_handshake_that_nobody_waits_for_any_more_leaves_nothing() -> None:
    """A server that accepts and says nothing holds no socket of those who gave up."""

    async def silent(reader: StreamReader, _: StreamWriter) -> None:
        await reader.read()

    before = open_files()
    async with server(silent) as address:
        port = int(address.rpartition(":")[2])
        connecting = asyncio.create_task(connect(Heard, "127.0.0.1", port, trusting()))
        await settle()
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
    assert set() == await left_open(before)


async def test_goodbye_is_answered() -> None:
    """A server that closes in an orderly way hears the same from us, and no reset."""
    heard: asyncio.Future[type[OSError]] = asyncio.get_running_loop().create_future()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        peer = Peer(reader, writer)
        await peer.read()
        with pytest.raises(ssl.SSLWantReadError):
            peer._tls.unwrap()  # pyright: ignore[reportPrivateUsage] - our own goodbye
        writer.write(peer._outgoing.read())  # pyright: ignore[reportPrivateUsage] - the same
        try:
            await peer.read()
        except OSError as exc:
            heard.set_result(type(exc))

    async with server(serve) as address:
        port = int(address.rpartition(":")[2])
        made = await connect(Heard, "127.0.0.1", port, trusting())
        made.transport.write(b"?")
        assert await made.lost is None
        assert ssl.SSLZeroReturnError is await heard

    assert made.ended


async def test_what_is_no_tls_ends_the_connection() -> None:
    """Noise on an open connection is an error, which the protocol is told."""

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        peer = Peer(reader, writer)
        await peer.read()
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()

    async with server(serve) as address:
        port = int(address.rpartition(":")[2])
        made = await connect(Heard, "127.0.0.1", port, trusting())
        made.transport.write(b"?")
        error = await made.lost

    assert isinstance(error, ssl.SSLError)
    assert b"" == made.heard


async def test_much_goes_both_ways_and_reading_can_be_paused() -> None:
    """Whatever the sizes, bytes arrive once and in order; who pauses gets nothing meanwhile."""
    much = bytes(range(256)) * 4000
    async with connected(echo) as made:
        made.transport.pause_reading()
        made.transport.write(much)
        await settle()
        assert b"" == made.heard
        made.transport.resume_reading()
        while len(made.heard) < len(much):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)

        assert much == made.heard
        assert not made.transport.within_record
        assert 0 == made.transport.get_write_buffer_size()


class Renegotiating(ssl.SSLObject):
    """Can't write before something has come in, as while a handshake is repeated."""

    ready = False

    def write(self, data: Any) -> int:
        """Refuse for the first time."""
        if not self.ready:
            self.ready = True
            raise ssl.SSLWantReadError
        return super().write(data)


async def test_what_can_not_be_encrypted_yet_waits() -> None:
    """While hands are shaken again, bytes wait in order, and count as not written."""
    trust = trusting()
    trust.sslobject_class = Renegotiating

    async def greet(reader: StreamReader, writer: StreamWriter) -> None:
        await asyncio.sleep(0)
        writer.write(b"go on: ")
        await echo(reader, writer)

    async with connected(greet, trust) as made:
        made.transport.write(b"one, ")
        made.transport.write(b"two")
        assert 8 == made.transport.get_write_buffer_size()
        while not made.heard.endswith(b"two"):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)

    assert b"go on: one, two" == made.heard


async def test_what_could_not_be_encrypted_in_time_never_is() -> None:
    """What another handshake held up for too long does not leave: the connection ends instead."""
    trust = trusting()
    trust.sslobject_class = Renegotiating
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def greet(reader: StreamReader, writer: StreamWriter) -> None:
        await asyncio.sleep(0)
        writer.write(b"go on: ")
        try:
            heard.set_result(await reader.read())
        except OSError:
            heard.set_result(b"")

    async with connected(greet, trust) as made:
        made.transport.leaves_by = 0.0
        made.transport.write(b"late")
        lost = await made.lost
        assert b"" == await heard

    assert isinstance(lost, TimeoutError)


async def test_closed_connection_needs_no_garbage_collection() -> None:
    """What refers to each other while a connection lives is let go when it ends."""
    gc.collect()
    gc.disable()
    try:
        async with connected(echo) as made:
            transport = weakref.ref(made.transport)
            assert "TLSv1.3" == made.transport.get_extra_info("ssl_object").version()
        del made
        await settle()
        assert transport() is None
    finally:
        gc.enable()


class Silent(asyncio.Transport):
    """A connection on which nothing comes in by itself."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take it."""


async def test_a_part_of_a_record_below_is_seen() -> None:
    """Of a proxy's encryption, below the gateway's own: what has begun to come may be an answer."""
    below, above = (TlsTransport(Heard(), trusting(), "localhost") for _ in range(2))
    below.connection_made(Silent())
    above.connection_made(below)
    assert not above.within_record

    part = b"\x16\x03\x03\x00\x64half"
    below.get_buffer(-1)[: len(part)] = part
    below.buffer_updated(len(part))

    assert above.within_record
