"""IPROG's sandbox: sending, status, credits and network detection."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.routing import BaseRoute

from iprog_async import DeliveryState, count_segments
from iprog_async_providers.iprog._sandbox.account import (
    PREFIX,
    TOKEN,
    Account,
    Fields,
    refuse,
    required,
    to_mobile,
)


WORDS: dict[DeliveryState, str] = {"delivered": "completed", "failed": "failed"}
# A few prefixes of each network; the gateway's own table is not public.
_NETWORKS = {
    "Globe/TM": ("905", "906", "915", "916", "917", "926", "927", "935", "936", "945", "975"),
    "Smart/TNT": ("907", "908", "909", "910", "912", "918", "919", "920", "921", "928", "998"),
    "DITO": ("895", "896", "897", "898", "991", "992", "993", "994"),
}


class MessageDesk:
    """The endpoints of plain texts, and those that only tell something."""

    def __init__(self, desk: Account) -> None:
        self._desk = desk

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        route = self._desk.route
        messages = "/api/v1/sms_messages"
        return [
            route(messages, ["POST"], self._send, billed=True),
            route(f"{messages}/send_bulk", ["POST"], self._send_bulk, billed=True),
            route(f"{messages}/status", ["GET"], self._status),
            route("/api/v1/account/sms_credits", ["GET"], self._credits),
            route("/api/v1/phone_numbers/detect", ["POST"], self._detect),
        ]

    def _send(self, request: Request, fields: Fields) -> dict[str, Any]:
        number, text = required(fields, "phone_number", "message")
        (sent,) = self._desk.accept([number], text)
        return {
            "status": 200,
            "message": "SMS successfully queued for delivery.",
            "message_id": sent.message_id,
            **_status_link(request, sent.message_id),
            "sms_rate": float(count_segments(text).count),
        }

    def _send_bulk(self, request: Request, fields: Fields) -> dict[str, Any]:
        joined, text = required(fields, "phone_number", "message")
        numbers = [number.strip() for number in joined.split(",")]
        ids = [sent.message_id for sent in self._desk.accept(numbers, text)]
        rate = str(count_segments(text).count)
        return {
            "status": 200,
            "message": "Your bulk SMS messages have been successfully added to the queue and "
            "will be processed shortly.",
            "message_ids": ",".join(ids),
            "sms_rates": ",".join(rate for _ in ids),
            **_status_link(request, ids[0]),
        }

    def _status(self, _: Request, fields: Fields) -> dict[str, Any]:
        state = self._desk.state
        sent = state.find(PREFIX, fields.get("message_id", ""))
        if sent is None:
            refuse("Message not found.")
        word = WORDS.get(sent.state(state.now()), "pending")
        return {
            "status": 200,
            "message_status": word,
            "sms_count": count_segments(sent.text).count,
        }

    def _credits(self, _: Request, __: Fields) -> dict[str, Any]:
        left = float(self._desk.state.credit_of(PREFIX))
        balance = int(left) if left.is_integer() else left
        return {"status": "success", "message": "Account found.", "data": {"load_balance": balance}}

    def _detect(self, _: Request, fields: Fields) -> dict[str, Any]:
        network = _network(fields.get("phone_number", ""))
        data = {"network": network, "is_smart_tnt": network == "Smart/TNT"}
        return {"status": "success", "data": data}


def _status_link(request: Request, message_id: str) -> dict[str, str]:
    """Return a link with the token in it, as the gateway does: a bad habit worth testing."""
    address = f"{request.base_url}api/v1/sms_messages/status"
    return {
        "message_status_link": f"{address}?api_token={TOKEN}&message_id={message_id}",
        "message_status_request_mode": "GET",
    }


def _network(number: str) -> str:
    mobile = to_mobile(number)
    if mobile is None:
        return "Invalid Format"
    prefix = mobile[2:5]
    return next((name for name, own in _NETWORKS.items() if prefix in own), "Unknown Network")
