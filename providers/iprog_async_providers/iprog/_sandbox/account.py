"""What all of IPROG's endpoints in the sandbox share: the token, the checks, the billing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from iprog_async import count_segments
from iprog_async.sandbox import (
    OUT_OF_CREDIT,
    REFUSED_RECIPIENT,
    InboxText,
    SandboxState,
    note_refusal,
    read_fields,
)


TOKEN = "sandbox-iprog-token"  # noqa: S105 - accepted by the sandbox alone
PHISHING_WORDS = "verify your account"
"""A text with these words is refused in the second of the content filter's two shapes."""
PREFIX = "iprog"

_NO_TOKEN_OR_CREDIT = "Invalid api token or no load balance"  # noqa: S105 - the gateway's words
_MOBILE = re.compile(r"(?:\+?63|0)?(9\d{9})", re.ASCII)

Fields = dict[str, str]
Handler = Callable[[Request, Fields], dict[str, Any]]


class RefusedError(Exception):
    """The endpoint answers with an error envelope."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(body)
        self.body = body


def refuse(message: object, *, status: object = 500, **more: object) -> NoReturn:
    """Answer with an error envelope."""
    raise RefusedError({"status": status, "message": message, **more})


class Account:
    """Checks what every endpoint checks, and takes texts in.

    Args:
        state: What the sandbox remembers.
    """

    def __init__(self, state: SandboxState) -> None:
        self.state = state

    def route(
        self, path: str, methods: Sequence[str], handler: Handler, *, billed: bool = False
    ) -> Route:
        """Return a route; endpoints that are billed have other words for a wrong token."""

        async def endpoint(request: Request) -> JSONResponse:
            fields = await read_fields(request)
            try:
                if fields.get("api_token") != TOKEN:
                    refuse(_NO_TOKEN_OR_CREDIT if billed else "Invalid Token")
                return JSONResponse(handler(request, fields))
            except RefusedError as refused:
                note_refusal()
                return JSONResponse(refused.body)

        return Route(path, endpoint, methods=list(methods))

    def accept(
        self, numbers: Sequence[str], text: str, due_at: datetime | None = None, id_: str = "iSms-"
    ) -> list[InboxText]:
        """Check and charge a text for each number, all of them or none."""
        for number in numbers:
            check_recipient(number)
        self.check_content(text)
        cost = count_segments(text).count * len(numbers)
        if self.state.credit_of(PREFIX) < Decimal(cost):
            note_refusal(OUT_OF_CREDIT)
            refuse(_NO_TOKEN_OR_CREDIT)
        return [
            self.state.accept(
                PREFIX, number, text, message_id=self.state.new_id(id_), due_at=due_at
            )
            for number in numbers
        ]

    def check_content(self, text: str) -> None:
        """Refuse unwanted words, in the two shapes of the gateway's content filter."""
        if self.state.blocks(PREFIX, text):
            refuse(["Your input contains inappropriate language."])
        if PHISHING_WORDS in text.lower():
            errors = ["Message looks suspicious (phishing detected)."]
            data = {"passed": False, "errors": errors}
            refuse("Message failed validation", status="error", data=data)


def required(fields: Fields, *names: str) -> list[str]:
    """Return the values of fields that must be there."""
    values = [fields.get(name, "").strip() for name in names]
    if not all(values):
        refuse("API Token, phone number and message are required.")
    return values


def to_mobile(number: str) -> str | None:
    """Return a number as `639171234567`, or `None` if it is no mobile number."""
    match = _MOBILE.fullmatch(number.strip())
    return f"63{match[1]}" if match else None


def check_recipient(number: str) -> None:
    """Refuse what is no number, and the numbers that the sandbox refuses on demand."""
    if to_mobile(number) is None:
        refuse(["Phone number is invalid."])
    if number.endswith(REFUSED_RECIPIENT):
        refuse("Smart/TNT does not accept the shared sender name.")
