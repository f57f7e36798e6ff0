"""A gateway that counts what it accepted, in a thread that outlives every sender."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from types import TracebackType
from typing import Self


class CountingGateway:
    """Accepts every text after a moment, and counts them by number and text."""

    def __init__(self, latency: float = 0.002) -> None:
        self.texts: Counter[tuple[str, str]] = Counter()
        self._latency = latency
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()))
        self.base_url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._started.set()
        async with server:
            await self._stop.wait()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                # Counted before the answer leaves: a sender killed now has sent it.
                numbers = body["phone_number"].split(",")
                self.texts.update((number, body["message"]) for number in numbers)
                # A second text to somebody has another id.
                times = [self.texts[number, body["message"]] for number in numbers]
                await asyncio.sleep(self._latency)
                field = "message_id" if len(numbers) == 1 else "message_ids"
                ids = ",".join(f"iSms-{n}-{time}" for n, time in zip(numbers, times, strict=True))
                answer = json.dumps({"status": 200, field: ids})
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                    % (len(answer), answer.encode())
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
