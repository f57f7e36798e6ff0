"""Gateways that follow a script, for routers that need no network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx

from iprog_async import (
    Balance,
    BreakerPolicy,
    ConnectionFailedError,
    HttpPool,
    InsufficientCreditError,
    Message,
    Outcome,
    OutcomeUnknownError,
    RateLimitError,
    RejectedError,
    RetryPolicy,
    SmsClient,
    SmsError,
    SmsProvider,
)
from iprog_async._routing.circuit_breaker import Breaker
from iprog_async.adapter import Batching, PreparedMessage, accepted, failed
from iprog_async.testing import InstantClock
from support.core.fakes import NUMBER, FakeProvider, TellingProvider


Sending = Callable[[Sequence[PreparedMessage]], Awaitable[Sequence[Outcome]]]
Step = SmsError | Sending | None
"""One request's end: an error for all of it, a function, or `None` for accepted."""

ONE_ROUND = RetryPolicy(attempts=1)
EMPTY = InsufficientCreditError("empty", provider="a")


def unreachable() -> ConnectionFailedError:
    """Return the error of a gateway that is not there."""
    return ConnectionFailedError("connection refused")


def lost(provider: str = "fake") -> OutcomeUnknownError:
    """Return the error of a send without an answer."""
    return OutcomeUnknownError("no answer", provider=provider, reason="no answer")


def limited(seconds: float | None = None) -> RateLimitError:
    """Return the error of a gateway that asks to slow down."""
    return RateLimitError("slow down", provider="fake", retry_after=seconds)


def refused(**details: Any) -> RejectedError:
    """Return a certain refusal."""
    return RejectedError("refused", provider="fake", **details)


def _script(name: str, steps: Sequence[Step]) -> Sending:
    left = list(steps)

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        step = (left.pop(0) if len(left) > 1 else left[0]) if left else None
        if step is None:
            return [accepted(one, name, message_id=f"{name}-{one.index}") for one in batch]
        if isinstance(step, SmsError):
            return [failed(one, step) for one in batch]
        return await step(batch)

    return send


def gateway(name: str, *steps: Step, batching: Batching | None = None) -> FakeProvider:
    """Return a provider that ends one request after the other as told; the last is repeated."""
    return FakeProvider(name=name, send=_script(name, steps), limits=batching or Batching())


async def never(call: object) -> Any:
    """Be bound to: fakes make no calls."""
    raise AssertionError(call)


def teller(name: str, state: Any = "delivered", amount: int | SmsError = 1) -> TellingProvider:
    """Return a provider that tells a status, and a balance or an error."""

    class Teller(TellingProvider):
        async def balance(self) -> Balance:
            if isinstance(amount, SmsError):
                raise amount
            return Balance(None, text=f"{amount} left")

    return Teller(name=name, states=[state], send=_script(name, ()))


def texts_of(provider: FakeProvider) -> list[int]:
    """Return how many texts each request to a provider carried."""
    return [len(batch) for batch in provider.sent]


def told(outcome: Outcome) -> tuple[str, str]:
    """Return the state, and who accepted or what went wrong."""
    if outcome.state == "accepted":
        return outcome.state, outcome.receipt.provider
    return outcome.state, type(outcome.error).__name__


async def send(router: SmsProvider, *numbers: str, text: str = "Hi") -> Sequence[Outcome]:
    """Prepare one text for some numbers, and submit it in one batch."""
    prepared = [
        router.prepare(Message(number, text), index)
        for index, number in enumerate(numbers or (NUMBER,))
    ]
    return await router.submit(prepared)


def client(router: SmsProvider, **settings: Any) -> SmsClient[Any]:
    """Return a client that makes no request by itself."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(never))
    return SmsClient(router, pool=HttpPool(http=http, clock=InstantClock()), **settings)


def breaker(failures: int = 3, cooldown: float = 30.0) -> tuple[Breaker, InstantClock]:
    """Return a breaker, and the clock that it goes by."""
    clock = InstantClock()
    return Breaker(BreakerPolicy(failures=failures, cooldown=cooldown), clock), clock
