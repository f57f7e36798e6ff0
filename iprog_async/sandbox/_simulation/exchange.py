"""The request that a text came with, and what its sender got back; kept raw, masked when shown."""

from __future__ import annotations

from collections import OrderedDict
from contextvars import ContextVar
from typing import TYPE_CHECKING

from attrs import define, field

from iprog_async.sandbox._simulation.fault_kinds import FaultKind


if TYPE_CHECKING:
    from starlette.types import Message, Scope, Send


Headers = list[tuple[bytes, bytes]]

MAX_KEPT = 32 * 1024 * 1024
"""Bytes of all requests that are kept; older ones are forgotten first."""
MAX_ANSWER = 256 * 1024
"""Bytes of the longest answer that is kept."""
# Bytes that Python's objects take up besides what is in them, roughly.
_OVERHEAD = 1000
_FIELD_OVERHEAD = 130


@define(eq=False)
class Exchange:
    """One request to a gateway and its answer, as they travelled.

    Args:
        method: Method of the request.
        path: Its path.
        query: Its query, still encoded.
        headers: Its header fields.
        body: Its body; `None` once it was forgotten.
        status: HTTP status that the client was sent; `None` if none was.
        answer_headers: Header fields that it was sent.
        answer: Body that it was sent, perhaps not all of it.
        fault: Kind of the fault that it met.
        reason: Why the gateway refused it, where that is known.
        ended: Whether nothing more will be sent.
        kept: Whether a text came with it.
    """

    method: str
    path: str
    query: bytes
    headers: Headers = field(repr=False)
    body: bytes | None = field(repr=False)
    status: int | None = None
    answer_headers: Headers = field(factory=list[tuple[bytes, bytes]], repr=False)
    answer: bytearray = field(factory=bytearray, repr=False)
    fault: FaultKind | None = None
    reason: str | None = None
    ended: bool = False
    kept: bool = False

    @classmethod
    def of(cls, scope: Scope, body: bytes) -> Exchange:
        """Return the exchange that a request begins."""
        path, query, headers = scope["path"], scope["query_string"], scope["headers"]
        return cls(scope["method"], path, query, list(headers), body)

    @property
    def size(self) -> int:
        """Bytes that it takes up by now, roughly."""
        fields = _size_of(self.headers) + _size_of(self.answer_headers)
        return _OVERHEAD + len(self.query) + len(self.body or b"") + len(self.answer) + fields

    def watch(self, send: Send) -> Send:
        """Return a `send` that keeps what the client is sent."""

        async def watched(message: Message) -> None:
            await send(message)
            self._note(message)

        return watched

    def _note(self, message: Message) -> None:
        # An answer may be late for a request that was forgotten.
        if self.body is None:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.answer_headers = list(message["headers"])
        else:
            self.answer += message.get("body", b"")[: MAX_ANSWER - len(self.answer)]

    def forget(self) -> None:
        """Keep the outline alone."""
        self.body, self.query = None, b""
        self.headers, self.answer_headers = [], []
        self.answer = bytearray()


current: ContextVar[Exchange | None] = ContextVar("current", default=None)
"""The exchange that this task handles."""


def _size_of(headers: Headers) -> int:
    return sum(_FIELD_OVERHEAD + len(name) + len(value) for name, value in headers)


@define
class LruStore:
    """The exchanges that led to texts, as many as there is room for."""

    limit: int = MAX_KEPT
    size: int = field(default=0, init=False)
    """Bytes of all that are kept."""
    _kept: OrderedDict[Exchange, int] = field(
        factory=OrderedDict[Exchange, int], init=False, repr=False
    )

    def keep(self, exchange: Exchange) -> None:
        """Keep an exchange; the texts of one request share theirs."""
        if exchange.body is None or exchange in self._kept:
            return
        exchange.kept = True
        self._kept[exchange] = 0
        self.weigh(exchange)

    def weigh(self, exchange: Exchange) -> None:
        """Note how large an exchange has become; older ones make room for it."""
        if exchange not in self._kept:
            return
        self.size += exchange.size - self._kept[exchange]
        self._kept[exchange] = exchange.size
        while self.size > self.limit and len(self._kept) > 1:
            oldest, size = self._kept.popitem(last=False)
            oldest.forget()
            self.size -= size

    def clear(self) -> None:
        """Forget them all."""
        self._kept.clear()
        self.size = 0
