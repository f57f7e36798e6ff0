"""Texts that were accepted, and how far they have come."""

from __future__ import annotations

from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel

from iprog_async import DeliveryState, Receipt
from shop.services import Sms


router = APIRouter(prefix="/texts", tags=["texts"])


class Text(BaseModel):
    """A text that the gateway accepted.

    `ref` is what to ask for its status with; `None` where the gateway gives no ids.
    """

    ref: str | None
    segments: int
    scheduled: bool

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        """Return what callers see of a receipt."""
        ref = receipt.ref
        return cls(ref=ref, segments=receipt.segments, scheduled=receipt.scheduled)


class Delivery(BaseModel):
    """How far a text has come; what is final will not change any more."""

    state: DeliveryState
    final: bool


@router.get("/{ref:path}")
async def delivery(ref: str, sms: Sms) -> Delivery:
    """Ask the gateway how far a text has come."""
    status = await sms.status(ref)
    return Delivery(state=status.state, final=status.final)
