"""Logging in with a code by text, which the gateway makes, sends and checks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, SecretStr

from iprog_async import UnsupportedError
from iprog_async_providers import IprogProvider
from shop.services import Sms


router = APIRouter(prefix="/login", tags=["login"])


def get_iprog(sms: Sms) -> IprogProvider:
    """Return IPROG's adapter, which alone has one-time passwords.

    Raises:
        UnsupportedError: The environment names another gateway.
    """
    provider: object = sms.provider
    if not isinstance(provider, IprogProvider):
        raise UnsupportedError("logging in by text takes IPROG's one-time passwords")
    return provider


Iprog = Annotated[IprogProvider, Depends(get_iprog)]


class Phone(BaseModel):
    """Who wants to log in."""

    phone: str


class Attempt(BaseModel):
    """A code as somebody typed it; `SecretStr` keeps it out of logs and tracebacks."""

    phone: str
    code: SecretStr


class CodeSent(BaseModel):
    """Until when the code is valid: never the code, which the gateway tells us too."""

    expires_at: datetime | None


@router.post("/code", status_code=202)
async def send_code(who: Phone, iprog: Iprog) -> CodeSent:
    """Have a code texted. It is billed: limit how often a caller may ask before you go live."""
    ticket = await iprog.otp.send(
        who.phone, template="Your code for the shop is :otp", expires_in_minutes=5
    )
    return CodeSent(expires_at=ticket.expires_at)


@router.post("", status_code=204)
async def log_in(attempt: Attempt, iprog: Iprog) -> None:
    """Check a code; a session would begin here."""
    if not await iprog.otp.verify(attempt.phone, attempt.code.get_secret_value()):
        raise HTTPException(401, "The code is wrong, used or too old.")
