"""IPROG's operations by name, and requests as the gateway saw them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import respx
from attrs import frozen

from iprog_async import Accepted, Message, Outcome, Receipt, RetryPolicy, RunHaltedError, SmsClient
from iprog_async_providers.iprog import IprogProvider


TOKEN = "tok-3141592653"
BASE_URL = "https://www.iprogsms.com"
GLOBE, SMART = "0917 123 4567", "0918 123 4567"
# 05:00 in Manila.
FIVE = datetime(2031, 3, 7, 21, 0, tzinfo=UTC)

Client = SmsClient[IprogProvider]
Run = Callable[[Client], Awaitable[Any]]


# Tries again as usual, without waiting in between.
EAGER = RetryPolicy(base=0, default_pause=0)


def connect(retry: RetryPolicy | None = None, **settings: Any) -> Client:
    """Return a client of IPROG that tries once, unless a policy says otherwise."""
    return SmsClient(IprogProvider(TOKEN, **settings), retry=retry or RetryPolicy.off())


async def send_to_two(sms: Client) -> list[Outcome]:
    """Send one text to two numbers, in one request; outcomes in order, of a halted run too."""
    outcomes: list[Outcome] = []
    async with sms.send_many([Message(GLOBE, "Hello."), Message(SMART, "Hello.")]) as run:
        with suppress(RunHaltedError):
            async for outcome in run:
                outcomes.append(outcome)
    return sorted(outcomes, key=lambda outcome: outcome.index)


def receipts(outcomes: list[Outcome]) -> list[Receipt]:
    """Return the receipts of outcomes that are all accepted."""
    return [outcome.receipt for outcome in outcomes if isinstance(outcome, Accepted)]


OPERATIONS: Mapping[str, Run] = {
    "send": lambda sms: sms.send(GLOBE, "Hello."),
    "send_many": send_to_two,
    "schedule": lambda sms: sms.send(GLOBE, "Internet Bill.", schedule_at=FIVE),
    "status": lambda sms: sms.status("iprog:iSms-2GfhbG"),
    "reminder_status": lambda sms: sms.status("iprog:reminder:1"),
    "balance": lambda sms: sms.balance(),
    "reminders.create": lambda sms: sms.provider.reminders.create(GLOBE, "Internet Bill.", FIVE),
    "reminders.get": lambda sms: sms.provider.reminders.get("1"),
    "reminders.update": lambda sms: sms.provider.reminders.update("1", scheduled_at=FIVE),
    "reminders.delete": lambda sms: sms.provider.reminders.delete("reminder:1"),
    "otp.send": lambda sms: sms.provider.otp.send(GLOBE),
    "otp.verify": lambda sms: sms.provider.otp.verify(GLOBE, " 359557 "),
    "otp.list": lambda sms: sms.provider.otp.list(),
    "otp.list by POST": lambda sms: sms.provider.otp.list(method="POST"),
    "detect": lambda sms: sms.provider.detect(GLOBE),
}


@frozen
class Seen:
    """A request as the gateway saw it."""

    method: str
    url: str
    query: Mapping[str, str]
    body: object
    headers: Mapping[str, str]

    @classmethod
    def of(cls, request: httpx.Request) -> Seen:
        """Take a request apart; what every HTTP library adds by itself is left out."""
        own = ("host", "content-length", "connection", "accept-encoding", "user-agent")
        return cls(
            request.method,
            str(request.url.copy_with(query=None)),
            dict(request.url.params),
            json.loads(request.content) if request.content else None,
            {name: value for name, value in request.headers.items() if name not in own},
        )


def only_request(router: respx.MockRouter) -> httpx.Request:
    """Return the one request that was made."""
    assert router.calls.call_count == 1
    return router.calls.last.request
