from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from support.core.clock import VirtualClock
from support.engines.pace_gateway import OK, Account, VirtualGateway, too_many

from iprog_async import ConfigurationError, HttpPool, OutcomeUnknownError
from iprog_async._engines.base import WireReply
from iprog_async._http.calls import Gateway


def ok_with(remaining: int) -> WireReply:
    """Return a success that says how many calls are left."""
    return WireReply(200, {"x-ratelimit-remaining": str(remaining)}, OK.body)


@pytest.mark.parametrize(
    ("retry_after", "asked_in_vain"),
    [(3.0, 0), (1.0, 1), (0.5, 1)],
    ids=["says how long", "says too little", "says less than a second"],
)
async def test_gateway_that_refuses_everything_for_a_while_sees_no_stampede(
    retry_after: float, asked_in_vain: int
) -> None:
    """Three seconds of 429: all that was under way meets it, then single calls, then everybody."""
    clock = VirtualClock()
    gateway = VirtualGateway(clock, lambda now: too_many(retry_after) if now < 3 else OK)
    account = Account(gateway, clock)

    await clock.run(account.send(500))

    per_second = gateway.per_second
    assert 100 == per_second[0]
    assert asked_in_vain == per_second[1]
    assert asked_in_vain == per_second[2]
    # One, two, four, … beside one another; a round takes 0.2 s.
    assert per_second[3] <= 1 + 2 + 4 + 8 + 16
    assert 500 + 100 + 2 * asked_in_vain == len(gateway.arrivals)
    assert clock.monotonic() < 8


async def test_pauses_use_up_no_attempts() -> None:
    """A text that is asked to wait ten times, and may be tried once, is sent all the same."""
    clock = VirtualClock()
    gateway = VirtualGateway(clock, lambda now: too_many(2) if now < 20 else OK)
    account = Account(gateway, clock, attempts=1)

    await clock.run(account.send(1))

    assert 11 == len(gateway.arrivals)


async def test_whoever_comes_during_a_pause_waits_with_the_others() -> None:
    """One answer is enough: a call that has never met the limit waits as well."""
    clock = VirtualClock()
    gateway = VirtualGateway(clock, lambda now: too_many(10) if now < 1 else OK)
    account = Account(gateway, clock)

    async def one_after_the_other() -> None:
        first = asyncio.create_task(account.send(1))
        await clock.sleep(5)
        await asyncio.gather(first, account.send(20))

    await clock.run(one_after_the_other())

    assert [0.0, 10.2] == sorted(set(gateway.arrivals))[:2]
    assert 22 == len(gateway.arrivals)


async def test_restart_is_gradual() -> None:
    """After a pause one call goes ahead, and each answer lets two more go."""
    clock = VirtualClock()
    gateway = VirtualGateway(clock, lambda now: too_many(5) if now < 1 else OK, lambda _: 1.0)
    account = Account(gateway, clock)

    await clock.run(account.send(100))

    assert [100, 1, 2, 4, 8, 16, 32, 37] == [
        count for _, count in sorted(gateway.per_second.items())
    ]


class Budget:
    """A gateway's own limit: so many calls in any window, and the headers that tell of it."""

    def __init__(self, count: int, per: float) -> None:
        self._count, self._per = count, per
        self._seen: list[float] = []
        self.refused = 0

    def __call__(self, now: float) -> WireReply:
        """Return a success with what is left, or a refusal that says how long it lasts."""
        recent = [seen for seen in self._seen if seen > now - self._per]
        if len(recent) >= self._count:
            self.refused += 1
            return too_many(recent[0] + self._per - now)
        self._seen = [*recent, now]
        return ok_with(self._count - len(self._seen))


async def test_what_the_gateway_says_is_left_is_heeded_without_a_rate() -> None:
    """One at a time, nobody is ever refused: with none left we wait for our oldest call."""
    clock, budget = VirtualClock(), Budget(10, 60)
    gateway = VirtualGateway(clock, budget, lambda _: 0.0)
    account = Account(gateway, clock, max_connections=1)

    async def in_turn() -> None:
        for _ in range(35):
            await account.send(1)
            await clock.sleep(1)

    await clock.run(in_turn())

    assert (35, 0) == (len(gateway.arrivals), budget.refused)
    # The first ten, a second apart, then each as soon as one more is allowed.
    assert [0.0, 9.0, 60.0, 69.0, 120.0] == [gateway.arrivals[n] for n in (0, 9, 10, 19, 20)]


async def test_no_more_go_at_once_than_are_left() -> None:
    """Also many at once are never refused: what is left when an answer comes bounds the next."""
    clock, budget = VirtualClock(), Budget(60, 60)
    gateway = VirtualGateway(clock, budget)
    account = Account(gateway, clock, max_connections=50)

    await clock.run(account.send(150))

    assert (150, 0) == (len(gateway.arrivals), budget.refused)
    assert clock.monotonic() < 140


async def test_ends_are_kept_only_once_a_gateway_tells() -> None:
    """Without the header nothing is remembered of a call."""
    clock = VirtualClock()
    silent = Account(VirtualGateway(clock, lambda _: OK), clock)
    telling = Account(VirtualGateway(clock, lambda _: ok_with(5)), clock)
    for account in (silent, telling):
        await clock.run(account.send(5))

    kept = [len(pace._ended) for a in (silent, telling) for pace in a.pool._throttles.values()]  # pyright: ignore[reportPrivateUsage] - what costs memory
    assert [0, 5] == kept


@pytest.mark.parametrize("rate", ["5/s", "60/min", "3/10s"])
async def test_rate_of_the_user_holds_in_every_window(rate: str) -> None:
    """Whatever the provider's default, the user's own limit is kept to the exact window."""
    clock = VirtualClock()
    gateway = VirtualGateway(clock, lambda _: OK, lambda _: 0.05)
    account = Account(gateway, clock, rate=rate)
    count, per = {"5/s": (5, 1), "60/min": (60, 60), "3/10s": (3, 10)}[rate]

    await clock.run(account.send(4 * count))

    arrivals = gateway.arrivals
    assert all(
        later - earlier >= per for earlier, later in zip(arrivals, arrivals[count:], strict=False)
    )
    assert clock.monotonic() <= 3 * (per + 0.05) + 0.5


def test_rate_that_is_none_is_refused() -> None:
    """A limit that can't be read is an error at once, not no limit."""
    with pytest.raises(ConfigurationError, match="is no rate"):
        Account(VirtualGateway(VirtualClock(), lambda _: OK), VirtualClock(), rate="fast")


@pytest.mark.slow
async def test_slow_gateway_gets_fewer_calls_at_once() -> None:
    """A gateway that slows down has fewer calls under way, and gets every text."""
    clock = VirtualClock()
    gateway = VirtualGateway(
        clock, lambda _: OK, lambda at_once: 0.2 if clock.monotonic() < 2 else at_once / 10
    )
    account = Account(gateway, clock)

    texts = iter(range(2000))

    async def work() -> None:
        for _ in texts:
            await account.send(1)

    async def all_of_them() -> None:
        await asyncio.gather(*(work() for _ in range(100)))

    await clock.run(all_of_them())

    assert 2000 == len(gateway.arrivals)
    assert 100 == max(gateway.at_once[:500])
    assert max(gateway.at_once[-400:]) <= 60


@pytest.mark.slow
async def test_calls_that_were_admitted_before_the_ceiling_fell_wait_again() -> None:
    """A thousand sends at once obey the ceiling, too: what waits for a connection goes back."""
    clock = VirtualClock()
    gateway = VirtualGateway(clock, lambda _: OK, lambda at_once: max(0.2, (at_once - 5) / 4))
    account = Account(gateway, clock)

    async def first_alone() -> None:
        for _ in range(20):
            await account.send(1)
        await account.send(1000)

    await clock.run(first_alone())

    assert 1020 == len(gateway.arrivals)
    assert max(gateway.at_once[-200:]) <= 60


@pytest.mark.parametrize("word", ["", "many", "-1", "1.5", "1,000", "9" * 5000])
async def test_remaining_that_is_no_number_says_nothing(word: str) -> None:
    """A header field that can't be read holds up nobody."""
    clock = VirtualClock()
    reply = WireReply(200, {"x-ratelimit-remaining": word}, OK.body)
    gateway = VirtualGateway(clock, lambda _: reply, lambda _: 0.0)
    account = Account(gateway, clock)

    await clock.run(account.send(200))

    assert 0 == clock.monotonic()


def _telling(fields: dict[str, str], *, first: int = 1) -> Callable[[float], WireReply]:
    """Return a gateway's answers: some fields with the first ones, then none."""
    left = iter([WireReply(200, fields, OK.body)] * first)
    return lambda _: next(left, OK)


async def test_remaining_is_over_when_answers_do_not_tell_it_any_more() -> None:
    """One answer that leaves a single call does not make all that follow go one by one."""
    clock = VirtualClock()
    gateway = VirtualGateway(clock, _telling({"x-ratelimit-remaining": "1"}))
    account = Account(gateway, clock, max_connections=60)

    async def one_then_many() -> None:
        await account.send(1)
        await account.send(60)

    await clock.run(one_then_many())

    assert ([1, 1], 61) == (gateway.at_once[:2], len(gateway.arrivals))
    # One by one they would take 12 s.
    assert clock.monotonic() < 1


@pytest.mark.parametrize(
    ("reset", "until"),
    [
        (None, 60),
        ("7", 7),
        ("7.5", 7.5),
        # A moment in time, as GitHub and Laravel write it: 9 seconds after the clock's start.
        (str(int(datetime(2026, 1, 1, 0, 0, 9, tzinfo=UTC).timestamp())), 9),
        ("soon", 60),
        ("9999999999", 60),
        ("9" * 99, 60),
    ],
)
async def test_remaining_is_over_with_its_window(reset: str | None, until: float) -> None:
    """What a gateway said of a window that is over bounds no call of the next one."""
    clock = VirtualClock()
    fields = {"x-ratelimit-remaining": "2"} | (
        {} if reset is None else {"x-ratelimit-reset": reset}
    )
    account = Account(VirtualGateway(clock, _telling(fields), lambda _: 0.0), clock)
    await clock.run(account.send(1))
    (pace,) = account.pool._throttles.values()  # pyright: ignore[reportPrivateUsage] - all calls of the account

    async def admitted() -> int:
        tasks = [asyncio.create_task(pace.admit()) for _ in range(5)]
        await clock.settle()
        count = sum(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        for _ in range(count):
            pace.withdraw()
        await asyncio.gather(*tasks, return_exceptions=True)
        return count

    await clock.pass_time(until - 0.1)
    assert 2 == await admitted()
    await clock.pass_time(0.1)
    assert 5 == await admitted()


async def test_error_of_another_server_keeps_what_is_known() -> None:
    """A proxy's 502 has no such field either, and says nothing about the gateway's window."""
    clock = VirtualClock()
    answers = iter([ok_with(1), WireReply(502, {}, b""), WireReply(502, {}, b"")])
    gateway = VirtualGateway(clock, lambda _: next(answers, ok_with(1)))
    account = Account(gateway, clock)

    async def one_by_one() -> None:
        for _ in range(3):
            with suppress(OutcomeUnknownError):
                await account.send(1)
        await account.send(10)

    await clock.run(one_by_one())

    assert [1] * 13 == gateway.at_once


@pytest.mark.parametrize(
    ("reset", "pause"), [("5", 5.0), ("5.5", 5.5), ("100", 100.0), (None, 60.0)]
)
async def test_with_none_left_calls_wait_for_the_reset(reset: str | None, pause: float) -> None:
    """A gateway that says when calls are to be had again is asked then; others after a window."""
    clock = VirtualClock()
    told = {} if reset is None else {"x-ratelimit-reset": reset}
    used_up = WireReply(200, {"x-ratelimit-remaining": "0", **told}, OK.body)
    gateway = VirtualGateway(clock, lambda now: OK if now else used_up, lambda _: 0.0)
    account = Account(gateway, clock)

    async def in_turn() -> None:
        await account.send(1)
        await account.send(1)

    await clock.run(in_turn())
    assert [0.0, pause] == gateway.arrivals


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [([], 0.0), ([9.0], 9.0), ([9.0, 4.0], 4.0), ([9.0, 0.0], 0.0)],
    ids=["nobody-called", "one", "all-of-several", "one-of-several-goes-on"],
)
def test_a_pool_is_paused_while_all_its_accounts_are(pauses: list[float], expected: float) -> None:
    """What a pool tells as its pause is how long nothing at all is sent."""
    pool = HttpPool(clock=VirtualClock())
    for place, seconds in enumerate(pauses):
        pool.pace(Gateway("x", f"https://{place}.example.com", ("key",))).pause(seconds)

    assert expected == pool.remaining_pause()
