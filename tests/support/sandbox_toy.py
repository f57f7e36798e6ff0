"""A small gateway for tests of the sandbox, and a way to talk to a server below HTTP."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from iprog_async.sandbox import OutOfCreditError, SandboxGateway, SandboxState, read_fields
from support.waiting import LONG


class _Toy:
    """Takes texts, and remembers words."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state
        self._words: list[str] = []

    async def send(self, request: Request) -> Response:
        fields = await read_fields(request)
        try:
            text = self._state.accept(
                "toy", fields["to"], fields["text"], message_id=self._state.new_id("toy-")
            )
        except OutOfCreditError:
            return JSONResponse({"error": "no credit"})
        return JSONResponse({"status": "ok", "id": text.message_id})

    async def remember(self, request: Request) -> Response:
        self._words.append(request.path_params["word"])
        return JSONResponse(self._words)

    async def stream(self, request: Request) -> Response:
        return StreamingResponse(_parts())

    async def forbidden(self, request: Request) -> Response:
        raise HTTPException(403, headers={"x-why": "because"})

    async def boom(self, request: Request) -> Response:
        raise KeyError("phone_number")

    async def half(self, request: Request) -> Response:
        return StreamingResponse(_broken_parts())


async def _parts() -> AsyncIterator[bytes]:
    yield b"one, "
    yield b"two, three"


async def _broken_parts() -> AsyncIterator[bytes]:
    yield b"one, "
    raise KeyError("two")


def _routes(state: SandboxState) -> Sequence[BaseRoute]:
    toy = _Toy(state)
    return [
        Route("/send", toy.send, methods=["POST"]),
        Route("/words/{word}", toy.remember, methods=["POST"]),
        Route("/stream", toy.stream),
        Route("/forbidden", toy.forbidden),
        Route("/boom", toy.boom, methods=["GET", "POST"]),
        Route("/half", toy.half),
    ]


# Loading the certificates once for each request would take longer than most of the tests.
CONTEXT = ssl.create_default_context()

TOY = SandboxGateway("toy", _routes, "toy://token@?base_url={base_url}")


def fetch(method: str, url: str, *, timeout: float = LONG, **options: Any) -> httpx.Response:
    """Make one request in blocking fashion; the options are those of httpx."""
    return httpx.request(method, url, verify=CONTEXT, timeout=timeout, **options)


def exchange(url: str, sent: bytes, timeout: float = LONG) -> bytes:
    """Send raw bytes to a server, and return all it answers until it closes the connection."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout) as connection:
        connection.sendall(sent)
        received = bytearray()
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except ConnectionResetError:
            pass
    return bytes(received)
