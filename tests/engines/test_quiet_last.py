from __future__ import annotations

import asyncio
import re
import ssl
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import Any, Self, TypeVar

import pytest
from support.engines.tls import serving, trusting
from support.engines.wire import BOTH, EngineName, client_of, outcome, whole
from support.waiting import LONG

from iprog_async._engines.http1_connection import Connection, WriteCoalescer
from iprog_async._engines.httpcore_stream import Stream


pytest.importorskip("httptools")

TIMES = 40

T = TypeVar("T")


class Eager:
    """A gateway in a thread of its own, which answers, and says more when it is told to.

    Args:
        tls: Certificate to serve with; plain if `None`.

    Attributes:
        asked: How many requests came.
    """

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._newest: StreamWriter | None = None
        self.asked = 0
        self.url = ""

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        port = self._there(self._start())
        self.url = f"{'http' if self._tls is None else 'https'}://127.0.0.1:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._there(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def speak_unasked(self) -> None:
        """Send an answer that nobody asked for, on the connection that is the newest."""
        self._there(self._speak())

    def _there(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(LONG)

    async def _start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        return int(self._server.sockets[0].getsockname()[1])

    async def _stop(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _speak(self) -> None:
        assert self._newest is not None
        self._newest.write(whole(666))

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
                await reader.readexactly(int(length[1]) if length else 0)
                self.asked += 1
                self._newest = writer
                writer.write(whole(self.asked))
        writer.transport.abort()


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def eager(request: pytest.FixtureRequest) -> Iterator[Eager]:
    """Run such a gateway."""
    with Eager(serving() if request.param else None) as gateway:
        yield gateway


def speak_before_writing(monkeypatch: pytest.MonkeyPatch, gateway: Eager) -> None:
    """Have the gateway speak when a request is about to be written, and have that come in."""
    put, write = WriteCoalescer.put, Stream.write

    def put_late(outbox: WriteCoalescer, connection: Connection, request: bytes) -> None:
        put(outbox, connection, request)
        if connection._kept:  # pyright: ignore[reportPrivateUsage] - the moment is inside
            gateway.speak_unasked()
            while not connection._poll():  # pyright: ignore[reportPrivateUsage] - the same
                pass

    async def write_late(stream: Stream, buffer: bytes, timeout: float | None = None) -> None:
        await write(stream, buffer, timeout)
        if stream._kept and not buffer.startswith(b"POST"):  # pyright: ignore[reportPrivateUsage] - the same
            gateway.speak_unasked()
            while not stream._is_readable():  # pyright: ignore[reportPrivateUsage] - the same
                pass

    monkeypatch.setattr(WriteCoalescer, "put", put_late)
    monkeypatch.setattr(Stream, "write", write_late)


@pytest.mark.parametrize("engine", BOTH)
async def test_answer_that_comes_in_before_the_request_leaves_is_never_taken(
    engine: EngineName, eager: Eager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking for a kept connection and writing, an answer that nobody asked for comes."""
    speak_before_writing(monkeypatch, eager)
    settings: dict[str, Any] = {"max_connections": 1, "verify": trusting()}
    async with client_of(eager.url, engine, **settings) as client:
        seen = [await outcome(client, f"Text {number}") for number in range(TIMES)]

    accepted = [each for each in seen if each.startswith("iSms-")]
    assert "iSms-666" not in seen
    assert [f"iSms-{number + 1}" for number in range(eager.asked)] == accepted
    # What was not asked certainly did not leave.
    assert {"ConnectionFailedError"} >= set(seen) - set(accepted)
    assert len(accepted) == (TIMES if engine == "asyncio" else TIMES // 2)
