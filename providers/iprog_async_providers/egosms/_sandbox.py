"""EgoSMS's part in the local sandbox; not the vendor's own test environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from iprog_async import count_segments
from iprog_async.adapter import is_array, is_object
from iprog_async.sandbox import (
    OUT_OF_CREDIT,
    REFUSED_RECIPIENT,
    SandboxGateway,
    SandboxState,
    note_refusal,
    read_json,
)


USERNAME = "sandbox-egosms-user"
PASSWORD = "sandbox-egosms-key"  # noqa: S105 - accepted by the sandbox alone
PREFIX = "egosms"
_MOST_TEXTS = 1000
_FIELDS = ("number", "message", "senderid")


class _Desk:
    """Answers requests; the sandbox keeps the texts, and the credit."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def answer(self, request: Request) -> JSONResponse:
        body = await read_json(request)
        if body.get("userdata") != {"username": USERNAME, "password": PASSWORD}:
            return _failed("Wrong Username or Password")
        if body.get("method") == "Balance":
            left = float(self._state.credit_of(PREFIX))
            return JSONResponse({"Status": "OK", "Balance": left})
        if body.get("method") != "SendSms":
            return _failed("Unknown method")
        return self._send(_texts(body.get("msgdata")))

    def _send(self, texts: Sequence[dict[str, str]]) -> JSONResponse:
        if not 1 <= len(texts) <= _MOST_TEXTS:
            return _failed("Wrong JSON Passed")
        if any(text["number"].endswith(REFUSED_RECIPIENT) for text in texts):
            # Nothing is known of how it says so; to the adapter it is unknown.
            return _failed("Invalid phone number")
        cost = sum(count_segments(text["message"]).count for text in texts)
        if self._state.credit_of(PREFIX) < cost:
            note_refusal(OUT_OF_CREDIT)
            return _failed("Money Not Enough To Send This Batch of Msgs")
        code = self._state.new_id("ApiJsonSubmit")
        for text in texts:
            self._state.accept(
                PREFIX,
                text["number"],
                text["message"],
                message_id=code,
                sender_id=text["senderid"],
            )
        return JSONResponse({"Status": "OK", "Cost": cost, "MsgFollowUpUniqueCode": code})


def _texts(listed: object) -> list[dict[str, str]]:
    items = [item for item in listed if is_object(item)] if is_array(listed) else []
    return [{name: _word(item, name) for name in _FIELDS} for item in items]


def _word(item: dict[str, Any], name: str) -> str:
    value: object = item.get(name)
    return value if isinstance(value, str) else ""


def _failed(words: str) -> JSONResponse:
    # With HTTP 200 nothing else tells the page of it.
    note_refusal()
    return JSONResponse({"Status": "Failed", "Message": words})


def _routes(state: SandboxState) -> Sequence[BaseRoute]:
    return [Route("/api/v1/json/", _Desk(state).answer, methods=["POST"])]


GATEWAY = SandboxGateway(PREFIX, _routes, f"egosms://{USERNAME}:{PASSWORD}@?base_url={{base_url}}")
