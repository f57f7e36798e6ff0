"""The messages of chunks, one chunk after another, as the source of a run that goes on and on."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Mapping
from datetime import datetime

from iprog_async._core.messages import Message
from iprog_async.fleet._chunks import Chunk


class Feed:
    """An async iterable of messages; more chunks can be added while it is read."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Chunk | None] = asyncio.Queue()
        self._firsts: list[int] = []
        self._chunks: list[Chunk] = []
        self._next_index = 0

    def add(self, chunk: Chunk) -> None:
        """Let the messages of a chunk follow."""
        self._waiting.put_nowait(chunk)

    def end(self) -> None:
        """Let nothing more follow."""
        self._waiting.put_nowait(None)

    def chunk_of(self, index: int) -> Chunk:
        """Return the chunk that a message of the run is of, by its index."""
        return self._chunks[bisect_right(self._firsts, index) - 1]

    def waiting_chunks(self, times: Mapping[int, datetime]) -> dict[Chunk, datetime]:
        """Return the chunks of which nothing can be sent before some time, with that time.

        Args:
            times: Until when messages wait, by their index.
        """
        waiting: dict[Chunk, list[datetime]] = {}
        for index, time in times.items():
            waiting.setdefault(self.chunk_of(index), []).append(time)
        return {chunk: min(own) for chunk, own in waiting.items() if len(own) == chunk.left}

    def forget(self, chunk: Chunk) -> None:
        """Let go of a chunk that has all its outcomes."""
        if chunk in self._chunks:
            place = self._chunks.index(chunk)
            del self._chunks[place], self._firsts[place]

    async def __aiter__(self) -> AsyncIterator[Message]:
        """Iterate over the messages, until the end was said."""
        while (chunk := await self._waiting.get()) is not None:
            self._firsts.append(self._next_index)
            self._chunks.append(chunk)
            self._next_index += chunk.size
            for message in chunk.messages():
                yield message
