"""Reading a request's body before anyone acts on it, so that nobody acts on half of one."""

from __future__ import annotations

from starlette.types import Message, Receive, Scope


MAX_BODY = 4 * 1024 * 1024
"""Bytes of the largest body that is read; a thousand long texts fit in."""


class TooLargeError(Exception):
    """The body is larger than `MAX_BODY`."""


class GoneError(Exception):
    """The client went away before its request was complete."""


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """Return the whole body.

    Raises:
        TooLargeError: It is too large; not more than the limit was read.
        GoneError: It did not arrive in full.
    """
    if _announced(scope) > MAX_BODY:
        raise TooLargeError
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise GoneError
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise TooLargeError
        more = message.get("more_body", False)
    return bytes(body)


def _announced(scope: Scope) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    # The server has checked that it is a number.
    return int(lengths[0]) if lengths else 0


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body in one piece, and then what comes after it."""
    waiting = [body]

    async def receive_again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return receive_again


async def disconnected(receive: Receive) -> None:
    """Wait until the connection is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
