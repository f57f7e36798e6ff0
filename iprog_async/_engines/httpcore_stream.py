"""What httpcore reads and writes through: asyncio's own transports, with nothing in between.

httpcore's own backend goes over anyio, whose cancel scopes and checkpoints take a fifth of a
request's time. All timeouts but that of connecting are the session's, so none are needed here.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Iterable
from typing import Any, cast

import httpcore

from iprog_async._engines.happy_eyeballs import connect
from iprog_async._engines.readiness import poller
from iprog_async._engines.tls import TlsTransport


# More than this is not taken from the system before somebody reads it.
_ENOUGH = 256 * 1024
# Of a longer answer it is not known what stands around it.
_MOST_FOLLOWED = 256 * 1024
# A request is written in one piece with its header fields, unless it is longer than this.
_LONGEST_PIECE = 64 * 1024


class UnaskedError(httpcore.ConnectError):
    """The other side spoke before a request was written, of which nothing left."""


class StreamBackend(httpcore.AsyncNetworkBackend):
    """Makes connections for httpcore."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect; raises httpcore's errors for what certainly did not leave."""
        try:
            async with asyncio.timeout(timeout):
                return await connect(Stream, host, port, None)
        except TimeoutError as exc:
            raise httpcore.ConnectTimeout(str(exc)) from None
        except OSError as exc:
            raise httpcore.ConnectError(str(exc)) from None

    async def sleep(self, seconds: float) -> None:
        """Wait before another attempt to connect."""
        await asyncio.sleep(seconds)


class Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One connection; it reads ahead, so that the end of it is noticed while nobody reads."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._is_readable: Callable[[], object] = list[object]
        self._received = bytearray()
        self._unsent = bytearray()
        self._ended = False
        # The answer as it came in, or its beginning.
        self._answer = bytearray()
        # Whether something was written since the last answer began.
        self._asking = False
        # Whether whatever comes in before the next request can only be unasked. Nobody can tell on
        # a new connection: the tickets of TLS come in by themselves.
        self._kept = False
        self._paused = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    @property
    def has_unread(self) -> bool:
        """Whether something has come in that nobody has read."""
        return bool(self._received)

    @property
    def dropped_fields(self) -> bool:
        """Whether the last answer had fields before or behind it, which httpcore drops."""
        return len(self._answer) > _MOST_FOLLOWED or _has_other_fields(bytes(self._answer))

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come in, waiting for it; nothing means the end."""
        self._flush()
        if not self._received and not self._ended:
            self._waiter = self._loop.create_future()
            try:
                async with asyncio.timeout(timeout):
                    await self._waiter
            except TimeoutError:
                raise httpcore.ReadTimeout from None
            finally:
                self._waiter = None
        if not self._received and self._error is not None:
            raise httpcore.ReadError(str(self._error))
        data = bytes(self._received[:max_bytes])
        del self._received[:max_bytes]
        if self._asking:
            self._answer.clear()
        if len(self._answer) <= _MOST_FOLLOWED:
            self._answer += data
        self._asking = False
        self._kept = True
        self._resume()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write; what is short leaves with the rest of its request, once an answer is read."""
        self._unsent += buffer
        if self._ended:
            raise httpcore.WriteError(str(self._error or "the other side closed the connection"))
        if len(self._unsent) > _LONGEST_PIECE:
            self._flush()

    async def aclose(self) -> None:
        """Close at once; what was not written is dropped."""
        self._ended = True
        self._unsent.clear()
        if self._transport is not None:
            self._transport.abort()
            # The loop closes the socket in its next round.
            await asyncio.sleep(0)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Encrypt the connection; raises httpcore's errors for what certainly did not leave."""
        assert self._transport is not None  # noqa: S101 - made by create_connection
        if self._received or self._ended:
            # What came in plain must never be read as something that came in encrypted.
            await self.aclose()
            raise httpcore.ConnectError("the other side spoke, or ended, before TLS began")
        try:
            async with asyncio.timeout(timeout):
                encrypted = TlsTransport(self, ssl_context, server_hostname, announce=False)
                self._transport.set_protocol(encrypted)
                encrypted.connection_made(self._transport)
                await encrypted.open()
        except BaseException as exc:
            await self.aclose()
            if isinstance(exc, TimeoutError):
                raise httpcore.ConnectTimeout("no TLS in time") from None
            if isinstance(exc, OSError):
                raise httpcore.ConnectError(str(exc)) from None
            raise
        self._transport = encrypted
        self._is_readable = poller(encrypted)
        self._kept = False
        return self

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore and its users ask about a connection, or `None`."""
        if self._transport is None:
            return None
        if info == "is_readable":
            # The loop may not have looked at the socket since, so the kernel is asked.
            return bool(self._received or self._ended or self._is_readable())
        name = {"server_addr": "peername", "client_addr": "sockname"}.get(info, info)
        return self._transport.get_extra_info(name)

    def _flush(self) -> None:
        if not self._unsent or self._transport is None:
            return
        self._refuse_unasked()
        self._asking = True
        self._transport.write(bytes(self._unsent))
        self._unsent.clear()

    def _refuse_unasked(self) -> None:
        """Close if something came in after an answer and before the next request left.

        Whatever it is, it is no answer to that request. The loop may not have looked at the socket
        since, so the kernel is asked, and last of all.

        Raises:
            UnaskedError: Nothing of the request has left.
        """
        spoke = self._received or (self._kept and (self._ended or self._is_readable()))
        if self._asking or not spoke:
            return
        self._received.clear()
        self._unsent.clear()
        self._ended = True
        self._error = UnaskedError("the other side closed the connection, or spoke, unasked")
        if self._transport is not None:
            self._transport.abort()
        raise self._error

    def _resume(self) -> None:
        if self._paused and self._transport is not None and len(self._received) < _ENOUGH:
            self._paused = False
            self._transport.resume_reading()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._is_readable = poller(transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) >= _ENOUGH and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._ended = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._error = self._error or exc
        self._wake()


def _has_other_fields(answer: bytes) -> bool:
    """Return whether there are fields in interim answers, or behind the chunks of the last one.

    What can't be followed may have some.
    """
    start = 0
    while True:
        blank = _BLANK_LINE.search(answer, start)
        if blank is None:
            return True
        head, start = answer[start : blank.start()], blank.end()
        if head[9:10] != b"1":
            break
        if b"\n" in head:
            return True
    return b"\ntransfer-encoding:" in head.lower() and _has_trailer(answer, start)


def _has_trailer(answer: bytes, start: int) -> bool:
    """Return whether anything but an empty line comes behind the last chunk."""
    while True:
        end = answer.find(b"\r\n", start)
        size = _SIZE.match(answer, start, max(end, start))
        if size is None:
            return True
        length = int(size[0], 16)
        if not length:
            return answer[end + 2 :] != b"\r\n"
        start = end + 2 + length + 2


# As h11 reads them.
_BLANK_LINE = re.compile(rb"\n\r?\n")
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,20}")
