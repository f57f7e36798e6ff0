from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from support.core.fakes import FakeProvider
from support.routing.fakes import Step, gateway, never, send, texts_of, unreachable

from iprog_async import BreakerPolicy, ConfigurationError, RetryPolicy, RoundRobin
from iprog_async.adapter import Batching
from iprog_async.testing import InstantClock


def turns(*members: FakeProvider) -> dict[str, int]:
    """Return how many texts each gateway was asked to send."""
    return {member.name: sum(texts_of(member)) for member in members}


@pytest.mark.parametrize(
    ("weights", "expected"),
    [(None, [4, 4, 4]), ([1, 1, 2], [3, 3, 6]), ([0.5, 0.25, 0.25], [6, 3, 3])],
)
async def test_texts_are_spread_by_weight(
    weights: Sequence[float] | None, expected: list[int]
) -> None:
    """Each gateway gets its share, to the text."""
    members = [gateway(name) for name in "abc"]
    router = RoundRobin(*members, weights=weights)
    for _ in range(12):
        await send(router)

    assert expected == list(turns(*members).values())


async def test_shares_hold_under_concurrency() -> None:
    """Texts that go out at once are spread like those that go out in turn."""
    members = [gateway(name) for name in "abc"]
    router = RoundRobin(*members, weights=[3, 2, 1])
    await asyncio.gather(*[send(router) for _ in range(60)])

    assert {"a": 30, "b": 20, "c": 10} == turns(*members)


async def test_a_batch_goes_out_whole_and_counts_as_many() -> None:
    """Texts of one request are not torn apart; a large one is made up for by later turns."""
    wide = Batching(max_batch=10)
    a, b = gateway("a", batching=wide), gateway("b", batching=wide)
    router = RoundRobin(a, b)
    numbers = [f"+63917000000{digit}" for digit in range(8)]
    for count in (8, 4, 4, 1, 1):
        await send(router, *numbers[:count])

    assert ([8, 1], [4, 4, 1]) == (texts_of(a), texts_of(b))


async def test_what_one_does_not_take_falls_on_to_the_next() -> None:
    """A gateway that fails passes its texts on in order, as a failover does."""
    members = [gateway("a"), gateway("b", unreachable()), gateway("c")]
    router = RoundRobin(*members, breaker=BreakerPolicy(failures=100))
    for _ in range(9):
        await send(router)

    assert {"a": 3, "b": 3, "c": 6} == turns(*members)


async def test_who_is_out_of_order_has_no_turn() -> None:
    """The share of a gateway that is left alone goes to all others, and not to its neighbour."""
    clock = InstantClock()
    steps: list[Step] = [unreachable(), None]
    members = [gateway("a"), gateway("b", *steps), gateway("c")]
    router = RoundRobin(*members, breaker=BreakerPolicy(failures=1), clock=clock)
    while not members[1].sent:
        await send(router)
    before = turns(*members)
    for _ in range(20):
        await send(router)
    during = turns(*members)
    clock.advance(30)
    for _ in range(30):
        await send(router)

    assert 1 == during["b"]
    assert abs((during["a"] - before["a"]) - (during["c"] - before["c"])) <= 2
    assert abs(turns(*members)["b"] - 1 - 10) <= 2


async def test_each_client_has_turns_of_its_own() -> None:
    """Two clients of one router object do not disturb each other's shares."""
    router = RoundRobin(gateway("a"), gateway("b"))
    first, second = router.bind(never), router.bind(never)
    outcomes = [*await send(first), *await send(second)]

    assert ["a", "a"] == [one.receipt.provider for one in outcomes if one.state == "accepted"]


@pytest.mark.parametrize("weights", [[1], [1, 0], [1, -1], [1, float("nan")], [1, float("inf")]])
def test_weights_that_make_no_sense(weights: Any) -> None:
    """There is one weight above zero for each gateway."""
    with pytest.raises(ConfigurationError, match="round-robin has 2 gateways, so weights="):
        RoundRobin(gateway("a"), gateway("b"), weights=weights)


async def test_all_fail() -> None:
    """With nobody to take it a text is certainly not sent, after all rounds."""
    members = [gateway(name, unreachable()) for name in "ab"]
    router = RoundRobin(*members, retry=RetryPolicy(attempts=2, base=0))
    (outcome,) = await send(router)

    assert ("not_sent", {"a": 2, "b": 2}) == (outcome.state, turns(*members))
