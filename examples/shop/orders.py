"""Orders, each confirmed by one text however often the request is repeated."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, Field

from shop.services import Sms
from shop.texts import Text


router = APIRouter(prefix="/orders", tags=["orders"])

OrderId = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,40}$")]


class Order(BaseModel):
    """An order; the caller makes the id, and repeats the request with it if in doubt."""

    id: OrderId
    phone: str
    item: str = Field(min_length=1, max_length=60)


class Reminder(BaseModel):
    """When to remind somebody of fetching an order."""

    phone: str
    at: AwareDatetime


@router.post("", status_code=201)
async def place(order: Order, sms: Sms) -> Text:
    """Take an order and text its confirmation.

    A second request with the same id gets the first one's answer, and texts nobody: the
    journal knows the pair of key and number.
    """
    text = f"Thank you! {order.item} (order {order.id}) leaves today."
    return Text.of(await sms.send(order.phone, text, key=f"order-{order.id}"))


@router.put("/{order_id}/reminder", status_code=201)
async def remind(order_id: Annotated[OrderId, Path()], reminder: Reminder, sms: Sms) -> Text:
    """Have a text sent later, by the gateway: it goes out even if this app is down then."""
    text = f"Order {order_id} waits for you at the counter."
    receipt = await sms.send(
        reminder.phone, text, schedule_at=reminder.at, key=f"reminder-{order_id}"
    )
    return Text.of(receipt)
