"""A gateway of a few lines, which posts to an ASGI application without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping, Sequence
from typing import Any

from attrs import field, frozen

from iprog_async.inbound import InboundApp


SECRET = "x7Kq-secret_of-the-path"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
TEXT = {
    "to": "8080",
    "from": "639171234567",
    "content": "STOP",
    "country": "PH",
    "country_name": "Philippines",
}
"""What a server of Ultimate SMS posts."""


@frozen
class Answered:
    """An application's answer."""

    status: int
    headers: dict[str, str]
    body: str


@frozen
class Poster:
    """Posts to one application.

    Args:
        app: The application.
        prefix: Where it is mounted.
    """

    app: InboundApp
    prefix: str = "/sms"
    scopes: list[MutableMapping[str, Any]] = field(factory=list[MutableMapping[str, Any]])

    async def text(self, **fields: object) -> int:
        """Post a text, with some fields in place of the usual ones; return the HTTP status."""
        return (await self.post(json.dumps({**TEXT, **fields}).encode())).status

    async def post(
        self,
        *chunks: bytes,
        method: str = "POST",
        kind: str | None = JSON,
        secret: str = SECRET,
        hangs: str | None = None,
        length: int | None = None,
    ) -> Answered:
        """Make a request.

        Args:
            chunks: The parts of its body.
            method: Its method.
            kind: Its content type.
            secret: The last part of its path.
            hangs: What follows the chunks: `"waits"`, `"gone"`, or its end.
            length: What it says about its length.
        """
        headers = [] if kind is None else [(b"content-type", kind.encode())]
        if length is not None:
            headers.append((b"content-length", str(length).encode()))
        path = f"{self.prefix}/{secret}"
        scope: dict[str, Any] = {"type": "http", "method": method, "headers": headers}
        scope |= {"path": path, "raw_path": path.encode()}
        self.scopes.append(scope)
        sent: list[MutableMapping[str, Any]] = []
        incoming = [*_messages(chunks, more=hangs is not None)]

        async def receive() -> MutableMapping[str, Any]:
            if incoming:
                return incoming.pop(0)
            if hangs == "gone":
                return {"type": "http.disconnect"}
            await asyncio.Event().wait()
            raise AssertionError("nobody sets it")

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        if not sent:
            return Answered(0, {}, "")
        start, body = sent
        fields = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answered(start["status"], fields, body["body"].decode())


def _messages(chunks: Sequence[bytes], *, more: bool) -> Sequence[MutableMapping[str, Any]]:
    parts = chunks or ([] if more else [b""])
    return [
        {"type": "http.request", "body": part, "more_body": more or place < len(parts)}
        for place, part in enumerate(parts, 1)
    ]
