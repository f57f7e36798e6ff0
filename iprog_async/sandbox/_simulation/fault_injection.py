"""Fault injection: what the gateway does, and what the client gets to see of it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from attrs import define, field, frozen
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from iprog_async.sandbox._simulation.bodies import disconnected
from iprog_async.sandbox._simulation.error_pages import page_text
from iprog_async.sandbox._simulation.fault_kinds import EFFECTS
from iprog_async.sandbox._simulation.faults import Fault


TRANSPORT = "iprog_async.transport"
"""Key in the connection's state under which the server keeps its transport."""


@define
class _Reply:
    """An answer that was caught on its way out."""

    start: Message = field(factory=dict[str, Any])
    body: bytearray = field(factory=bytearray)

    async def catch(self, message: Message) -> None:
        """Keep a message instead of sending it."""
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")

    async def send(self, send: Send, length: int) -> None:
        """Send the first bytes of the answer, under the header fields of the whole one."""
        rest = [pair for pair in self.start["headers"] if pair[0].lower() != b"content-length"]
        full = (b"content-length", str(len(self.body)).encode())
        await send({**self.start, "headers": [*rest, full]})
        part = bytes(self.body[:length])
        more = length < len(self.body)
        await send({"type": "http.response.body", "body": part, "more_body": more})


@frozen
class _Client:
    """Shows a fault to the client, over ASGI."""

    fault: Fault
    reply: _Reply
    scope: Scope
    receive: Receive
    send: Send

    async def show_answer(self, status: int | None = None, page: int | None = None) -> None:
        """Show an answer of the fault's own."""
        if status is None:
            status = self.fault.status
        body = self.fault.body
        if body is None:
            body = page_text(status if page is None else page)
        media_type = "application/json" if body.lstrip()[:1] in ("{", "[") else "text/html"
        response = Response(body, status, dict(self.fault.headers), media_type)
        await response(self.scope, self.receive, self.send)

    async def show_reply(self, *, half: bool) -> None:
        """Show what the gateway answered, or the first half of it."""
        length = len(self.reply.body)
        await self.reply.send(self.send, length // 2 if half else length)

    async def hang_up(self, *, flush: bool) -> None:
        """Close the connection under the server, which has no way to end an answer halfway."""
        transport: asyncio.Transport = self.scope["state"][TRANSPORT]
        if flush:
            transport.close()
        else:
            transport.abort()
        # The server complains about an answer that is missing unless it knows of the end.
        await disconnected(self.receive)


async def play(fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Handle a request whose body was read, as the fault wants it."""
    reply = _Reply()
    if fault.accepts:
        await app(scope, receive, reply.catch)
    if fault.delay:
        await _pause(fault.delay, receive)
    await EFFECTS[fault.kind].show(_Client(fault, reply, scope, receive, send))


async def _pause(seconds: float, receive: Receive) -> None:
    """Wait, but not for a client that has gone, nor longer than the server runs."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await disconnected(receive)
