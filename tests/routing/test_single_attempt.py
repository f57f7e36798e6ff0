from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from attrs import evolve
from support.core.clock import VirtualClock
from support.core.fakes import Wire

from iprog_async import (
    ConnectionFailedError,
    NoAnswerError,
    OutcomeUnknownError,
    RateLimitError,
    RetryPolicy,
    SmsError,
)
from iprog_async._http.send_context import SendContext, active_send
from iprog_async._http.session import Limits, Session
from iprog_async._http.throttle import Throttle
from iprog_async._routing.members import SingleAttempts
from iprog_async.adapter import Answer, Effect, Gateway, HttpCall, UnclearAnswer, give_up, to_rate


GATEWAY = Gateway("shop", "https://sms.example", ("secret",))


def read(answer: Answer) -> int:
    """Take 200 for a success, 503 for nothing certain."""
    if answer.status == 200:
        return answer.status
    if answer.status == 503:
        raise UnclearAnswer("busy")
    raise give_up(answer, provider="shop")


ONCE = HttpCall(GATEWAY, "POST", "/send", read, "send the text", single_attempt=True)
READ = evolve(ONCE, effect=Effect.READ)


def session(wire: Wire, *, max_pause: float = 120.0, deadline: float | None = None) -> Session:
    """Return a session over a wire."""
    return Session(wire.pool, RetryPolicy(max_pause=max_pause), Limits(deadline=deadline))


def limited(seconds: int) -> httpx.Response:
    """Return the answer of a gateway that asks for a pause."""
    return httpx.Response(429, headers={"Retry-After": str(seconds)})


async def test_a_connection_that_fails_is_not_tried_again() -> None:
    """The router has the retry loop; the session tries once and does not wait."""
    wire = Wire(httpx.ConnectError("refused"))
    with pytest.raises(ConnectionFailedError):
        await session(wire).call(ONCE)

    assert (1, []) == (len(wire.requests), wire.clock.sleeps)


async def test_reads_are_still_repeated() -> None:
    """What changes nothing keeps the session's retries, whatever the field says."""
    wire = Wire(httpx.ConnectError("refused"), httpx.Response(503), limited(3), httpx.Response(200))

    assert 200 == await session(wire).call(READ)
    assert 4 == len(wire.requests)


async def test_a_read_without_an_answer_ends_as_ever() -> None:
    """A read that is never answered gets its error after all attempts."""
    wire = Wire(httpx.Response(503))
    with pytest.raises(NoAnswerError):
        await session(wire).call(READ)

    assert RetryPolicy().attempts == len(wire.requests)


@pytest.mark.parametrize(("asked", "pause"), [(0, 1.0), (30, 30.0), (120, 120.0), (3600, 120.0)])
async def test_a_rate_limit_is_raised_and_the_account_pauses(asked: int, pause: float) -> None:
    """Nobody waits, but all calls of the account stay away, as told and no longer than the cap."""
    wire = Wire(limited(asked), httpx.Response(200))
    subject = session(wire)
    with pytest.raises(RateLimitError) as first:
        await subject.call(ONCE)
    with pytest.raises(RateLimitError, match="Nothing was sent") as second:
        await subject.call(ONCE)

    assert [] == wire.clock.sleeps
    assert (asked, pause) == (first.value.retry_after, second.value.retry_after)
    assert 1 == len(wire.requests)


async def test_calls_turned_away_do_not_lengthen_the_pause() -> None:
    """However many texts come by meanwhile, the pause ends when the gateway said."""
    wire = Wire(limited(30), httpx.Response(200))
    subject = session(wire)
    for seconds in (10, 19.5, 0.5):
        with pytest.raises(RateLimitError):
            await subject.call(ONCE)
        wire.clock.advance(seconds)

    assert 200 == await subject.call(ONCE)


async def test_a_pause_beyond_the_deadline_is_a_rate_limit() -> None:
    """The error tells of the pause, and not of a deadline that nobody waited for."""
    wire = Wire(limited(30))
    subject = session(wire, deadline=5)
    for _ in range(2):
        with pytest.raises(RateLimitError):
            await subject.call(ONCE)

    assert 1 == len(wire.requests)


async def test_a_lost_answer_holds_its_claim() -> None:
    """What may have left is held on record, whatever a later call of the same send meets."""
    seen: list[str] = []

    class Recorder:
        leaves_by = math.inf

        def take(self) -> asyncio.Future[SmsError | None]:
            seen.append("take")
            taken: asyncio.Future[SmsError | None] = asyncio.get_running_loop().create_future()
            taken.set_result(None)
            return taken

        def release(self) -> None:
            seen.append("release")

        def hold(self) -> None:
            seen.append("hold")

        def part(self, positions: Sequence[int]) -> Recorder:
            raise AssertionError

        def give_back(self) -> None:
            raise AssertionError

    token = active_send.set(SendContext(Recorder()))
    for error in (OutcomeUnknownError, ConnectionFailedError):
        reply = httpx.Response(503) if error is OutcomeUnknownError else httpx.ConnectError("no")
        with pytest.raises(error):
            await session(Wire(reply)).call(ONCE)
    active_send.reset(token)

    assert ["take", "hold", "take", "release"] == seen


async def test_other_calls_of_the_account_wait_as_ever() -> None:
    """A call without the field waits out a pause that one with it has met."""
    wire = Wire(limited(30), httpx.Response(200))
    subject = session(wire)
    with pytest.raises(RateLimitError):
        await subject.call(ONCE)

    assert 200 == await subject.call(evolve(ONCE, single_attempt=False))
    assert [30.0] == wire.clock.sleeps


async def test_who_queues_when_a_pause_begins_is_turned_away() -> None:
    """A call that waits for the gateway's rate leaves when the gateway asks for a pause."""
    clock = VirtualClock()
    pace = Throttle(to_rate("1/min"), clock)
    await pace.admit()
    waiting = [asyncio.create_task(pace.admit(longest_pause=0)) for _ in range(2)]
    await clock.settle()
    pace.finish(ok=False)
    pace.pause(300)
    await clock.pass_time(61)

    assert [False, False] == [await task for task in waiting]
    assert not await pace.admit(longest_pause=0)


async def test_who_queues_without_a_pause_is_admitted() -> None:
    """Waiting for the rate itself is no reason to go elsewhere."""
    clock = VirtualClock()
    pace = Throttle(to_rate("1/min"), clock)
    await pace.admit()
    pace.finish(ok=True)

    assert await clock.run(pace.admit(longest_pause=0))
    assert 60.0 == clock.monotonic()


@pytest.mark.parametrize(
    ("effect", "expected"), [(Effect.ONCE, True), (Effect.READ, False), (Effect.IDEMPOTENT, False)]
)
async def test_members_send_once_and_read_as_ever(effect: Effect, expected: bool) -> None:
    """What a router binds its members through marks the calls that must not happen twice."""
    seen: list[bool] = []

    async def call(made: HttpCall[Any], /) -> Any:
        seen.append(made.single_attempt)

    await SingleAttempts(call)(HttpCall(GATEWAY, "POST", "/", read, "ask", effect=effect))

    assert [expected] == seen
