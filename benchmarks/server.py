"""A gateway that answers as IPROG does, as fast as Python lets it: never the limit.

Run as a process of its own: `python -m benchmarks.server [--latency SECONDS] [--tls FILE]`; it
prints its port.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import ssl
import sys
from typing import Protocol, cast


TOKEN = "benchmark" * 8
"""What is in every request, and comes back in the link of every answer, as IPROG's does."""

# As PHP writes it: its slashes are escaped.
_LINK = (
    rb"https:\/\/www.iprogsms.com\/api\/v1\/sms_messages\/status?api_token=%s&message_id=iSms-2GfhbG"
    % TOKEN.encode()
)
ONE = (
    b'{"status":200,"message":"SMS successfully queued for delivery.","message_id":"iSms-2GfhbG",'
    b'"message_status_link":"%s","message_status_request_mode":"GET","sms_rate":1.0}' % _LINK
)
"""What IPROG says of a text that it took."""
# What Twilio's client wants to see; about as long.
_TWILIO = (
    b'{"sid":"SM2GfhbG","status":"queued","account_sid":"AC00000000000000000000000000000000",'
    b'"to":"+639170000000","from":"+15005550006","body":"Hello","num_segments":"1","price":null,'
    b'"price_unit":"USD","direction":"outbound-api","error_code":null,"error_message":null,'
    b'"uri":"/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages/SM2GfhbG.json"}'
)
_MANY = (
    b'{"status":200,"message":"Your bulk SMS messages have been successfully added to the queue",'
    b'"message_ids":"%s","sms_rates":"%s","message_status_link":"%s"}'
)
_HEAD = (
    b"HTTP/1.1 %s\r\nServer: nginx\r\nDate: Mon, 01 Jun 2026 08:00:00 GMT\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\nConnection: keep-alive\r\n"
    b"Cache-Control: no-cache, private\r\n\r\n"
)


def _answer(body: bytes, status: bytes = b"200 OK") -> bytes:
    return _HEAD % (status, len(body)) + body


_ANSWER_ONE = _answer(ONE)
_ANSWER_TWILIO = _answer(_TWILIO, b"201 Created")


class Writer(Protocol):
    """What answers are written to."""

    def write(self, data: bytes, /) -> object:
        """Write an answer."""
        ...

    def is_closing(self) -> bool:
        """Return whether nothing can be written any more."""
        ...


class GatewayProtocol(asyncio.Protocol):
    """Reads requests off one connection and answers them in order."""

    latency = 0.0

    def __init__(self, writer: Writer | None = None) -> None:
        self._buffer = b""
        self._writer = writer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._writer = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            start = head.lower().find(b"content-length:")
            length = int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            self._reply(self._answer(head, body))

    def _answer(self, head: bytes, body: bytes) -> bytes:
        if b"/send_bulk" not in head[:200]:
            return _ANSWER_TWILIO if b"/2010-04-01/" in head[:60] else _ANSWER_ONE
        count = body.split(b'"phone_number":"', 1)[1].split(b'"', 1)[0].count(b",") + 1
        ids = b",".join(b"iSms-%d" % number for number in range(count))
        return _answer(_MANY % (ids, b",".join([b"1"] * count), _LINK))

    def _reply(self, answer: bytes) -> None:
        if self.latency:
            asyncio.get_running_loop().call_later(self.latency, self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(answer)


class TlsConnection:
    """One encrypted connection, straight over its socket: asyncio's TLS would be the limit."""

    def __init__(self, loop: asyncio.AbstractEventLoop, encrypted: ssl.SSLSocket) -> None:
        self._loop = loop
        self._socket = encrypted
        self._protocol = GatewayProtocol(self)
        loop.add_reader(encrypted, self._read)

    def write(self, data: bytes) -> None:
        """Write an answer, which is short enough for the system to take it at once."""
        self._socket.sendall(data)

    def is_closing(self) -> bool:
        """Return whether it is closed."""
        return self._socket.fileno() < 0

    def _read(self) -> None:
        try:
            while data := self._socket.recv(64 * 1024):
                self._protocol.data_received(data)
        except ssl.SSLWantReadError:
            return
        except OSError:
            pass  # The other side has gone.
        self._loop.remove_reader(self._socket)
        self._socket.close()


def _accept_tls(
    loop: asyncio.AbstractEventLoop, listener: socket.socket, context: ssl.SSLContext
) -> None:
    accepted, _ = listener.accept()
    accepted.setblocking(False)
    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    encrypted = context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
    TlsConnection(loop, encrypted)


async def serve(latency: float, certificate: str | None) -> None:
    """Listen on loopback and print the port, until standard input is closed."""
    GatewayProtocol.latency = latency
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        listener.setblocking(False)
        if certificate is None:
            await loop.create_server(GatewayProtocol, sock=listener, backlog=1024)
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            loop.add_reader(listener, _accept_tls, loop, listener, context)
        print(listener.getsockname()[1], flush=True)
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--tls", default=None, help="a file with a certificate and its key")
    given = parser.parse_args()
    asyncio.run(serve(given.latency, given.tls))
