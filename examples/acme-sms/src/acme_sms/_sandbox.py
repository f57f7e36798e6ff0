"""Acme's part in the local sandbox: the same wire from the other side."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from iprog_async.sandbox import (
    REFUSED_RECIPIENT,
    OutOfCreditError,
    SandboxGateway,
    SandboxState,
    read_fields,
)


KEY = "acme-sandbox-key"
PREFIX = "acme"


class _Desk:
    """Answers requests; the sandbox keeps the texts, and the credit."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def send(self, request: Request) -> JSONResponse:
        fields = await read_fields(request)
        to, text = fields.get("to", ""), fields.get("text", "")
        if not _is_ours(request):
            return _refusal(401, "Unknown key")
        if not to.isdecimal() or to.endswith(REFUSED_RECIPIENT):
            return _refusal(422, "Invalid number")
        if not text or self._state.blocks(PREFIX, text):
            return _refusal(422, "Text not allowed")
        try:
            sent = self._state.accept(
                PREFIX,
                to,
                text,
                message_id=self._state.new_id(),
                sender_id=fields.get("from", ""),
            )
        except OutOfCreditError:
            return _refusal(402, "Out of credit")
        return JSONResponse({"id": sent.message_id})

    async def show(self, request: Request) -> JSONResponse:
        text = self._state.find(PREFIX, request.path_params["message_id"])
        if not _is_ours(request):
            return _refusal(401, "Unknown key")
        if text is None:
            return _refusal(404, "No such text")
        state = text.state(self._state.now())
        return JSONResponse({"id": text.message_id, "state": _WORDS.get(state, state)})

    async def credit(self, request: Request) -> JSONResponse:
        if not _is_ours(request):
            return _refusal(401, "Unknown key")
        left = str(self._state.credit_of(PREFIX))
        return JSONResponse({"credit": left, "currency": "PHP"})


_WORDS = {"pending": "queued"}


def _is_ours(request: Request) -> bool:
    return request.headers.get("x-key") == KEY


def _refusal(status: int, words: str) -> JSONResponse:
    return JSONResponse({"error": words}, status)


def _routes(state: SandboxState) -> Sequence[BaseRoute]:
    desk = _Desk(state)
    return [
        Route("/texts", desk.send, methods=["POST"]),
        Route("/texts/{message_id}", desk.show),
        Route("/credit", desk.credit),
    ]


GATEWAY = SandboxGateway(
    PREFIX, _routes, f"acme://{KEY}@?base_url={{base_url}}", has_content_filter=True
)
