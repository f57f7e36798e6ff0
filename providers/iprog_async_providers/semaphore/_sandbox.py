"""Semaphore's part in the local sandbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from iprog_async import count_segments
from iprog_async.sandbox import (
    OUT_OF_CREDIT,
    REFUSED_RECIPIENT,
    InboxText,
    SandboxGateway,
    SandboxState,
    note_refusal,
    read_fields,
)


API_KEY = "sandbox-semaphore-key"
PREFIX = "semaphore"
BAD_SENDER = "UNKNOWN"
"""A sender name that is not registered."""


class _Desk:
    """Answers requests; the sandbox keeps the texts, and the credit."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def send(self, request: Request) -> JSONResponse:
        fields = await read_fields(request)
        numbers = [part for part in fields.get("number", "").split(",") if part]
        text, sender = fields.get("message", ""), fields.get("sendername", "")
        if refusal := _refusal(fields):
            return refusal
        if sender == BAD_SENDER:
            return _invalid("sendername", "The selected sendername is invalid.")
        if not numbers or any(number.endswith(REFUSED_RECIPIENT) for number in numbers):
            return _invalid("number", "The number format is invalid.")
        cost = count_segments(text).count * len(numbers)
        left = self._state.credit_of(PREFIX)
        if left < cost:
            note_refusal(OUT_OF_CREDIT)
            words = f"Your current balance of {left} credits is not sufficient. "
            # So it was recorded: with HTTP 500.
            return JSONResponse([f"{words}This transaction requires {cost} credits."], 500)
        sent = [
            self._state.accept(
                PREFIX, number, text, message_id=self._state.new_id(), sender_id=sender
            )
            for number in numbers
        ]
        return JSONResponse([self._told(each) for each in sent])

    async def account(self, request: Request) -> JSONResponse:
        if refusal := _refusal(await read_fields(request)):
            return refusal
        left = float(self._state.credit_of(PREFIX))
        return JSONResponse(
            {"account_id": 1, "account_name": "Sandbox", "status": "Active", "credit_balance": left}
        )

    def _told(self, text: InboxText) -> dict[str, Any]:
        return {
            "message_id": text.message_id,
            "recipient": text.to,
            "message": text.text,
            "sender_name": text.sender_id or "SEMAPHORE",
            "network": "Globe",
            "status": "Pending",
            "type": "Single",
            "source": "Api",
        }


def _refusal(fields: Mapping[str, str]) -> JSONResponse | None:
    if fields.get("apikey") == API_KEY:
        return None
    return _invalid("apikey", "The selected apikey is invalid.")


def _invalid(name: str, words: str) -> JSONResponse:
    # With HTTP 200 nothing else tells the page of it.
    note_refusal()
    return JSONResponse({name: [words]})


def _routes(state: SandboxState) -> Sequence[BaseRoute]:
    desk = _Desk(state)
    return [
        Route("/api/v4/messages", desk.send, methods=["POST"]),
        Route("/api/v4/account", desk.account),
    ]


GATEWAY = SandboxGateway(PREFIX, _routes, f"semaphore://{API_KEY}@?base_url={{base_url}}")
