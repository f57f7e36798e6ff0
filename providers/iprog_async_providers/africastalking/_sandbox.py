"""Africa's Talking's part in the local sandbox; not its own test environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from iprog_async import count_segments
from iprog_async.sandbox import (
    OUT_OF_CREDIT,
    REFUSED_RECIPIENT,
    OutOfCreditError,
    SandboxGateway,
    SandboxState,
    note_refusal,
    read_fields,
)


USERNAME = "sandbox-at-user"
API_KEY = "sandbox-at-key"
PREFIX = "africastalking"
BAD_SENDER = "UNKNOWN"
"""A sender ID that is not registered."""


class _Desk:
    """Answers requests; the sandbox keeps the texts, and the credit."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def send(self, request: Request) -> Response:
        fields = await read_fields(request)
        if not _knows(request, fields):
            return _unknown()
        if fields.get("from") == BAD_SENDER:
            return _sent("InvalidSenderId", [])
        numbers = [part for part in fields.get("to", "").split(",") if part]
        text, sender = fields.get("message", ""), fields.get("from", "")
        found = [self._recipient(number, text, sender) for number in numbers]
        taken = sum(each["statusCode"] == 101 for each in found)
        return _sent(f"Sent to {taken}/{len(found)} Total Cost: KES {taken}.0000", found)

    def _recipient(self, number: str, text: str, sender: str) -> dict[str, Any]:
        if number.endswith(REFUSED_RECIPIENT):
            return _refused(number, 403, "InvalidPhoneNumber")
        try:
            sent = self._state.accept(
                PREFIX, number, text, message_id=self._state.new_id("ATXid_"), sender_id=sender
            )
        except OutOfCreditError:
            note_refusal(OUT_OF_CREDIT)
            return _refused(number, 405, "InsufficientBalance")
        return {
            "statusCode": 101,
            "number": number,
            "status": "Success",
            "cost": f"KES {count_segments(text).count}.0000",
            "messageId": sent.message_id,
            "messageParts": count_segments(text).count,
        }

    async def user(self, request: Request) -> Response:
        if not _knows(request, await read_fields(request)):
            return _unknown()
        return JSONResponse({"UserData": {"balance": f"KES {self._state.credit_of(PREFIX)}"}})


def _knows(request: Request, fields: dict[str, str]) -> bool:
    return request.headers.get("apikey") == API_KEY and fields.get("username") == USERNAME


def _unknown() -> Response:
    return PlainTextResponse("The supplied authentication is invalid", 401)


def _sent(message: str, recipients: Sequence[dict[str, Any]]) -> Response:
    return JSONResponse({"SMSMessageData": {"Message": message, "Recipients": recipients}}, 201)


def _refused(number: str, code: int, status: str) -> dict[str, Any]:
    return {
        "statusCode": code,
        "number": number,
        "status": status,
        "cost": "0",
        "messageId": "None",
    }


def _routes(state: SandboxState) -> Sequence[BaseRoute]:
    desk = _Desk(state)
    return [
        Route("/version1/messaging", desk.send, methods=["POST"]),
        Route("/version1/user", desk.user),
    ]


GATEWAY = SandboxGateway(
    PREFIX, _routes, f"africastalking://{USERNAME}:{API_KEY}@?base_url={{base_url}}"
)
