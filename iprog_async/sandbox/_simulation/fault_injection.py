"""Fault injection: what the gateway does, and what the client gets to see of it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from attrs import define, field
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from iprog_async.sandbox._simulation.bodies import disconnected
from iprog_async.sandbox._simulation.error_pages import page_text
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


async def play(fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Handle a request whose body was read, as the fault wants it."""
    reply = _Reply()
    if fault.accepts:
        await app(scope, receive, reply.catch)
    if fault.delay:
        await _pause(fault.delay, receive)
    if fault.kind in ("drop_before", "drop_after"):
        await _hang_up(scope, receive, flush=False)
    elif fault.kind == "truncate":
        await reply.send(send, len(reply.body) // 2)
        await _hang_up(scope, receive, flush=True)
    elif fault.kind == "delay":
        await reply.send(send, len(reply.body))
    else:
        await _answer(fault)(scope, receive, send)


async def _pause(seconds: float, receive: Receive) -> None:
    """Wait, but not for a client that has gone, nor longer than the server runs."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await disconnected(receive)


async def _hang_up(scope: Scope, receive: Receive, *, flush: bool) -> None:
    """Close the connection under the server, which has no way to end an answer halfway."""
    transport: asyncio.Transport = scope["state"][TRANSPORT]
    if flush:
        transport.close()
    else:
        transport.abort()
    # The server complains about an answer that is missing unless it knows of the end.
    await disconnected(receive)


def _answer(fault: Fault) -> Response:
    status = 200 if fault.kind == "garbage" else fault.status
    # A proxy's page inside an HTTP 200 is the garbage that is met most.
    body = page_text(502 if fault.kind == "garbage" else status)
    if fault.body is not None:
        body = fault.body
    media_type = "application/json" if body.lstrip()[:1] in ("{", "[") else "text/html"
    return Response(body, status, dict(fault.headers), media_type)
