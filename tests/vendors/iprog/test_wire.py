from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

import pytest
import respx
from attrs import field, frozen
from support.iprog.wire import (
    BASE_URL,
    FIVE,
    GLOBE,
    OPERATIONS,
    TOKEN,
    Seen,
    connect,
    only_request,
    receipts,
    send_to_two,
)

from iprog_async import Balance, DeliveryStatus, Receipt
from iprog_async.adapter import Id
from iprog_async_providers.iprog import IprogOptions, Network, OtpCheck, OtpTicket, Reminder


@frozen
class Exchange:
    """One operation: its request without the token, an answer, and the value."""

    operation: str
    method: str
    path: str
    fields: Mapping[str, str] = field(factory=dict[str, str])
    answer: object = None
    value: object = None

    def __str__(self) -> str:
        return self.operation

    def request(self, token_in: str) -> Seen:
        """Return the request with the token where it was asked for."""
        url, token = BASE_URL + self.path, {"api_token": TOKEN}
        headers = {"accept": "application/json"}
        if self.method == "GET":
            return Seen("GET", url, {**token, **self.fields}, None, headers)
        query, body = (token, {}) if token_in == "query" else ({}, token)
        body = {**body, **self.fields}
        if body:
            headers["content-type"] = "application/json"
        return Seen(self.method, url, query, body or None, headers)


_SENT = {
    "status": 200,
    "message": "SMS successfully queued for delivery.",
    "message_id": "iSms-2GfhbG",
    "message_status_link": f"{BASE_URL}/api/v1/sms_messages/status?api_token={TOKEN}",
    "message_status_request_mode": "GET",
    "sms_rate": 1.0,
}
_BULK = {"status": 200, "message": "…", "message_ids": "iSms-a,iSms-b", "sms_rates": "1,2"}
_REMINDER = {
    "status": "success",
    "message": "Message reminder found.",
    "data": {
        "id": 1,
        "phone_number": "639171234567",
        "message": "Internet Bill.",
        "scheduled_at": "2031-03-08T05:00:00.000+08:00",
        "status": "scheduled",
    },
}
_TICKET = {
    "status": "success",
    "message": "OTP sent successfully",
    "data": {
        "otp_code": "978895",
        "otp_code_expires_at": "2031-03-08T05:00:00.000+08:00",
        "otp_code_confirmed": False,
        "phone_number": "639171234567",
        "message": "Your OTP code is 978895.",
    },
}
_LIST = {
    "status": "success",
    "message": "List of your otps",
    "data": [
        {
            "phone_number": "09171074697",
            "otp_code": "359557",
            "expired_at": "March 08, 2031, at 05:00 AM",
        }
    ],
}
_LISTED = [OtpTicket("09171074697", "359557", FIVE)]
_NUMBER = {"phone_number": "639171234567"}
_TEXT = {**_NUMBER, "message": "Internet Bill.", "scheduled_at": "2031-03-08 05:00AM"}
_MESSAGES, _REMINDERS, _OTP = "/api/v1/sms_messages", "/api/v1/message-reminders", "/api/v1/otp"
_STATUS = DeliveryStatus("pending", "scheduled")
_VALUE = Reminder(Id("1"), "639171234567", "Internet Bill.", FIVE, "scheduled")

EXCHANGES = (
    Exchange(
        "send",
        "POST",
        _MESSAGES,
        {**_NUMBER, "message": "Hello."},
        _SENT,
        Receipt("iprog", "iSms-2GfhbG", "639171234567", 1, Decimal("1.0")),
    ),
    Exchange(
        "schedule",
        "POST",
        _REMINDERS,
        _TEXT,
        _REMINDER,
        Receipt("iprog", "reminder:1", "639171234567", 1, status=_STATUS, scheduled=True),
    ),
    Exchange(
        "status",
        "GET",
        f"{_MESSAGES}/status",
        {"message_id": "iSms-2GfhbG"},
        {"status": 200, "message_status": "completed"},
        DeliveryStatus("delivered", "completed"),
    ),
    Exchange("reminder_status", "GET", f"{_REMINDERS}/1", {}, _REMINDER, _STATUS),
    Exchange(
        "balance",
        "GET",
        "/api/v1/account/sms_credits",
        {},
        {"status": "success", "message": "Account found.", "data": {"load_balance": 10}},
        Balance(Decimal(10), "credits", "10 credits"),
    ),
    Exchange("reminders.create", "POST", _REMINDERS, _TEXT, _REMINDER, _VALUE),
    Exchange("reminders.get", "GET", f"{_REMINDERS}/1", {}, _REMINDER, _VALUE),
    Exchange(
        "reminders.update",
        "PATCH",
        f"{_REMINDERS}/1",
        {"scheduled_at": "2031-03-08 05:00AM"},
        _REMINDER,
        _VALUE,
    ),
    Exchange("reminders.delete", "DELETE", f"{_REMINDERS}/1", {}, _REMINDER, None),
    Exchange(
        "otp.send",
        "POST",
        f"{_OTP}/send_otp",
        _NUMBER,
        _TICKET,
        OtpTicket("639171234567", "978895", FIVE, confirmed=False),
    ),
    Exchange(
        "otp.verify",
        "POST",
        f"{_OTP}/verify_otp",
        {**_NUMBER, "otp": "359557"},
        {"status": "success", "message": "OTP verified successfully"},
        OtpCheck(verified=True, message="OTP verified successfully"),
    ),
    Exchange("otp.list", "GET", _OTP, {}, _LIST, _LISTED),
    Exchange("otp.list by POST", "POST", _OTP, {}, _LIST, _LISTED),
    Exchange(
        "detect",
        "POST",
        "/api/v1/phone_numbers/detect",
        _NUMBER,
        {"status": "success", "data": {"network": "Globe/TM", "is_smart_tnt": False}},
        Network("Globe/TM"),
    ),
)


@pytest.mark.parametrize("token_in", ["json", "query"])
@pytest.mark.parametrize("exchange", EXCHANGES, ids=str)
async def test_each_operation_makes_exactly_its_documented_request(
    respx_mock: respx.MockRouter, exchange: Exchange, token_in: str
) -> None:
    """Method, address, fields and headers are the documented ones; the token is where asked."""
    respx_mock.route().respond(json=exchange.answer)

    async with connect(token_in=token_in) as sms:
        value = await OPERATIONS[exchange.operation](sms)

    assert exchange.request(token_in) == Seen.of(only_request(respx_mock))
    assert exchange.value == value


@pytest.mark.usefixtures("whole_batches")
@pytest.mark.parametrize("token_in", ["json", "query"])
async def test_one_text_to_many_joins_the_numbers(
    respx_mock: respx.MockRouter, token_in: str
) -> None:
    """Equal texts travel in one request, and each recipient gets its own id and cost."""
    respx_mock.route().respond(json=_BULK)

    async with connect(token_in=token_in) as sms:
        outcomes = await send_to_two(sms)

    fields = {"phone_number": "639171234567,639181234567", "message": "Hello."}
    exchange = Exchange("send_many", "POST", f"{_MESSAGES}/send_bulk", fields)
    assert exchange.request(token_in) == Seen.of(only_request(respx_mock))
    assert [
        Receipt("iprog", "iSms-a", "639171234567", 1, Decimal(1)),
        Receipt("iprog", "iSms-b", "639181234567", 1, Decimal(2)),
    ] == receipts(outcomes)


@pytest.mark.parametrize(
    ("of_provider", "of_message", "sent"),
    [(None, None, None), (1, None, 1), (None, 2, 2), (1, 0, 0)],
)
async def test_the_route_travels_only_when_it_was_chosen(
    respx_mock: respx.MockRouter,
    of_provider: int | None,
    of_message: Literal[0, 2] | None,
    sent: int | None,
) -> None:
    """`sms_provider` is sent only if the provider or the message sets it; the message wins."""
    respx_mock.route().respond(json=_SENT)

    async with connect(sms_provider=of_provider) as sms:
        await sms.send(GLOBE, "Hello.", options=IprogOptions(of_message))

    body = json.loads(only_request(respx_mock).content)
    assert sent == body.get("sms_provider")


async def test_all_otp_settings_travel(respx_mock: respx.MockRouter) -> None:
    """Template, length and validity are sent under the names the gateway knows."""
    respx_mock.route().respond(json=_TICKET)

    async with connect() as sms:
        await sms.provider.otp.send(
            GLOBE, template="Code :otp", code_length=4, expires_in_minutes=60
        )

    assert json.loads(respx_mock.calls.last.request.content) == {
        "api_token": TOKEN,
        "phone_number": "639171234567",
        "message": "Code :otp",
        "code_length": 4,
        "expires_in_minutes": 60,
    }


async def test_every_field_of_a_reminder_can_change(respx_mock: respx.MockRouter) -> None:
    """An update sends the number, text and time it was given, and nothing else."""
    respx_mock.route().respond(json=_REMINDER)

    async with connect() as sms:
        reminder = await sms.provider.reminders.get("1")
        await sms.provider.reminders.update(
            reminder, to="0918 123 4567", text="New", scheduled_at=FIVE
        )

    assert json.loads(respx_mock.calls.last.request.content) == {
        "api_token": TOKEN,
        "phone_number": "639181234567",
        "message": "New",
        "scheduled_at": "2031-03-08 05:00AM",
    }


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        ("https://sms.iprogtech.com", f"https://sms.iprogtech.com{_MESSAGES}"),
        ("http://127.0.0.1:8025/iprog/", f"http://127.0.0.1:8025/iprog{_MESSAGES}"),
    ],
)
async def test_another_host_takes_the_same_paths(
    respx_mock: respx.MockRouter, base_url: str, address: str
) -> None:
    """`base_url` replaces the host and may hold a path."""
    route = respx_mock.post(address).respond(json=_SENT)

    async with connect(base_url=base_url) as sms:
        await sms.send(GLOBE, "Hello.")

    assert route.call_count == 1


async def test_what_the_answer_links_to_is_never_called_nor_kept(
    respx_mock: respx.MockRouter,
) -> None:
    """The status link of a send holds the token: it appears nowhere and is not followed."""
    respx_mock.route().respond(json=_SENT)

    async with connect() as sms:
        receipt = await sms.send(GLOBE, "Hello.")

    assert respx_mock.calls.call_count == 1
    assert TOKEN not in f"{receipt!r} {receipt.raw!r} {receipt.to_dict()!r}"
    assert "message_id=" not in repr(receipt.raw)
