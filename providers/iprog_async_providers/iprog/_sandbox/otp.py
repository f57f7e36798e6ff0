"""IPROG's sandbox: one-time passwords that can be verified once and expire."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from attrs import define, field
from starlette.requests import Request
from starlette.routing import BaseRoute

from iprog_async_providers.iprog._sandbox.account import Account, Fields, refuse, to_mobile
from iprog_async_providers.iprog._times import MANILA


_TEMPLATE = (
    "Your OTP code is :otp. It is valid for {minutes} minutes. Do not share this code with anyone."
)


@define
class _Code:
    phone_number: str
    code: str = field(repr=False)
    expires_at: datetime
    confirmed: bool = False


class OtpDesk:
    """The endpoints of one-time passwords."""

    def __init__(self, desk: Account) -> None:
        self._desk = desk
        self._codes: list[_Code] = []

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        route = self._desk.route
        return [
            route("/api/v1/otp/send_otp", ["POST"], self._send, billed=True),
            route("/api/v1/otp/verify_otp", ["POST"], self._verify),
            route("/api/v1/otp", ["GET", "POST"], self._list),
        ]

    def _send(self, _: Request, fields: Fields) -> dict[str, Any]:
        number = fields.get("phone_number", "")
        length = _whole(fields.get("code_length", "6"), 4, 10)
        minutes = _whole(fields.get("expires_in_minutes", "5"), 1, 60)
        code = "".join(secrets.choice("0123456789") for _ in range(length))
        template = fields.get("message") or _TEMPLATE.format(minutes=minutes)
        text = template.replace(":otp", code)
        (sent,) = self._desk.accept([number], text)
        made = _Code(number, code, sent.accepted_at + timedelta(minutes=minutes))
        self._codes.append(made)
        return {
            "status": "success",
            "message": "OTP sent successfully",
            "data": {
                "otp_code": code,
                "otp_code_expires_at": made.expires_at.astimezone(MANILA).isoformat(
                    timespec="milliseconds"
                ),
                "otp_code_confirmed": False,
                "phone_number": number,
                "message": text,
            },
        }

    def _verify(self, _: Request, fields: Fields) -> dict[str, Any]:
        to, typed = to_mobile(fields.get("phone_number", "")), fields.get("otp", "")
        made = next(
            (
                code
                for code in self._codes
                if to_mobile(code.phone_number) == to and code.code == typed and not code.confirmed
            ),
            None,
        )
        if made is None:
            refuse("Invalid OTP.", status="error")
        if made.expires_at <= self._desk.state.now():
            refuse("OTP has expired.", status="error")
        made.confirmed = True
        return {"status": "success", "message": "OTP verified successfully"}

    def _list(self, _: Request, __: Fields) -> dict[str, Any]:
        data = [
            {
                "phone_number": code.phone_number,
                "otp_code": code.code,
                "expired_at": f"{code.expires_at.astimezone(MANILA):%B %d, %Y, at %I:%M %p}",
            }
            for code in self._codes
        ]
        return {"status": "success", "message": "List of your otps", "data": data}


def _whole(text: str, least: int, most: int) -> int:
    value = int(text) if text.isdecimal() and len(text) < 4 else 0
    if not least <= value <= most:
        refuse("OTP settings are invalid.", status="error")
    return value
