"""Logging in with a code by text, through whichever gateway the environment names."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, SecretStr

from shop.services import LoginCodes


router = APIRouter(prefix="/login", tags=["login"])


class Phone(BaseModel):
    """Who wants to log in."""

    phone: str


class Attempt(BaseModel):
    """A code as somebody typed it; `SecretStr` keeps it out of logs and tracebacks."""

    phone: str
    code: SecretStr


class CodeSent(BaseModel):
    """Whether the code was sent for certain, and until when it is valid; never the code."""

    text: Literal["accepted", "unknown"]
    expires_at: datetime


@router.post("/code", status_code=202)
async def send_code(who: Phone, codes: LoginCodes) -> CodeSent:
    """Have a code texted; somebody who asks again within a minute is told when to."""
    sent = await codes.send(who.phone)
    # A code of which nobody knows whether it was sent lets in all the same: look at the phone.
    text: Literal["accepted", "unknown"] = "accepted" if sent.unknown is None else "unknown"
    return CodeSent(text=text, expires_at=sent.expires_at)


@router.post("", status_code=204)
async def log_in(attempt: Attempt, codes: LoginCodes) -> None:
    """Check a code; a session would begin here."""
    if not await codes.verify(attempt.phone, attempt.code.get_secret_value()):
        raise HTTPException(401, "The code is wrong, used or too old.")
