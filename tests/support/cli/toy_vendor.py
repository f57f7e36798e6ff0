"""Somebody's own providers with operations of their own, whole and half."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from attrs import frozen

from iprog_async.adapter import Capabilities
from support.contract.toy import ToyProvider


@frozen
class Ticket:
    """Somebody's own class, with the shape of a ticket."""

    phone_number: str
    code: str = "471147"
    expires_at: datetime | None = None
    confirmed: bool = False


@frozen
class Check:
    """Somebody's own class, with the shape of a check."""

    verified: bool
    message: str = ""


class Codes:
    """Somebody's own one-time passwords, which need no network."""

    async def send(
        self,
        to: str,
        *,
        template: str | None = None,
        code_length: int | None = None,
        expires_in_minutes: int | None = None,
    ) -> Ticket:
        """Send a code."""
        return Ticket(to)

    async def verify(self, to: str, code: str) -> Check:
        """Check a code."""
        return Check(code == Ticket(to).code)

    async def list(self) -> Sequence[Ticket]:
        """List nothing."""
        return ()


class HalfACode:
    """What has the name of such operations, and not all of them."""

    async def send(self, to: str) -> None:
        """Send something else."""


@frozen(eq=False, slots=False)
class CodesProvider(ToyProvider):
    """A provider with one-time passwords of its own."""

    capabilities: ClassVar[Capabilities] = Capabilities(
        title="Codes", operations=("otp",), timezone="Asia/Tokyo"
    )

    @property
    def otp(self) -> Codes:
        """One-time passwords."""
        return Codes()


@frozen(eq=False, slots=False)
class HalfProvider(ToyProvider):
    """A provider whose operations have another shape."""

    @property
    def otp(self) -> HalfACode:
        """Something else."""
        return HalfACode()
