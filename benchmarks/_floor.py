"""What Python itself costs: one prepared request over and over, on connections of asyncio alone.

It checks nothing, reads no JSON, keeps no limit and closes nothing that is out of step: no way to
send a text, and the least that any client in pure Python can take.
"""

from __future__ import annotations

import asyncio
from typing import cast

from benchmarks._gateway import Gateway
from benchmarks.server import TOKEN


_BODY = (
    b'{"api_token":"%s","phone_number":"639170000000",'
    b'"message":"Hi 1000, your parcel of June is at the office. Come before Friday, please."}'
    % TOKEN.encode()
)
_REQUEST = (
    b"POST /api/v1/sms_messages HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)
_LENGTH = b"\r\nContent-Length: "


class _Connection(asyncio.Protocol):
    """Writes the request, and waits for as many bytes as its answer says that it has."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def ask(self) -> asyncio.Future[bytes]:
        """Write the request, and return what its answer will come to."""
        assert self._transport is not None
        self._received = b""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(_REQUEST)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank_line, body = self._received.partition(b"\r\n\r\n")
        if blank_line and self._answer is not None:
            length = int(head.partition(_LENGTH)[2].partition(b"\r\n")[0])
            if len(body) >= length:
                self._answer.set_result(body)

    def close(self) -> None:
        """Close it."""
        assert self._transport is not None
        self._transport.close()


class AsyncioAlone:
    """Connections to a gateway, as many as are needed at once.

    Args:
        gateway: Where they lead.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._idle: list[_Connection] = []

    async def send(self, _: int) -> None:
        """Have the request answered."""
        connection = self._idle.pop() if self._idle else await self._connect()
        assert b'"status":200' in await connection.ask()
        self._idle.append(connection)

    async def _connect(self) -> _Connection:
        host, _, port = self._gateway.base_url.partition("://")[2].partition(":")
        _, connection = await asyncio.get_running_loop().create_connection(
            _Connection, host, int(port), ssl=self._gateway.trust
        )
        return connection

    async def aclose(self) -> None:
        """Close every connection."""
        for connection in self._idle:
            connection.close()
        await asyncio.sleep(0)
