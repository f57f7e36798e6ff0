from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from support.core.misbehaving import CLOSED, Unseen
from support.routing.fakes import client, gateway, send, texts_of, unreachable

from iprog_async import (
    BreakerPolicy,
    ConfigurationError,
    Failover,
    InsufficientCreditError,
    Message,
    NotSent,
    RetryPolicy,
    Routed,
)
from iprog_async.adapter import Batching


GLOBE, SMART, DITO = "+639170000001", "+639180000001", "+639910000001"


def by_network(number: str) -> str | Sequence[str]:
    """Choose by the prefix of a Philippine mobile network."""
    return {"+63917": "globe", "+63918": ("smart", "globe")}.get(number[:6], "other")


async def test_each_number_goes_where_the_function_says() -> None:
    """A batch is separated by number, and each part goes to its own gateway."""
    wide = Batching(max_batch=10)
    globe, smart = (gateway(name, batching=wide) for name in ("globe", "smart"))
    router = Routed(by_network, globe, smart)
    outcomes = await send(router, GLOBE, SMART, "+639170000002")

    assert ["globe", "smart", "globe"] == [
        outcome.receipt.provider for outcome in outcomes if outcome.state == "accepted"
    ]
    assert ([2], [1]) == (texts_of(globe), texts_of(smart))


async def test_the_order_of_names_is_the_order_of_preference() -> None:
    """A number with several names fails over among them, and to no other gateway."""
    globe, smart = gateway("globe"), gateway("smart", unreachable())
    extra = gateway("extra")
    router = Routed(by_network, extra, globe, smart, retry=RetryPolicy(attempts=2, base=0))
    (first,) = await send(router, SMART)

    assert "accepted" == first.state
    assert (1, 1, 0) == (len(smart.sent), len(globe.sent), len(extra.sent))


async def test_a_name_is_asked_once_a_round() -> None:
    """A name given twice counts once."""
    a = gateway("a", unreachable())
    router = Routed(lambda _: ["a", "a"], a, retry=RetryPolicy(attempts=1))
    await send(router)

    assert 1 == len(a.sent)


def fail(number: str) -> str:
    """Be broken."""
    raise KeyError(number)


def _raise(error: BaseException, _: str) -> str:
    raise error


WITHOUT: list[tuple[Callable[[str], Any], str]] = [
    (by_network, r"for \+639910000001 choose named 'other'; its gateways are globe, smart"),
    (fail, r"choose failed with KeyError\('\+639910000001'\)"),
    (lambda _: (), "choose named nobody"),
    (lambda _: None, "choose failed with TypeError"),
    (lambda _: [["globe"]], "choose failed with TypeError"),
    (lambda _: [CLOSED], "choose failed with _UnboundError"),
    (lambda _: [Unseen()], "choose named <support.*Unseen object"),
    (partial(_raise, LookupError(Unseen())), "choose failed with <LookupError object"),
    (partial(_raise, asyncio.CancelledError()), "choose failed with CancelledError"),
]


@pytest.mark.parametrize(("choose", "words"), WITHOUT)
def test_a_number_without_a_gateway_is_not_sent(choose: Any, words: str) -> None:
    """What the function does not settle ends before any network, for this message alone."""
    router = Routed(choose, gateway("globe"), gateway("smart"))
    with pytest.raises(ConfigurationError, match=words) as caught:
        router.prepare(Message(DITO, "Hi"))

    assert (caught.value.healable, caught.value.blame) == (False, "message")


async def test_a_function_that_changes_its_mind_sends_nothing() -> None:
    """A name that is unknown only when the text is sent is not sent either; others are."""
    answers = iter(["globe", "globe", "other", "globe"])
    globe = gateway("globe", batching=Batching(max_batch=10))
    outcomes = await send(Routed(lambda _: next(answers), globe), GLOBE, SMART)

    assert isinstance(outcomes[0], NotSent)
    assert isinstance(outcomes[0].error, ConfigurationError)
    assert ("accepted", [1]) == (outcomes[1].state, texts_of(globe))


async def test_a_run_goes_on_past_numbers_without_a_gateway() -> None:
    """In bulk, such numbers are outcomes of their own and halt nothing."""
    router = Routed(by_network, gateway("globe"), gateway("smart"))
    numbers = [GLOBE, DITO, SMART]
    async with client(router) as sms, sms.send_many([Message(n, "Hi") for n in numbers]) as run:
        states = {outcome.index: outcome.state async for outcome in run}

    assert {0: "accepted", 1: "not_sent", 2: "accepted"} == states


async def test_one_networks_empty_account_does_not_stop_the_others() -> None:
    """An account is to blame for its own numbers only."""
    empty = InsufficientCreditError("empty", provider="smart")
    breaker = BreakerPolicy(failures=1)
    groups = [
        Failover(gateway(name, step), name=group, retry=RetryPolicy(attempts=1), breaker=breaker)
        for name, group, step in [("g", "globe", None), ("s", "smart", empty)]
    ]
    router = Routed(lambda n: "smart" if n == SMART else "globe", *groups, retry=RetryPolicy.off())
    numbers = [SMART, GLOBE, "+639170000002"]
    async with client(router) as sms, sms.send_many([Message(n, "Hi") for n in numbers]) as run:
        states = {outcome.index: outcome.state async for outcome in run}

    assert {0: "not_sent", 1: "accepted", 2: "accepted"} == states
