"""The gateway of the soak test: speaks as IPROG does, counts deliveries, and misbehaves.

Run as a process of its own: `python -m soak.gateway FOLDER`; it prints its port. When its
standard input is closed, it writes how often each text was delivered to files of the folder,
and prints what happened how often.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio import StreamReader, StreamWriter
from collections import Counter
from pathlib import Path
from typing import Any

from iprog_async.testing import RawRequest, Reply, answer
from soak.books import Lane
from soak.mishaps import CLIENT_TIMEOUT, LIMITED, Deck
from soak.texts import index_of, lane_of


# Seconds after which an account is told to slow down, which stops it for a second.
_FIRST_LIMIT = 1.5
_NEXT_LIMIT = 10.0
# Every such connection is closed before anything is read from it.
_HANG_UP_EVERY = 16


class SoakGateway:
    """Answers over any number of connections; all it keeps is one byte for each text."""

    def __init__(self, seed: int = 1) -> None:
        self.lanes: dict[str, Lane] = {}
        self.happened: Counter[str] = Counter()
        self.strange: list[str] = []
        self.serving: set[asyncio.Task[None]] = set()
        self._deck = Deck(seed)
        self._connections = 0
        self._limit_at: dict[str, float] = {}

    def connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Serve one connection."""
        self._connections += 1
        if self._connections % _HANG_UP_EVERY == 0:
            self.happened["hang up"] += 1
            writer.close()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
            writer.close()
            await writer.wait_closed()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side is gone, which is its right
        finally:
            writer.transport.abort()

    async def _exchange(self, reader: StreamReader, writer: StreamWriter) -> bool:
        """Deal with one request; returns whether the connection stays open."""
        first = await reader.read(1)
        if not first:
            return False
        mishap = self._deck.draw()
        behaviour = mishap.behave(Reply())
        if behaviour.takes != "request":
            self.happened[mishap.name] += 1
            return False
        request = await _read(first, reader)
        body: dict[str, Any] = json.loads(request.body)
        if self._is_limited(body["api_token"]):
            self.happened["429"] += 1
            behaviour = answer(LIMITED)
        else:
            self.happened[mishap.name] += 1
            wires = body["phone_number"].split(",")
            if mishap.delivers:
                # Counted before anything is answered: a sender that is told has sent it.
                self._deliver(body["message"], wires)
            behaviour = mishap.behave(_success(wires))
        return await behaviour.play(request, writer)

    def _is_limited(self, token: str) -> bool:
        now = asyncio.get_running_loop().time()
        if now < self._limit_at.setdefault(token, now + _FIRST_LIMIT):
            return False
        self._limit_at[token] = now + _NEXT_LIMIT
        return True

    def _deliver(self, text: str, wires: list[str]) -> None:
        for wire in wires:
            try:
                name = lane_of(text, wire)
            except ValueError as exc:
                self.strange.append(str(exc))
                continue
            self.lanes.setdefault(name, Lane(name)).deliver(index_of(wire))


def _success(wires: list[str]) -> Reply:
    field = "message_id" if len(wires) == 1 else "message_ids"
    ids = ",".join(f"iSms-{wire}" for wire in wires)
    return Reply.of_json({"status": 200, "message": "queued", field: ids})


async def _read(first: bytes, reader: StreamReader) -> RawRequest:
    head = first + await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    return RawRequest("POST", "/", {}, await reader.readexactly(length))


async def serve(folder: Path) -> None:
    """Serve until standard input is closed, then report."""
    gateway = SoakGateway()
    server = await asyncio.start_server(gateway.connected, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    server.close()
    if gateway.serving:
        # The sender has ended: what it had sent by then is read, late answers are given up.
        await asyncio.wait(gateway.serving, timeout=2 * CLIENT_TIMEOUT)
    for lane in gateway.lanes.values():
        lane.save(folder)
    sys.stdout.write(json.dumps({"happened": gateway.happened, "strange": gateway.strange[:10]}))


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
