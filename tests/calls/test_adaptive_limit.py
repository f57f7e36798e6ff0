from __future__ import annotations

import heapq
from collections.abc import Callable

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from iprog_async._http.adaptive_limit import AdaptiveLimit


Latency = Callable[[float, int], float]
"""Seconds that an answer takes, from the time and from the number of calls under way."""


@frozen
class Run:
    """How a simulated run went: calls a second, and most calls at once, in each second."""

    rates: list[int]
    at_once: list[int]


def play(latency: Latency, *, concurrency: int, seconds: int, ceiling: AdaptiveLimit) -> Run:
    """Let as many calls as allowed be under way at each moment, for so many virtual seconds."""
    now, under_way = 0.0, list[tuple[float, float]]()
    rates, at_once = [0] * (seconds + 1), [0] * (seconds + 1)
    second = 0
    while now < seconds:
        while second < int(now):
            # Those that were under way still are, until the next answer.
            second += 1
            at_once[second] = len(under_way) + 1
        limit = concurrency if ceiling.limit is None else min(concurrency, int(ceiling.limit))
        while len(under_way) < limit:
            took = latency(now, len(under_way) + 1)
            heapq.heappush(under_way, (now + took, took))
        at_once[int(now)] = max(at_once[int(now)], len(under_way))
        now, took = heapq.heappop(under_way)
        ceiling.note(took, len(under_way) + 1)
        rates[min(int(now), seconds)] += 1
    return Run(rates[:seconds], at_once[:seconds])


def steady(_: float, __: int) -> float:
    """Answer as a gateway with room for everybody."""
    return 0.2


def crowded(_: float, at_once: int) -> float:
    """Answer as a gateway that does ten at a time, a second each."""
    return max(1.0, at_once / 10)


@pytest.mark.parametrize("seconds", [0.05, 0.2, 3.0])
def test_constant_latency_meets_no_ceiling(seconds: float) -> None:
    """What always takes the same time is never held back."""
    ceiling = AdaptiveLimit()

    run = play(lambda _, __: seconds, concurrency=100, seconds=20, ceiling=ceiling)

    assert ceiling.limit is None
    assert {100} == set(run.at_once[:-2])


def test_our_own_slowness_meets_no_ceiling() -> None:
    """A hundred calls over one busy processor take a hundred times as long as one: no matter."""
    ceiling = AdaptiveLimit()
    ceiling.note(0.001, 1)

    for _ in range(1000):
        ceiling.note(0.5, 100)

    assert ceiling.limit is None


def test_single_time_out_meets_no_ceiling() -> None:
    """A lost packet is no slow gateway."""
    ceiling = AdaptiveLimit()
    for _ in range(100):
        ceiling.note(0.2, 100)

    ceiling.note(30.0, 100)

    assert ceiling.limit is None


def test_crowded_gateway_gets_fewer_calls_at_once_and_does_as_many() -> None:
    """A queue at the gateway is shortened without a loss in throughput."""
    ceiling = AdaptiveLimit()
    # A few calls alone have shown how fast it can be.
    for _ in range(20):
        ceiling.note(0.5, 1)

    run = play(crowded, concurrency=200, seconds=300, ceiling=ceiling)

    later = slice(100, 290)
    assert max(run.at_once[later]) <= 100
    assert sum(run.rates[later]) / 190 == pytest.approx(10, rel=0.15)


def test_recovery_is_gradual_and_complete() -> None:
    """Once answers are in time again the ceiling rises by one each round, and goes."""
    ceiling = AdaptiveLimit()

    run = play(
        lambda now, _: 10.0 if 5 < now < 30 else 0.2, concurrency=100, seconds=120, ceiling=ceiling
    )

    assert ceiling.limit is None
    lowest = min(run.at_once[20:60])
    assert lowest < 60
    first = next(second for second in range(40, 120) if run.at_once[second] > lowest)
    assert run.at_once[first + 2] - run.at_once[first] <= 12
    assert 100 == run.at_once[-1]


def test_gateway_that_stays_slow_is_not_held_back_for_ever() -> None:
    """If fewer calls at once do not help, the calls are not what is slow."""
    ceiling = AdaptiveLimit()

    run = play(
        lambda now, _: 0.2 if now < 5 else 6.0, concurrency=100, seconds=900, ceiling=ceiling
    )

    assert min(run.at_once) >= 10
    assert 100 == run.at_once[-1]


def test_cuts_wait_for_what_the_last_one_did() -> None:
    """The answers that were under way before a cut are no reason for another."""
    ceiling = AdaptiveLimit()
    for _ in range(100):
        ceiling.note(0.2, 100)
    while ceiling.limit is None:
        ceiling.note(8.0, 100)
    first = ceiling.limit

    for _ in range(99):
        ceiling.note(8.0, 100)
    assert first == ceiling.limit == 70

    ceiling.note(8.0, 100)
    assert 49 == pytest.approx(ceiling.limit)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(1, 10_000)), max_size=400))
def test_ceiling_is_never_below_one(answers: list[tuple[float, int]]) -> None:
    """Whatever a gateway does, one call at a time always goes on."""
    ceiling = AdaptiveLimit()

    for seconds, at_once in answers:
        ceiling.note(seconds, at_once)
        assert ceiling.limit is None or ceiling.limit >= 1


def test_same_answers_make_the_same_ceiling() -> None:
    """Nothing in it is left to chance."""
    runs = [
        play(crowded, concurrency=100, seconds=60, ceiling=ceiling)
        for ceiling in (AdaptiveLimit(), AdaptiveLimit())
    ]

    assert runs[0] == runs[1]
