"""IPROG in memory: it counts the texts that reach phones, and misbehaves as told."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import Literal

import httpx

from iprog_async import HttpPool, Journal, Message, Outcome, RetryPolicy, RunHaltedError, SmsClient
from iprog_async.testing import InstantClock
from iprog_async_providers.iprog import IprogProvider


TOKEN = "1|journal/secret+value"

Fate = Literal["accept", "lose", "swallow", "unreachable", "refuse", "later", "broke", "limit"]
"""What becomes of one request: accepted; accepted without an answer; neither; never arrived;
refused for good; refused for now; refused because the account is empty; told to slow down."""

_REFUSALS = {
    "refuse": "The message contains inappropriate language",
    "later": "Recipient is on smart/tnt: shared sender name",
    "broke": "Invalid api token or no load balance",
}


class FakeGateway:
    """Plays a script of fates, one for each request; the last one is repeated.

    Attributes:
        texts: How often each number was sent each text.
        requests: How many requests arrived.
        on_request: Called for each request before its fate.
    """

    def __init__(self, *script: Fate) -> None:
        self.texts: Counter[tuple[str, str]] = Counter()
        self.requests = 0
        self.on_request: Callable[[], Awaitable[None]] | None = None
        self._script: deque[Fate] = deque(script or ("accept",))

    def play(self, *script: Fate) -> None:
        """Go on with another script."""
        self._script = deque(script)

    def client(
        self, journal: Journal | None = None, *, attempts: int = 1
    ) -> SmsClient[IprogProvider]:
        """Return a client that speaks to this gateway."""
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._handle))
        return SmsClient(
            IprogProvider(TOKEN),
            pool=HttpPool(http=http, clock=InstantClock()),
            retry=RetryPolicy(attempts=attempts, base=0, max_pause=60),
            journal=journal,
        )

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        fate = self._script.popleft() if len(self._script) > 1 else self._script[0]
        if fate == "unreachable":
            raise httpx.ConnectError("refused")
        self.requests += 1
        if self.on_request is not None:
            await self.on_request()
        if fate == "limit":
            return httpx.Response(429, headers={"Retry-After": "2"}, json={"message": "slow"})
        if fate in _REFUSALS:
            return httpx.Response(200, json={"status": 500, "message": _REFUSALS[fate]})
        body = json.loads(request.content)
        numbers = body["phone_number"].split(",")
        if fate != "swallow":
            self.texts.update((f"+{number}", body["message"]) for number in numbers)
        if fate != "accept":
            raise httpx.ReadTimeout("no answer")
        ids = [f"id-{number}" for number in numbers]
        if len(ids) == 1:
            return httpx.Response(200, json={"status": 200, "message_id": ids[0]})
        return httpx.Response(200, json={"status": 200, "message_ids": ",".join(ids)})


async def send_all(
    client: SmsClient[IprogProvider], messages: list[Message], journal: Journal | str
) -> list[Outcome]:
    """Send messages one after the other; return their outcomes in order of the messages."""
    outcomes: list[Outcome] = []
    run = client.send_many(messages, journal=journal, concurrency=1, halt_after_unknown=1000)
    async with run:
        try:
            async for outcome in run:
                outcomes.append(outcome)
        except RunHaltedError:
            pass
    return sorted(outcomes, key=lambda outcome: outcome.index)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so; the caller's own time-out is the test's."""
    while not condition():  # noqa: ASYNC110 - the condition is in a file or another task
        await asyncio.sleep(0.001)
