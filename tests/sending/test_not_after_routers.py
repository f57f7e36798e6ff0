"""A router gives a text to no gateway that it would reach too late."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from support.core.clock import soon
from support.core.fakes import NUMBER, FakeProvider, Wire
from support.journal.journaling import ACCEPTED, BUSY, PostingProvider, run_over
from support.not_after import DOWN, send
from support.routing.fakes import gateway, limited

from iprog_async import (
    ExpiredError,
    Failover,
    Message,
    NotSent,
    RetryPolicy,
    Routed,
    SmsClient,
)
from iprog_async.adapter import Batching, Gateway


def over(wire: Wire, **settings: Any) -> SmsClient[Any]:
    """Return a client of a failover of two gateways."""
    members = PostingProvider(name="a"), PostingProvider(name="b")
    router = Failover(*members, clock=wire.clock, retry=RetryPolicy(**settings))
    return SmsClient(router, pool=wire.pool)


async def test_a_router_gives_each_gateway_what_time_there_is() -> None:
    """The next one gets a text that is in time; a round that would be too late is not made."""
    in_time, too_late = Wire(BUSY, ACCEPTED), Wire(BUSY)
    sent = await send(over(in_time), not_after=soon(1))
    error = await send(over(too_late, attempts=9, base=1e9, max_wait=1e9), not_after=soon(1))

    assert (None, 2) == (sent, len(in_time.requests))
    assert isinstance(error, ExpiredError)
    assert "no gateway of" in str(error)
    assert 2 == len(too_late.requests)


async def test_a_gateway_that_was_too_slow_is_not_followed_by_another() -> None:
    """What expired on the way to the first gateway is not sent by the second one, either."""

    def fail_late(_: httpx.Request) -> httpx.Response:
        wire.clock.advance(10)
        raise DOWN

    wire = Wire(fail_late)
    error = await send(over(wire), not_after=soon(5))

    assert isinstance(error, ExpiredError)
    assert 1 == len(wire.requests)


class Members:
    """A failover of two gateways, of which the first can't be reached.

    Args:
        seconds: How long that takes to show.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.asked: list[str] = []
        self.wire = Wire(self._answer)
        gateways = [Gateway(name, f"http://{name}.test", ("s3cret",)) for name in ("dead", "good")]
        members = [PostingProvider(name=gateway.name, gateway=gateway) for gateway in gateways]
        retry = RetryPolicy(attempts=1)
        router = Failover(*members, clock=self.wire.clock, retry=retry)
        self.client: SmsClient[Any] = SmsClient(router, pool=self.wire.pool)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.host)
        if request.url.host == "good.test":
            return ACCEPTED
        self.wire.clock.advance(self._seconds)
        raise DOWN


async def test_a_member_that_costs_the_texts_their_time_is_left_alone() -> None:
    """After five of them its breaker is open, and the next text has time for the other one."""
    members = Members(seconds=10)
    async with members.client as client:
        for _ in range(5):
            with pytest.raises(ExpiredError):
                await client.send(NUMBER, "Hi", not_after=soon(5, members.wire.clock))
        receipt = await client.send(NUMBER, "Hi", not_after=soon(5, members.wire.clock))

    assert ("good", ["dead.test"] * 5 + ["good.test"]) == (receipt.provider, members.asked)


async def test_a_text_that_has_time_left_goes_on_to_the_next_member() -> None:
    """A gateway that could not be reached is no reason to drop it."""
    members = Members(seconds=1)
    async with members.client as client:
        receipt = await client.send(NUMBER, "Hi", not_after=soon(5, members.wire.clock))

    assert "good" == receipt.provider


LIMITS = Batching(max_batch=10)
LATE, IN_TIME = "+639170000001", "+639180000001"


def by_network(busy: FakeProvider, free: FakeProvider, wire: Wire) -> SmsClient[Any]:
    """Return a client of a router that gives each network its own gateway."""
    router = Routed(
        lambda number: busy.name if number.startswith("+63917") else free.name,
        busy,
        free,
        clock=wire.clock,
    )
    return SmsClient(router, pool=wire.pool)


@pytest.mark.usefixtures("whole_batches")
@pytest.mark.parametrize("late_first", [True, False])
async def test_what_one_gateway_took_is_not_sent_again_beside_what_expired(
    late_first: bool,
) -> None:
    """Only one of a batch waited for too long; the other, whose end is later, was accepted."""
    wire = Wire()
    free = gateway("free", batching=LIMITS)
    people = [
        Message(LATE, "Hi", not_after=soon(5, wire.clock)),
        Message(IN_TIME, "Hi", not_after=soon(50, wire.clock)),
    ]
    client = by_network(gateway("busy", limited(30), batching=LIMITS), free, wire)
    async with client:
        outcomes = await run_over(client, people if late_first else people[::-1])

    ended = {outcome.message.to: outcome for outcome in outcomes}
    assert ["not_sent", "accepted"] == [ended[each].state for each in (LATE, IN_TIME)]
    assert isinstance(late := ended[LATE], NotSent)
    assert isinstance(late.error, ExpiredError)
    assert [[IN_TIME]] == [[prepared.e164 for prepared in batch] for batch in free.sent]
