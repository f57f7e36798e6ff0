"""Reading what a gateway posted, from an ASGI server, within limits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from attrs import frozen

from iprog_async._core.json_types import is_deep, is_object


Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class RefusedRequestError(Exception):
    """The request is answered with an error.

    Args:
        status: Its HTTP status.
        words: What whoever posts is told.
        headers: Further header fields.
    """

    def __init__(self, status: int, words: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.headers = headers


class GoneError(Exception):
    """Whoever posted went away before the body was complete."""


@frozen
class Limits:
    """How much of a request is read.

    Args:
        max_body: Bytes of the largest body.
        read_timeout: Seconds in which it has to be there.
    """

    max_body: int
    read_timeout: float


async def read_fields(scope: Scope, receive: Receive, limits: Limits) -> Mapping[str, object]:
    """Return the fields of a request's body: those of its JSON object or of its form.

    Raises:
        RefusedRequestError: It is no such request, too large, or too slow.
        GoneError: It did not arrive in full.
    """
    if scope["method"] != "POST":
        raise RefusedRequestError(405, "post incoming texts here", (b"allow", b"POST"))
    parse = _PARSERS.get(_header(scope, b"content-type").partition(";")[0].strip().lower())
    if parse is None:
        raise RefusedRequestError(415, f"the body is one of {', '.join(_PARSERS)}")
    body = await _read_body(scope, receive, limits)
    try:
        return parse(body)
    except (ValueError, RecursionError):
        raise RefusedRequestError(400, "the body can't be read") from None


async def _read_body(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    announced = _header(scope, b"content-length")
    if announced.isdecimal() and int(announced[:20]) > limits.max_body:
        raise _too_large(limits)
    try:
        async with asyncio.timeout(limits.read_timeout):
            return await _stream(receive, limits)
    except TimeoutError:
        raise RefusedRequestError(408, "the body took too long", _CLOSE) from None


async def _stream(receive: Receive, limits: Limits) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise GoneError
        body += message.get("body", b"")
        if len(body) > limits.max_body:
            raise _too_large(limits)
        if not message.get("more_body", False):
            return bytes(body)


_CLOSE = (b"connection", b"close")
"""What is left of the body is not waited for."""


def _too_large(limits: Limits) -> RefusedRequestError:
    return RefusedRequestError(413, f"{limits.max_body} bytes are the most", _CLOSE)


def _header(scope: Scope, name: bytes) -> str:
    found = (value for key, value in scope["headers"] if key.lower() == name)
    return bytes(next(found, b"")).decode("latin-1")


def _from_json(body: bytes) -> Mapping[str, object]:
    data: object = json.loads(body)
    if not is_object(data) or is_deep(data):
        raise ValueError("no object")
    return data


def _from_form(body: bytes) -> Mapping[str, object]:
    return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100))


_PARSERS: Mapping[str, Callable[[bytes], Mapping[str, object]]] = {
    "application/json": _from_json,
    "application/x-www-form-urlencoded": _from_form,
}
