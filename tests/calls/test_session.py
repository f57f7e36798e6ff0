from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from support.core.fakes import NUMBER, TOKEN, Wire, iprog_ok

from iprog_async import (
    ConfigurationError,
    ConnectionFailedError,
    HttpPool,
    InvalidMessageError,
    NoAnswerError,
    NotFoundError,
    OutcomeUnknownError,
    Rate,
    RateLimitError,
    RejectedError,
    RetryPolicy,
    SmsClient,
)
from iprog_async.adapter import Answer, Effect, Gateway, HttpCall, UnclearAnswer
from iprog_async.testing._loop_time import jumping_time
from iprog_async_providers.iprog import IprogProvider


BALANCE = httpx.Response(200, json={"status": "success", "data": {"load_balance": 7}})
REFUSED = httpx.ConnectError("refused")
LOST = httpx.ReadError("reset")
OK = httpx.Response(200, json={"status": 200, "message_id": "iSms-1"})
BUSY = httpx.Response(503)
DAY = "Thu, 01 Jan 2026"


def limited(**headers: str) -> httpx.Response:
    """Return what asks to slow down."""
    return httpx.Response(
        429, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


@pytest.mark.parametrize(
    ("script", "expected", "requests"),
    [
        ([OK], None, 1),
        ([REFUSED, REFUSED, OK], None, 3),
        ([REFUSED], ConnectionFailedError, 4),
        ([LOST], OutcomeUnknownError, 1),
        ([httpx.ReadTimeout("slow")], OutcomeUnknownError, 1),
        ([httpx.WriteError("reset")], OutcomeUnknownError, 1),
        ([RuntimeError("hook")], OutcomeUnknownError, 1),
        ([LookupError("hook")], OutcomeUnknownError, 1),
        ([BUSY], OutcomeUnknownError, 1),
        ([httpx.Response(200, html="<html>")], OutcomeUnknownError, 1),
        ([httpx.Response(200)], OutcomeUnknownError, 1),
        ([httpx.Response(404)], NotFoundError, 1),
        ([httpx.Response(413)], RejectedError, 1),
        ([REFUSED, LOST], OutcomeUnknownError, 2),
        ([limited(Retry_After="1"), OK], None, 2),
        ([limited(Retry_After="1"), LOST], OutcomeUnknownError, 2),
        ([limited(Retry_After="500")], RateLimitError, 1),
    ],
)
async def test_send_is_repeated_only_if_it_certainly_did_not_leave(
    script: list[Any], expected: type[Exception] | None, requests: int
) -> None:
    """A billed request goes out again after a failed connection or a rate limit, never else."""
    wire = Wire(*script)
    caught: BaseException | None = None
    async with wire.client() as client:
        try:
            await client.send(NUMBER, "Hi")
        except Exception as exc:
            caught = exc

    assert (expected or type(None)) is type(caught)
    assert requests == len(wire.requests)


@pytest.mark.parametrize(
    ("script", "expected", "requests"),
    [
        ([BALANCE], None, 1),
        ([LOST, BUSY, REFUSED, BALANCE], None, 4),
        ([BUSY], NoAnswerError, 4),
        ([REFUSED], ConnectionFailedError, 4),
        ([httpx.Response(401)], Exception, 1),
        ([limited(), limited(), limited()], RateLimitError, 3),
    ],
)
async def test_read_is_repeated_until_the_attempts_are_used_up(
    script: list[Any], expected: type[Exception] | None, requests: int
) -> None:
    """Reading twice does no harm."""
    wire = Wire(*script)
    caught: BaseException | None = None
    async with wire.client() as client:
        try:
            await client.balance()
        except Exception as exc:
            caught = exc

    assert isinstance(caught, expected) if expected else caught is None
    assert requests == len(wire.requests)


async def test_retries_can_be_turned_off() -> None:
    """One attempt, no waits."""
    wire = Wire(REFUSED)
    async with wire.client(retry=RetryPolicy.off()) as client:
        with pytest.raises(ConnectionFailedError):
            await client.send(NUMBER, "Hi")

    assert (1, []) == (len(wire.requests), wire.clock.sleeps)


async def test_rate_limit_is_not_waited_for_with_retries_off() -> None:
    """`RetryPolicy.off()` never waits at all."""
    wire = Wire(limited(Retry_After="1"))
    async with wire.client(retry=RetryPolicy.off()) as client:
        with pytest.raises(RateLimitError) as caught:
            await client.send(NUMBER, "Hi")

    assert (1.0, []) == (caught.value.retry_after, wire.clock.sleeps)


async def test_waits_between_attempts_are_drawn_below_a_doubling_bound() -> None:
    """Full jitter: from zero to 0.5, 1 and 2 seconds."""
    wire = Wire(REFUSED)
    async with wire.client() as client:
        with pytest.raises(ConnectionFailedError):
            await client.send(NUMBER, "Hi")

    assert 3 == len(wire.clock.sleeps)
    assert all(
        0 <= wait <= bound for wait, bound in zip(wire.clock.sleeps, (0.5, 1, 2), strict=True)
    )


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "0"}, 1.0),
        ({"X_Nothing": "said"}, 60.0),
        ({"Retry_After": f"{DAY} 00:00:30 GMT", "Date": f"{DAY} 00:00:00 GMT"}, 30.0),
    ],
)
async def test_rate_limit_is_waited_for_as_told(headers: dict[str, str], pause: float) -> None:
    """Seconds or a date are obeyed, a minute where nothing is said, never less than a second."""
    wire = Wire(limited(**headers), OK)
    async with wire.client() as client:
        await client.send(NUMBER, "Hi")

    assert [pause] == wire.clock.sleeps


async def test_pauses_use_up_no_attempts_but_have_a_longest_sum() -> None:
    """Many short pauses are waited for, up to two minutes in all."""
    wire = Wire(*[limited(Retry_After="11")] * 10, OK)
    async with wire.client() as client:
        await client.send(NUMBER, "Hi")
    assert [11.0] * 10 == wire.clock.sleeps

    wire = Wire(limited(Retry_After="11"))
    async with wire.client() as client:
        with pytest.raises(RateLimitError):
            await client.send(NUMBER, "Hi")
    assert [11.0] * 10 == wire.clock.sleeps


async def test_pause_is_shared_by_all_calls_of_the_account() -> None:
    """One answer that asks to slow down holds every other call, queued ones included."""
    wire = Wire(limited(Retry_After="9"), OK)
    pool = HttpPool(http=wire.http, clock=wire.clock, max_connections=1)
    async with SmsClient(IprogProvider(TOKEN), pool=pool) as client:
        await asyncio.gather(*(client.send(NUMBER, f"Hi {n}") for n in range(20)))

    assert 21 == len(wire.requests)
    assert {9.0} == set(wire.clock.sleeps)
    assert 9.0 == wire.clock.monotonic()


async def test_other_account_is_not_paused() -> None:
    """Pauses belong to one account at one host."""
    wire = Wire(limited(Retry_After="9"), OK)
    first = SmsClient(IprogProvider(TOKEN), pool=wire.pool, retry=RetryPolicy.off())
    with pytest.raises(RateLimitError):
        await first.send(NUMBER, "Hi")

    await SmsClient(IprogProvider("another"), pool=wire.pool).send(NUMBER, "Hi")

    assert [] == wire.clock.sleeps


async def test_gateway_that_says_nothing_remains_is_not_asked_until_its_window_moves() -> None:
    """`X-RateLimit-Remaining: 0` is obeyed before the gateway has to refuse."""
    wire = Wire(
        httpx.Response(
            200, json={"status": 200, "message_id": "1"}, headers={"X-RateLimit-Remaining": "0"}
        )
    )
    async with SmsClient(IprogProvider(TOKEN, rate="60/min"), pool=wire.pool) as client:
        await client.send(NUMBER, "Hi")
        await client.send(NUMBER, "Ho")

    assert [60.0] == wire.clock.sleeps


async def test_rates_of_one_account_are_the_strictest_given() -> None:
    """Two providers of one account share its window."""
    pool = HttpPool()
    gateways = [Gateway("x", "http://a", ("s",), Rate(count)) for count in (60, 10, 30)]

    paces = {id(pool.pace(gateway)) for gateway in gateways}

    assert 1 == len(paces)
    assert Rate(10) == pool.pace(gateways[0]).rate


async def test_deadline_ends_the_retries() -> None:
    """No retry starts that could not end in time."""
    wire = Wire(REFUSED)
    async with wire.client(deadline=0.001, retry=RetryPolicy(base=100, max_wait=100)) as client:
        with pytest.raises(ConnectionFailedError):
            await client.send(NUMBER, "Hi")

    assert wire.clock.monotonic() <= 0.001


async def test_deadline_that_passes_in_the_queue_sends_nothing() -> None:
    """Waiting for a connection is part of the deadline, and certainly not sending."""
    begun, holding = asyncio.Event(), asyncio.Event()

    async def hold(request: httpx.Request) -> httpx.Response:
        begun.set()
        await holding.wait()
        return iprog_ok(request)

    wire = Wire(hold)
    pool = HttpPool(http=wire.http, max_connections=1)
    slow = asyncio.create_task(SmsClient(IprogProvider(TOKEN), pool=pool).send(NUMBER, "Hi"))
    await begun.wait()
    hasty = SmsClient(IprogProvider(TOKEN), pool=pool, deadline=0.01)

    with pytest.raises(ConnectionFailedError, match="deadline passed in the queue"):
        await hasty.send(NUMBER, "Ho")

    holding.set()
    await slow
    assert (1, 0) == (len(wire.requests), pool.in_flight)


async def test_deadline_shorter_than_a_pause_is_not_waited_for() -> None:
    """A call that can't begin in time fails at once, and says for how long."""
    wire = Wire(limited(Retry_After="90"), OK)
    with pytest.raises(RateLimitError):
        await wire.client(retry=RetryPolicy(max_pause=0)).send(NUMBER, "Hi")
    wire.pool.pace(IprogProvider(TOKEN).gateway).pause(90)

    with pytest.raises(RateLimitError, match="asked for a pause") as caught:
        await wire.client(deadline=10, retry=RetryPolicy.off()).send(NUMBER, "Hi")

    assert caught.value.retry_after == pytest.approx(90)
    assert 1 == len(wire.requests)


async def test_deadline_that_passed_before_the_first_byte_sends_nothing() -> None:
    """Time that ran out between queue and wire is certainly not a text."""
    wire = Wire(OK)
    clock = wire.clock
    real = clock.monotonic
    steps = iter([0.0, 0.0, 0.0, 0.0])

    def jump() -> float:
        return next(steps, 100.0) + real()

    clock.monotonic = jump  # type: ignore[method-assign] # the clock leaps while the call is let in
    async with wire.client(deadline=10, retry=RetryPolicy.off()) as client:
        with pytest.raises(ConnectionFailedError):
            await client.send(NUMBER, "Hi")

    assert [] == wire.requests


async def test_attempt_without_an_answer_ends_at_the_timeout() -> None:
    """Silence is unknown once a byte may have left."""

    async def silent(request: httpx.Request) -> httpx.Response:
        arrived.set()
        await asyncio.Event().wait()
        raise AssertionError

    arrived, wire = asyncio.Event(), Wire(silent)
    with jumping_time() as jump:
        async with wire.client(timeout=30) as client:
            sending = asyncio.create_task(client.send(NUMBER, "Hi"))
            await arrived.wait()
            jump(30)
            with pytest.raises(OutcomeUnknownError, match=r"no answer within 30 s"):
                await sending

    assert 1 == len(wire.requests)


async def test_unknown_outcome_says_what_was_seen() -> None:
    """The error names provider and reason, masked and on one line."""
    wire = Wire(httpx.Response(502, text=f"Bad\ngateway for {TOKEN}"))
    async with wire.client() as client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.send(NUMBER, "Hi")

    error = caught.value
    assert "iprog" == error.provider
    assert "Bad" in error.reason
    assert "***" in error.reason
    assert TOKEN not in str(error)
    assert "\n" not in str(error)


async def test_reader_that_crashes_makes_the_outcome_unknown() -> None:
    """An answer that breaks the reading must not break the caller, nor count as not sent."""

    def crash(answer: Answer) -> None:
        raise IndexError(answer.status)

    wire = Wire(OK)
    async with wire.client() as client:
        gateway = client.provider.gateway
        with pytest.raises(OutcomeUnknownError, match="IndexError"):
            await client._session.call(HttpCall(gateway, "POST", "/x", crash, "try"))  # pyright: ignore[reportPrivateUsage] - a call of no adapter


async def test_references_of_an_unclear_answer_are_kept() -> None:
    """Ids that the gateway gave all the same help to find out later."""

    def unclear(answer: Answer) -> None:
        raise UnclearAnswer("two ids", references=("1", "2"))

    wire = Wire(OK)
    async with wire.client() as client:
        gateway = client.provider.gateway
        with pytest.raises(OutcomeUnknownError) as caught:
            await client._session.call(HttpCall(gateway, "POST", "/x", unclear, "try"))  # pyright: ignore[reportPrivateUsage] - a call of no adapter

    assert ("1", "2") == caught.value.references


async def test_a_secret_in_a_header_field_is_no_reference() -> None:
    """An adapter may take an id from a header field, which is read as it came."""

    def unclear(answer: Answer) -> None:
        raise UnclearAnswer("an id", references=(answer.headers["x-message-id"],))

    wire = Wire(httpx.Response(200, json={}, headers={"X-Message-Id": f"8d1f-{TOKEN}"}))
    async with wire.client() as client:
        gateway = client.provider.gateway
        with pytest.raises(OutcomeUnknownError) as caught:
            await client._session.call(HttpCall(gateway, "POST", "/x", unclear, "try"))  # pyright: ignore[reportPrivateUsage] - a call of no adapter

    assert ("8d1f-***",) == caught.value.references


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ([BUSY, httpx.Response(404)], "gone"),
        ([httpx.Response(404)], NotFoundError),
        ([REFUSED, httpx.Response(404)], NotFoundError),
    ],
)
async def test_repeated_delete_that_finds_nothing_had_worked(
    script: list[Any], expected: Any
) -> None:
    """Only if an earlier try may have deleted it: a first try that finds nothing is an error."""

    def read(answer: Answer) -> str:
        if answer.status == 404:
            raise NotFoundError("no such thing", provider="x")
        raise UnclearAnswer("busy")

    wire = Wire(*script)
    async with wire.client() as client:
        call = HttpCall(
            client.provider.gateway,
            "DELETE",
            "/x",
            read,
            "delete",
            effect=Effect.IDEMPOTENT,
            on_gone=lambda: "gone",
        )
        found: Any
        try:
            found = await client._session.call(call)  # pyright: ignore[reportPrivateUsage] - a call of no adapter
        except NotFoundError as exc:
            found = type(exc)

    assert expected == found


@pytest.mark.parametrize("body", [{"a": object()}, {"a": "\ud83d"}])
async def test_body_that_can_not_be_written_is_not_sent(body: object) -> None:
    """What is no JSON, or half a character, is refused before the queue."""
    wire = Wire(OK)
    async with wire.client() as client:
        call = HttpCall(client.provider.gateway, "POST", "/x", str, "try", json=body)
        with pytest.raises(InvalidMessageError, match="Nothing was sent"):
            await client._session.call(call)  # pyright: ignore[reportPrivateUsage] - a call of no adapter

    assert [] == wire.requests


async def test_error_of_the_library_passes_through_the_engine() -> None:
    """What an engine refuses certainly, as a proxy it can't use, stays what it is."""
    wire = Wire(ConfigurationError("no proxies"))
    async with wire.client() as client:
        with pytest.raises(ConfigurationError, match="no proxies"):
            await client.send(NUMBER, "Hi")


def test_virtual_wall_time_is_aware() -> None:
    """The clock of these tests begins where its date header says."""
    assert datetime(2026, 1, 1, tzinfo=UTC) == Wire(OK).clock.now()
