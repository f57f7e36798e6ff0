"""A gateway that answers as IPROG does, as fast as asyncio lets it: never the limit.

Run as a process of its own: `python -m benchmarks.server [--latency SECONDS]`; it prints its port.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import cast


_ONE = b'{"status":200,"message":"queued","message_id":"iSms-2GfhbG","sms_rate":1.0}'


def _answer(body: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


_ANSWER_ONE = _answer(_ONE)
# What Twilio's client wants to see; the same amount of work for the server.
_ANSWER_TWILIO = _answer(b'{"sid":"SM2GfhbG","status":"queued"}', b"201 Created")


class GatewayProtocol(asyncio.Protocol):
    """Reads requests off one connection and answers them in order."""

    latency = 0.0

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

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
        rates = b",".join([b"1"] * count)
        return _answer(
            b'{"status":200,"message":"queued","message_ids":"%s","sms_rates":"%s"}' % (ids, rates)
        )

    def _reply(self, answer: bytes) -> None:
        if self.latency:
            asyncio.get_running_loop().call_later(self.latency, self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)


async def serve(latency: float) -> None:
    """Listen on loopback and print the port, until standard input is closed."""
    GatewayProtocol.latency = latency
    loop = asyncio.get_running_loop()
    server = await loop.create_server(GatewayProtocol, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    asyncio.run(serve(parser.parse_args().latency))
