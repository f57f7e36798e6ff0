"""A gateway of bare sockets that counts what reaches it and misbehaves as told."""

from __future__ import annotations

import asyncio
import socket
import ssl
from asyncio import StreamReader, StreamWriter
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Self

from iprog_async.testing._raw_gateway.behaviours import Behaviour, Step, to_behaviour
from iprog_async.testing._raw_gateway.messages import RawRequest, Reply


class RawGateway:
    """An HTTP server on loopback that plays a script; use it as an async context manager.

    It is made of sockets and no HTTP library, so that what it counts is what was sent. When it
    ends, no task or socket of it is left, whatever state its connections are in.

    Args:
        script: One step for each request, in order of arrival; the last one is repeated.
        tls: Certificate to serve with; plain HTTP if `None`.

    Attributes:
        connections: How many connections were made; with TLS, after the handshake.
        open_connections: How many of them are open.
        begun: Of how many requests at least one byte arrived.
        requests: The requests that arrived completely.
        finished: With how many of them it dealt to the end, before the other side was gone.
    """

    def __init__(self, *script: Step, tls: ssl.SSLContext | None = None) -> None:
        self._script = deque(to_behaviour(step) for step in script or (Reply(),))
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._errors: list[BaseException] = []
        self._under_way = 0
        self._changed = asyncio.Event()
        self.port = 0
        self.connections = 0
        self.open_connections = 0
        self.begun = 0
        self.requests: list[RawRequest] = []
        self.finished = 0

    @property
    def base_url(self) -> str:
        """Address of the gateway, without a slash at the end."""
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}"

    async def until(self, condition: Callable[[RawGateway], bool]) -> None:
        """Wait until the gateway is as told, for example `lambda g: g.begun == 2`."""
        while not condition(self):
            self._changed.clear()
            await self._changed.wait()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", 0, ssl=self._tls, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
        if self._errors and kind is None:
            # A script that fails must fail the test, not look like a lost connection.
            raise self._errors[0]

    def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.connections += 1
        self.open_connections += 1
        task = asyncio.create_task(self._serve(reader, writer, self.connections))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: StreamReader, writer: StreamWriter, number: int) -> None:
        try:
            await self._converse(reader, writer, number)
            writer.close()
            await writer.wait_closed()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            # The other side is gone, which is its right.
            pass
        except Exception as exc:
            self._errors.append(exc)
        finally:
            writer.transport.abort()
            self.open_connections -= 1
            self._changed.set()

    async def _converse(self, reader: StreamReader, writer: StreamWriter, number: int) -> None:
        if self._script[0].takes == "connection":
            self._next()
            return
        while first := await reader.read(1):
            if not first.isalpha():
                # The greeting of TLS on a plain port is no request.
                return
            self.begun += 1
            behaviour = self._next()
            self._changed.set()
            if behaviour.takes != "request":
                return
            self._under_way += 1
            try:
                request = await _read(first, reader, number, self._under_way)
                self.requests.append(request)
                self._changed.set()
                stays = await behaviour.play(request, writer)
                self.finished += 1
                if not stays:
                    return
            finally:
                self._under_way -= 1

    def _next(self) -> Behaviour:
        return self._script.popleft() if len(self._script) > 1 else self._script[0]


async def _read(first: bytes, reader: StreamReader, number: int, under_way: int) -> RawRequest:
    head = first + await reader.readuntil(b"\r\n\r\n")
    start, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = start.split(" ")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return RawRequest(method, target, headers, body, number, under_way)


@contextmanager
def refusing_port() -> Generator[int]:
    """Give a port of loopback on which nobody listens, and nobody else can begin to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])
