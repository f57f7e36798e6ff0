"""A gateway that misbehaves at random, and counts whom it really texted.

Run as a process of its own: `python soak_gateway.py SEED FAULTS_PER_THOUSAND`. It prints its port
and serves until standard input is closed. People are numbered: 0917 and seven digits.
`GET /ledger` returns one byte a person, how often that person was texted, and the header
`X-Faults` tells how often each fault came.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import struct
import sys
from collections import Counter
from collections.abc import Callable
from socket import SO_LINGER, SOL_SOCKET, socket
from typing import cast


PEOPLE = 10_000_000
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_OK = b"200 OK"
_HTML = b"<!doctype html><h1>Something went wrong</h1>"
_REFUSAL = b'{"status":500,"message":["Not sent: Smart/TNT needs a shared sender name"]}'


class Ledger:
    """How often each person was texted, and each fault came."""

    def __init__(self) -> None:
        self.texted = bytearray(PEOPLE)
        self.highest = 0
        self.faults: Counter[str] = Counter()

    def add(self, people: list[int]) -> None:
        """Count one text for each."""
        for person in people:
            self.texted[person] = min(self.texted[person] + 1, 255)
            self.highest = max(self.highest, person + 1)


class Misbehaving(asyncio.Protocol):
    """One connection."""

    def __init__(self, ledger: Ledger, fate: random.Random, faults: float) -> None:
        self._ledger = ledger
        self._fate = fate
        self._faults = faults
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer the request once it is complete; clients of ours send one at a time."""
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or len(body) < (int(length[1]) if length else 0):
            return
        self._buffer = b""
        if head.startswith(b"GET /ledger "):
            faults = f"\r\nX-Faults: {json.dumps(self._ledger.faults)}"
            texted = bytes(self._ledger.texted[: self._ledger.highest])
            self._write(_message(_OK + faults.encode(), texted))
            return
        people = [int(number[-7:]) for number in json.loads(body)["phone_number"].split(",")]
        if self._fate.random() * 1000 < self._faults:
            name = self._fate.choices(list(FAULTS), WEIGHTS)[0]
            self._ledger.faults[name] += 1
            FAULTS[name](self, people)
        else:
            self._accept(people)

    def _accept(self, people: list[int]) -> None:
        self._ledger.add(people)
        self._write(_accepted(people))

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _reset(self) -> None:
        if self._transport is not None:
            connection = cast("socket", self._transport.get_extra_info("socket"))
            connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()

    def _slow(self, people: list[int]) -> None:
        self._ledger.add(people)
        answer = _accepted(people)
        asyncio.get_running_loop().call_later(0.1, self._write, answer)

    def _silent(self, people: list[int]) -> None:
        self._ledger.add(people)

    def _unavailable(self, people: list[int]) -> None:
        self._write(_message(b"503 Service Unavailable", _HTML))

    def _unavailable_after_accepting(self, people: list[int]) -> None:
        self._ledger.add(people)
        self._unavailable(people)

    def _drop(self, people: list[int]) -> None:
        self._close()

    def _drop_after_accepting(self, people: list[int]) -> None:
        self._ledger.add(people)
        self._close()

    def _reset_after_accepting(self, people: list[int]) -> None:
        self._ledger.add(people)
        self._reset()

    def _too_many(self, people: list[int]) -> None:
        self._write(_message(b"429 Too Many Requests\r\nRetry-After: 0.2", b""))

    def _garbage(self, people: list[int]) -> None:
        self._ledger.add(people)
        self._write(_message(_OK, _HTML))

    def _broken_http(self, people: list[int]) -> None:
        self._ledger.add(people)
        self._write(b"\x00\xffHTTP/9.9 nonsense\r\n\r\n")
        self._close()

    def _half(self, people: list[int]) -> None:
        self._ledger.add(people)
        answer = _accepted(people)
        self._write(answer[:-10])
        self._close()

    def _refuse(self, people: list[int]) -> None:
        self._write(_message(_OK, _REFUSAL))


FAULTS: dict[str, Callable[[Misbehaving, list[int]], None]] = {
    "slow": Misbehaving._slow,
    "silent": Misbehaving._silent,
    "503": Misbehaving._unavailable,
    "503 after accepting": Misbehaving._unavailable_after_accepting,
    "drop": Misbehaving._drop,
    "drop after accepting": Misbehaving._drop_after_accepting,
    "reset after accepting": Misbehaving._reset_after_accepting,
    "429": Misbehaving._too_many,
    "garbage": Misbehaving._garbage,
    "broken HTTP": Misbehaving._broken_http,
    "half an answer": Misbehaving._half,
    "refusal": Misbehaving._refuse,
}
# These two hold up many others: were they common, nothing else would happen.
WEIGHTS = [1 if name in {"429", "silent"} else 10 for name in FAULTS]


def _message(start: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (start, len(body), body)


def _accepted(people: list[int]) -> bytes:
    field = "message_id" if len(people) == 1 else "message_ids"
    ids = ",".join(f"iSms-{person}" for person in people)
    return _message(_OK, json.dumps({"status": 200, field: ids}).encode())


async def serve(seed: int, faults: float) -> None:
    """Listen on loopback and print the port, until standard input is closed."""
    ledger, fate = Ledger(), random.Random(seed)  # noqa: S311 - fates, not secrets
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Misbehaving(ledger, fate, faults), "127.0.0.1", 0, backlog=1024
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
