"""UGSMS's part in the local sandbox: both APIs over one account."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from iprog_async import count_segments
from iprog_async.adapter import is_array, is_object
from iprog_async.sandbox import (
    OUT_OF_CREDIT,
    REFUSED_RECIPIENT,
    OutOfCreditError,
    SandboxGateway,
    SandboxState,
    note_refusal,
    read_fields,
    read_json,
)
from iprog_async_providers.ugsms._sandbox.account import (
    API_KEY,
    PASSWORD,
    USERNAME,
    RequestCounter,
    SandboxKeys,
    is_account,
)


PREFIX = "ugsms"
RATE_LIMIT = 60
_NUMBER = re.compile(r"(?:0|\+?256)\d{9}|\+?[1-9]\d{8,14}", re.ASCII)
_KEY_MISSING = {
    "error": "API key is required",
    "help": "Provide X-API-Key header or api_key parameter",
}
_UNAUTHORIZED = {"error": "Unauthorized."}
_BAD_NUMBER = "Invalid phone number format."
_NO_CREDIT = "Insufficient balance"

Fields = Mapping[str, str]
Handler = Callable[[Request, Fields], Awaitable[JSONResponse]]


class SandboxUgsms:
    """The account and the routes of one sandbox.

    Args:
        state: What the sandbox remembers.
        limit: Requests that each credential may make in a minute.
    """

    def __init__(self, state: SandboxState, limit: int = RATE_LIMIT) -> None:
        self._state = state
        self._keys = SandboxKeys()
        self._counter = RequestCounter(limit)

    def routes(self) -> list[BaseRoute]:
        """Return the routes, without the prefix."""
        return [
            self._route("/v1/sms/send", self._send_v1, "GET", "POST"),
            self._route("/api/v2/sms/send", self._send_v2, "GET", "POST"),
            self._route("/api/v2/sms/send/bulk", self._send_bulk, "POST"),
            self._route("/api/v2/account/balance", self._balance, "GET"),
            self._route("/api/generate-key", self._generate, "POST"),
            self._route("/api/regenerate-key", self._regenerate, "POST"),
            self._route("/api/revoke-key", self._revoke, "POST"),
        ]

    def _route(self, path: str, handler: Handler, *methods: str) -> Route:
        async def endpoint(request: Request) -> JSONResponse:
            fields = await read_fields(request)
            who = _api_key(request, fields) or fields.get("username", "")
            left, seconds = self._counter.hit(who, self._state.now())
            # A request that is refused for its credentials counts as well.
            if left < 0:
                response = JSONResponse({"message": "Too Many Attempts."}, 429)
                response.headers["retry-after"] = str(seconds)
            else:
                response = await handler(request, fields)
            response.headers["x-ratelimit-limit"] = str(self._counter.limit)
            response.headers["x-ratelimit-remaining"] = str(max(left, 0))
            return response

        return Route(path, endpoint, methods=list(methods))

    async def _send_v1(self, request: Request, fields: Fields) -> JSONResponse:
        return self._no_account(fields) or self._send(fields)

    async def _send_v2(self, request: Request, fields: Fields) -> JSONResponse:
        return self._no_key(request, fields) or self._send(fields)

    def _send(self, fields: Fields) -> JSONResponse:
        """Send one text to many, or refuse all of them because of one."""
        text = fields.get("message_body", "")
        numbers = [part.strip() for part in fields.get("numbers", "").split(",") if part.strip()]
        missing = [name for name in ("numbers", "message_body") if not fields.get(name)]
        if missing or not numbers:
            return _invalid(*(missing or ["numbers"]))
        if any(_is_refused(number) for number in numbers):
            return JSONResponse({"error": _BAD_NUMBER}, 400)
        cost = count_segments(text).count * len(numbers)
        if self._state.credit_of(PREFIX) < cost:
            note_refusal(OUT_OF_CREDIT)
            return JSONResponse({"error": _NO_CREDIT}, 400)
        message_id = str(uuid.uuid4())
        for number in numbers:
            self._accept(number, text, fields.get("sender_id", ""), message_id)
        data = {
            "message_id": message_id,
            "recipients": len(numbers),
            "estimated_cost": float(cost),
            "remaining_balance": float(self._state.credit_of(PREFIX)),
        }
        return _success("Message sent successfully", data)

    async def _send_bulk(self, request: Request, fields: Fields) -> JSONResponse:
        """Send different texts; each message is accepted or refused by itself."""
        refusal = self._no_key(request, fields)
        messages: object = (await read_json(request)).get("messages")
        if refusal is not None:
            return refusal
        if not is_array(messages) or not messages:
            return _invalid("messages")
        taken: list[dict[str, Any]] = []
        refused: list[dict[str, Any]] = []
        for index, message in enumerate(messages):
            given: dict[str, Any] = message if is_object(message) else {}
            number, text = str(given.get("number", "")), str(given.get("message_body", ""))
            error = self._send_one(number, text, fields.get("sender_id", ""))
            place = {"index": index, "number": number}
            if error:
                refused.append({**place, "error": error})
            else:
                taken.append({**place, "number_of_messages": count_segments(text).count})
        data = {
            "summary": {"total": len(messages), "successful": len(taken), "failed": len(refused)},
            "successful_messages": taken,
            "failed_messages": refused or None,
        }
        return _success("Bulk messages processed", data, success=not refused)

    def _send_one(self, number: str, text: str, sender_id: str) -> str:
        """Send one message of a bulk request; return why it is refused, or nothing."""
        if _is_refused(number):
            return _BAD_NUMBER
        if not text:
            return "The message body field is required."
        try:
            self._accept(number, text, sender_id, str(uuid.uuid4()))
        except OutOfCreditError:
            return _NO_CREDIT
        return ""

    async def _balance(self, request: Request, fields: Fields) -> JSONResponse:
        left = float(self._state.credit_of(PREFIX))
        return self._no_key(request, fields) or _success(
            "Balance retrieved successfully", {"balance": left, "currency": "UGX"}
        )

    async def _generate(self, request: Request, fields: Fields) -> JSONResponse:
        return self._no_credentials(request, fields) or self._new_key(fields)

    async def _regenerate(self, request: Request, fields: Fields) -> JSONResponse:
        refusal = self._no_credentials(request, fields)
        if refusal is not None:
            return refusal
        return self._new_key(fields, replaces=_api_key(request, fields))

    async def _revoke(self, request: Request, fields: Fields) -> JSONResponse:
        refusal = self._no_credentials(request, fields)
        if refusal is not None:
            return refusal
        self._keys.drop(_api_key(request, fields))
        return _success("API key revoked successfully", None)

    def _new_key(self, fields: Fields, replaces: str | None = None) -> JSONResponse:
        days = fields.get("expiry_days", "")
        if days and not (days.isdecimal() and 1 <= int(days) <= 365):
            return _invalid("expiry_days")
        if replaces is not None:
            self._keys.drop(replaces)
        key = self._state.new_id("ugsms_")
        expires_at = self._state.now() + timedelta(days=int(days)) if days else None
        self._keys.add(key, expires_at)
        data = {"api_key": key, "expires_at": expires_at.isoformat() if expires_at else None}
        return _success("API key generated successfully", data)

    def _accept(self, number: str, text: str, sender_id: str, message_id: str) -> None:
        self._state.accept(PREFIX, number, text, message_id=message_id, sender_id=sender_id)

    def _no_key(self, request: Request, fields: Fields) -> JSONResponse | None:
        key = _api_key(request, fields)
        if not key:
            return JSONResponse(_KEY_MISSING, 401)
        if not self._keys.accepts(key, self._state.now()):
            return JSONResponse(_UNAUTHORIZED, 401)
        return None

    def _no_account(self, fields: Fields) -> JSONResponse | None:
        return None if is_account(fields) else JSONResponse(_UNAUTHORIZED, 401)

    def _no_credentials(self, request: Request, fields: Fields) -> JSONResponse | None:
        """Refuse a call about keys, which takes either kind of credentials (INFER)."""
        return None if is_account(fields) else self._no_key(request, fields)


def _api_key(request: Request, fields: Fields) -> str:
    return request.headers.get("x-api-key") or fields.get("api_key", "")


def _is_refused(number: str) -> bool:
    return not _NUMBER.fullmatch(number) or number.endswith(REFUSED_RECIPIENT)


def _success(message: str, data: object, *, success: bool = True) -> JSONResponse:
    return JSONResponse({"success": success, "message": message, "data": data})


def _invalid(*names: str) -> JSONResponse:
    """Answer as Laravel's validator does (INFER)."""
    errors = {name: [f"The {name.replace('_', ' ')} field is invalid."] for name in names}
    return JSONResponse({"message": "The given data was invalid.", "errors": errors}, 422)


def _routes(state: SandboxState) -> Sequence[BaseRoute]:
    return SandboxUgsms(state).routes()


# Both share the prefix and the function, and so the routes, the account and its credit.
GATEWAY_V1 = SandboxGateway(
    PREFIX, _routes, f"ugsms-v1://{USERNAME}:{PASSWORD}@?base_url={{base_url}}"
)
GATEWAY_V2 = SandboxGateway(PREFIX, _routes, f"ugsms-v2://{API_KEY}@?base_url={{base_url}}")
