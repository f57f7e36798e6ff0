"""Providers that need no gateway, and shorthand for building what the core is fed with."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Self

import httpx
from attrs import field, frozen

from iprog_async import (
    Balance,
    DeliveryState,
    DeliveryStatus,
    HttpPool,
    Message,
    Outcome,
    RejectedError,
    RetryPolicy,
    SmsClient,
)
from iprog_async.adapter import (
    BaseProvider,
    Batching,
    Capabilities,
    PreparedMessage,
    SmsUrl,
    accepted,
    failed,
    to_e164,
    unclear,
)
from iprog_async.testing import InstantClock
from iprog_async_providers.iprog import IprogProvider


NUMBER = "+639171234567"
TOKEN = "1|secret/token+value"
LATER = datetime(2999, 12, 24, 8, 0, tzinfo=UTC)

Sending = Callable[[Sequence[PreparedMessage]], Awaitable[Sequence[Outcome]]]


async def accept(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    """Accept every message."""
    return [accepted(prepared, "fake", message_id=f"id-{prepared.index}") for prepared in batch]


async def lose(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    """Know nothing about any message."""
    return [unclear(prepared, "fake", "no answer") for prepared in batch]


def refusing(**details: object) -> Sending:
    """Return what refuses each batch as a whole, for one reason."""

    async def refuse(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        error = RejectedError("refused", provider="fake", **details)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - healable and blame, as the test gives them
        return [failed(prepared, error) for prepared in batch]

    return refuse


@frozen(kw_only=True, eq=False, slots=False)
class FakeProvider(BaseProvider):
    """Sends nothing anywhere; `send` decides what happens, `sent` keeps the batches."""

    scheme: ClassVar[str] = "fake"
    capabilities: ClassVar[Capabilities] = Capabilities(title="Fake", scheduling="native")

    name: str = field(default="fake")
    limits: Batching = field(factory=Batching)
    send: Sending = accept
    sent: list[Sequence[PreparedMessage]] = field(factory=list[Sequence[PreparedMessage]])

    @property
    def batching(self) -> Batching:
        """What one request may carry."""
        return self.limits

    @classmethod
    def from_url(cls, url: SmsUrl, /) -> Self:
        """Build the provider from a parsed address."""
        return cls(name=url.username)

    def _number(self, number: str) -> tuple[str, str]:
        e164 = to_e164(number, "PH")
        return e164, e164[1:]

    async def _send(self, batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        self.sent.append(batch)
        return await self.send(batch)


@frozen(kw_only=True, eq=False, slots=False)
class TellingProvider(FakeProvider):
    """A provider that tells a status and a balance; the last status is repeated."""

    states: list[DeliveryState] = field(factory=list[DeliveryState])

    async def status(self, message_id: str, /) -> DeliveryStatus:
        """Return the next status."""
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return DeliveryStatus(state, state.upper())

    async def balance(self) -> Balance:
        """Return an empty balance."""
        return Balance(None, text="Unlimited")


def prepared(
    index: int = 0, to: str = NUMBER, text: str = "Hi", **details: object
) -> PreparedMessage:
    """Return a prepared message."""
    message = Message(to, text, **details)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - further fields of a message, as the test gives them
    return FakeProvider().prepare(message, index)


def to_many(count: int, text: str = "Hi") -> list[Message]:
    """Return messages of one text for distinct numbers."""
    return [Message(f"+63917{number:07}", text) for number in range(count)]


def different_texts(count: int) -> list[Message]:
    """Return messages of distinct texts for distinct numbers."""
    return [Message(m.to, f"Hi {n}") for n, m in enumerate(to_many(count))]


Handler = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


def iprog_ok(request: httpx.Request) -> httpx.Response:
    """Answer as IPROG does when it accepts a text."""
    return httpx.Response(200, json={"status": 200, "message_id": "iSms-1", "sms_rate": "1.0"})


class Wire:
    """An httpx client over a mock transport, and the requests it saw."""

    def __init__(self, *replies: httpx.Response | Exception | Handler) -> None:
        self.requests: list[httpx.Request] = []
        self._replies = list(replies)
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self._handle))
        self.clock = InstantClock()
        self.pool = HttpPool(http=self.http, clock=self.clock)

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, httpx.Response):
            return reply
        answer = reply(request)
        return answer if isinstance(answer, httpx.Response) else await answer

    def client(
        self,
        *,
        retry: RetryPolicy | None = None,
        deadline: float | None = None,
        timeout: float = 30.0,
    ) -> SmsClient[IprogProvider]:
        """Return a client of IPROG over this wire."""
        return SmsClient(
            IprogProvider(TOKEN), pool=self.pool, retry=retry, deadline=deadline, timeout=timeout
        )

    def bodies(self) -> list[object]:
        """Return the JSON bodies of the requests."""
        return [json.loads(request.content) for request in self.requests]
