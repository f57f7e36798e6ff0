"""TLS over asyncio's transports, with one buffer and no copies that nobody needs.

asyncio's own takes several times as long: it queues each write, and joins what it reads. Here a
write is encrypted and handed to the socket at once, and what comes in is decrypted into the buffer
of whoever reads it. Certificates and names are checked by OpenSSL, in the handshake.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from iprog_async._core.clock import uptime
from iprog_async._engines.tls_records import RecordBoundaries


# As long as a record gets, with its header and what encrypting adds.
_PIECE = 16 * 1024 + 512


class TlsTransport(asyncio.Transport, asyncio.BufferedProtocol):
    """Encrypts one connection: a transport to what is above it, a protocol to what is below.

    Args:
        protocol: What speaks over it, once hands are shaken.
        context: Trusted certificates, and a client certificate where one is needed.
        host: Whom the other side has to prove to be.
        announce: Whether the protocol is told of its connection, as of any new one.
    """

    def __init__(
        self,
        protocol: asyncio.BaseProtocol,
        context: ssl.SSLContext,
        host: str | None,
        *,
        announce: bool = True,
    ) -> None:
        super().__init__()
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        # As it is with a buffer.
        self._read_into = cast("Callable[[int, memoryview], int]", self._tls.read)
        self._context = context
        self._records = RecordBoundaries()
        # Of its own: where reads are completed by the system, it writes here at any moment.
        self._piece = memoryview(bytearray(_PIECE))
        self._below: asyncio.Transport | None = None
        self._announce = announce
        self._is_open = False
        self._opening: asyncio.Future[None] | None = None
        self._has_ended = False
        self._is_paused = False
        # What can't be encrypted before the other side has gone on with another handshake.
        self._backlog = bytearray()
        self.leaves_by = math.inf
        """Until when, by `uptime`, it may be encrypted: later it closes the connection instead."""
        self._error: Exception | None = None
        self._above = protocol
        self._buffered: asyncio.BufferedProtocol | None = None
        self.set_protocol(protocol)
        self._is_full = False
        self.has_more = False
        """Whether something came in with what is passed on that has not been looked at yet."""

    @property
    def within_record(self) -> bool:
        """Whether something has begun to come in that can't be read yet."""
        below = self._below
        return self._records.within_record or (
            isinstance(below, TlsTransport) and below.within_record
        )

    async def open(self) -> None:
        """Wait for the handshake; whoever gives up waiting has to call `abort`.

        Raises:
            OSError: The other side went away, can't prove who it is, or speaks no TLS.
        """
        if self._error is not None:
            raise self._error
        if not self._is_open:
            self._opening = asyncio.get_running_loop().create_future()
            await self._opening

    # What the transport below calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._below = cast("asyncio.Transport", transport)
        self._shake_hands()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._piece

    def buffer_updated(self, nbytes: int) -> None:
        received = self._piece[:nbytes]
        self._is_full = nbytes == _PIECE
        self._records.pass_over(received)
        self._incoming.write(received)
        if self._is_open:
            self._read()
        else:
            self._shake_hands()

    def eof_received(self) -> bool:
        if self._is_open:
            self._end()
        else:
            self._fail(ConnectionResetError("the other side hung up during the TLS handshake"))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        above, error = self._above, self._error or exc
        self._error = error or ConnectionResetError("the connection was closed")
        self._wake()
        if self._is_open:
            above.connection_lost(error)
        # They refer to each other, and no garbage collection should be needed.
        self.set_protocol(asyncio.Protocol())

    def pause_writing(self) -> None:
        self._above.pause_writing()

    def resume_writing(self) -> None:
        self._above.resume_writing()

    # What is between the two.

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return
        except ssl.SSLError as exc:
            self._fail(exc)
            return
        self._flush()
        self._is_open = True
        self._wake()
        if self._announce:
            self._above.connection_made(self)
        self._read()

    def _read(self) -> None:
        """Decrypt what has come in, and pass it on."""
        assert self._below is not None  # noqa: S101 - it has just been read from
        try:
            while not (self._is_paused or self._below.is_closing()):
                if not self._pass_on():
                    self._end()
                    break
                if not self.has_more:
                    # Asking on would cost an error, which takes longer than decrypting.
                    break
        except ssl.SSLWantReadError:
            # Tickets, new keys, or a part of a record: nothing for what is above.
            pass
        except ssl.SSLError as exc:
            self._fail(exc)
            return
        if self._outgoing.pending:
            self._flush()
        if self._backlog:
            self._encrypt()

    def _pass_on(self) -> int:
        """Decrypt a piece for the protocol above, and return its length: nothing at the end."""
        buffered = self._buffered
        if buffered is not None:
            buffer: Any = buffered.get_buffer(-1)
            room = len(buffer)
            count = self._read_into(room, buffer)
            self.has_more = self._has_more(is_cut=count == room)
            if count:
                buffered.buffer_updated(count)
            return count
        data = self._tls.read(_PIECE)
        self.has_more = self._has_more(is_cut=True)
        if data:
            cast("asyncio.Protocol", self._above).data_received(data)
        return len(data)

    def _has_more(self, *, is_cut: bool) -> bool:
        """Return whether there is more to decrypt, or to read of a record that was cut."""
        return bool(self._incoming.pending or self._is_full or (is_cut and self._tls.pending()))

    def _encrypt(self) -> None:
        """Encrypt what waits, unless another handshake holds it up."""
        if self.leaves_by != math.inf and self._backlog and uptime() >= self.leaves_by:
            self._fail(TimeoutError("another handshake took too long"))
            return
        try:
            while self._backlog:
                del self._backlog[: self._tls.write(self._backlog)]
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as exc:
            self._fail(exc)
            return
        self._flush()

    def _flush(self) -> None:
        if self._below is not None and self._outgoing.pending:
            self._below.write(self._outgoing.read())

    def _end(self) -> None:
        """Pass on that the other side has said everything, and say goodbye."""
        if not self._has_ended:
            self._has_ended = True
            if self._is_open and not cast("asyncio.Protocol", self._above).eof_received():
                self.close()

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        # OpenSSL has written down why, for the other side.
        self._flush()
        self.abort()
        self._wake()

    def _wake(self) -> None:
        opening, self._opening = self._opening, None
        if opening is None or opening.done():
            return
        if self._error is None:
            opening.set_result(None)
        else:
            opening.set_exception(self._error)

    # What the protocol above calls.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt, and hand to the socket at once what it takes."""
        if self._backlog or self._below is None or not data:
            self._backlog += data
            return
        try:
            count = self._tls.write(data)
        except ssl.SSLWantReadError:
            count = 0
        except ssl.SSLError as exc:
            self._fail(exc)
            return
        self._below.write(self._outgoing.read())
        if count < len(data):
            self._backlog += data[count:]
            if count:
                self._encrypt()

    def get_write_buffer_size(self) -> int:
        """Return how many bytes the socket has not taken yet."""
        below = 0 if self._below is None else self._below.get_write_buffer_size()
        return below + len(self._backlog)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set when the protocol is asked to write no more for now."""
        if self._below is not None:
            self._below.set_write_buffer_limits(high, low)

    def pause_reading(self) -> None:
        """Pass nothing on for now, and take nothing from the system."""
        self._is_paused = True
        if self._below is not None:
            self._below.pause_reading()

    def resume_reading(self) -> None:
        """Go on with passing on."""
        self._is_paused = False
        if self._below is not None:
            self._below.resume_reading()
            asyncio.get_running_loop().call_soon(self._read)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Have another protocol speak over it."""
        self._above = protocol
        self._buffered = protocol if isinstance(protocol, asyncio.BufferedProtocol) else None

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return what speaks over it."""
        return self._above

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what is known of the encryption, or of the connection below."""
        if name == "ssl_object":
            return self._tls
        if name == "sslcontext":
            return self._context
        return default if self._below is None else self._below.get_extra_info(name, default)

    def is_closing(self) -> bool:
        """Return whether nothing can be written any more."""
        return self._below is None or self._below.is_closing()

    def close(self) -> None:
        """Say goodbye, and close once everything is written."""
        # Nobody waits for the goodbye of the other side, if that has not come.
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        self._flush()
        if self._below is not None:
            self._below.close()

    def abort(self) -> None:
        """Close at once; what the socket has not taken yet is dropped."""
        self._backlog.clear()
        if self._below is not None:
            self._below.abort()
