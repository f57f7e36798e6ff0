"""A phone with SMSGate, in the local sandbox."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from iprog_async.adapter import is_array, is_object
from iprog_async.sandbox import (
    OUT_OF_CREDIT,
    REFUSED_RECIPIENT,
    InboxText,
    OutOfCreditError,
    SandboxGateway,
    SandboxState,
    note_refusal,
    read_json,
)


USERNAME = "sandbox-phone"
PASSWORD = "sandbox-phone-password"  # noqa: S105 - accepted by the sandbox alone
PREFIX = "smsgate"
_BASIC = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
_WORDS = {"pending": "Pending", "sent": "Sent", "delivered": "Delivered", "failed": "Failed"}


class _Phone:
    """Answers requests; the sandbox keeps the texts."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def send(self, request: Request) -> JSONResponse:
        body = await read_json(request)
        content: object = body.get("textMessage")
        numbers: object = body.get("phoneNumbers")
        text = content.get("text") if is_object(content) else None
        if request.headers.get("authorization") != _BASIC:
            return _error(401, "Unauthorized")
        if not isinstance(text, str) or not text:
            return _error(400, "Text message is empty")
        if not is_array(numbers) or len(numbers) != 1 or not isinstance(numbers[0], str):
            return _error(400, "phoneNumbers is empty")
        if numbers[0].endswith(REFUSED_RECIPIENT):
            return _error(400, "invalid phone number")
        try:
            sent = self._state.accept(
                PREFIX, numbers[0], text, message_id=self._state.new_id("phone-")
            )
        except OutOfCreditError:
            # A phone can't know; its network does, and the text fails later.
            note_refusal(OUT_OF_CREDIT)
            return _error(500, "failed to handle request")
        return JSONResponse(self._told(sent), 202)

    async def show(self, request: Request) -> JSONResponse:
        if request.headers.get("authorization") != _BASIC:
            return _error(401, "Unauthorized")
        text = self._state.find(PREFIX, request.path_params["message_id"])
        if text is None:
            return _error(404, "message not found")
        return JSONResponse(self._told(text))

    def _told(self, text: InboxText) -> dict[str, Any]:
        word = _WORDS[text.state(self._state.now())]
        return {
            "id": text.message_id,
            "state": word,
            "recipients": [{"phoneNumber": text.to, "state": word}],
            "isHashed": False,
            "isEncrypted": False,
        }


def _error(status: int, words: str) -> JSONResponse:
    return JSONResponse({"message": words}, status)


def _routes(state: SandboxState) -> Sequence[BaseRoute]:
    phone = _Phone(state)
    return [
        Route("/messages", phone.send, methods=["POST"]),
        Route("/messages/{message_id}", phone.show),
    ]


GATEWAY = SandboxGateway(PREFIX, _routes, f"smsgate://{USERNAME}:{PASSWORD}@?base_url={{base_url}}")
