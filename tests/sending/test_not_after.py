"""A text that could not leave by its `not_after` is certainly not sent, and says so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve
from support.core.fakes import (
    NUMBER,
    TOKEN,
    FakeProvider,
    Wire,
    different_texts,
    iprog_ok,
    prepared,
    to_many,
)
from support.engines.wire import BOTH, OK, EngineName, client_of
from support.journal.journaling import (
    ACCEPTED,
    BROKEN,
    BUSY,
    SLOW_DOWN,
    PostingProvider,
    posting,
    run_over,
    sent_to,
    states_in,
)
from support.policies.rules import Counting, Noting, always, changing

from iprog_async import (
    Allow,
    ConfigurationError,
    ConnectionFailedError,
    ExpiredError,
    Failover,
    HttpPool,
    InvalidMessageError,
    Journal,
    Message,
    NotSent,
    Outcome,
    OutcomeUnknownError,
    RetryPolicy,
    SendLaterError,
    SmsClient,
    SmsError,
    WaitUntil,
)
from iprog_async._engines import base
from iprog_async._http import expiry
from iprog_async._sending.batching import plan_batches
from iprog_async.adapter import Batching
from iprog_async.testing import InstantClock, RawGateway
from iprog_async_providers import IprogProvider


# Where the clocks of these tests begin.
NOW = datetime(2026, 1, 1, tzinfo=UTC)
DOWN = httpx.ConnectError("no route")
PATIENT = RetryPolicy(attempts=50, base=1e9, max_wait=1e9)


def after(seconds: float) -> datetime:
    """Return a time that is so many seconds away."""
    return NOW + timedelta(seconds=seconds)


@pytest.fixture(params=["no key", "key"])
def key(request: pytest.FixtureRequest) -> str | None:
    """Return the key of a send."""
    return "order-1" if request.param == "key" else None


async def send(client: SmsClient[Any], text: str = "Hi", **settings: Any) -> SmsError | None:
    """Send a text; return the error, if it met one."""
    async with client:
        try:
            await client.send(NUMBER, text, **settings)
        except SmsError as exc:
            return exc
    return None


async def test_what_is_too_late_is_not_sent(tmp_path: Path, key: str | None) -> None:
    """Before any network; the error says until when it was to leave, and is no reason to repeat."""
    wire = Wire(ACCEPTED)
    with Journal.open(tmp_path / "j.db") as journal:
        error = await send(posting(wire, journal), key=key, not_after=after(0))

    assert isinstance(error, ExpiredError)
    assert (after(0), False, False) == (error.not_after, error.may_have_been_sent, error.healable)
    assert (
        "the text expired before it could be sent: it was to leave by 2026-01-01 00:00:00+00:00 "
        "(not_after). It was not sent"
    ) == str(error)
    assert [] == wire.requests


@pytest.mark.parametrize("seconds", [0.001, 1e9])
async def test_what_is_in_time_is_sent(tmp_path: Path, key: str | None, seconds: float) -> None:
    """At once, as without it."""
    wire = Wire(ACCEPTED)
    with Journal.open(tmp_path / "j.db") as journal:
        error = await send(posting(wire, journal), key=key, not_after=after(seconds))

    assert (None, 1, []) == (error, len(wire.requests), wire.clock.sleeps)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (Message(NUMBER, "Hi", not_after=datetime(2999, 1, 1)), "no aware datetime"),
        (Message(NUMBER, "Hi", not_after="noon"), "no aware datetime"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a mistake
        (
            Message(NUMBER, "Hi", schedule_at=after(60), not_after=after(59)),
            "schedule_at 2026-01-01T00:01:00.* is later than not_after 2026-01-01T00:00:59",
        ),
    ],
)
async def test_an_end_that_makes_no_sense_is_refused(message: Message, words: str) -> None:
    """A single send says so, and a row of a run ends with it."""
    async with posting(Wire(ACCEPTED)) as client:
        with pytest.raises(InvalidMessageError, match=words):
            await client.send(
                NUMBER, "Hi", schedule_at=message.schedule_at, not_after=message.not_after
            )
        (outcome,) = await run_over(client, [message])

    assert isinstance(outcome, NotSent)
    assert isinstance(outcome.error, InvalidMessageError)


async def test_the_end_of_a_run_has_a_zone() -> None:
    """A time without one is an hour off somewhere."""
    async with posting(Wire(ACCEPTED)) as client:
        with pytest.raises(ConfigurationError, match="no aware datetime"):
            client.send_many([], not_after=datetime(2999, 1, 1))


WAITS: dict[str, tuple[Any, float, str]] = {
    "a try again": (DOWN, 30, "and fake could not be reached in time"),
    "a pause": (SLOW_DOWN, 4, "and fake asks to wait for 5 s"),
}


@pytest.mark.parametrize("case", WAITS)
async def test_nobody_waits_past_the_end(tmp_path: Path, key: str | None, case: str) -> None:
    """Whoever would have to is told at once, and in a journal nothing is claimed."""
    reply, seconds, words = WAITS[case]
    wire = Wire(reply)
    with Journal.open(tmp_path / "j.db") as journal:
        client = posting(wire, journal, retry=PATIENT)
        error = await send(client, key=key, not_after=after(seconds))

    assert isinstance(error, ExpiredError)
    assert words in str(error)
    assert wire.clock.now() < after(seconds)
    assert ["not_sent"][: key is not None] == states_in(tmp_path / "j.db")


async def test_a_pause_that_ends_in_time_is_waited_for() -> None:
    """The end takes nothing away from what there is time for."""
    wire = Wire(SLOW_DOWN, ACCEPTED)
    error = await send(posting(wire), not_after=after(6))

    assert (None, [5.0]) == (error, wire.clock.sleeps)


async def test_a_text_that_stands_in_the_queue_of_the_rate_expires_there() -> None:
    """The one before it goes out, and it does not."""
    wire = Wire(iprog_ok)
    provider = IprogProvider(TOKEN, rate="1/100s")
    async with SmsClient(provider, pool=wire.pool) as client:
        await client.send(NUMBER, "Hi", not_after=after(50))
        with pytest.raises(ExpiredError):
            await client.send(NUMBER, "Ho", not_after=after(50))

    assert 1 == len(wire.requests)


async def test_a_text_that_waits_for_a_pause_of_others_expires_at_once() -> None:
    """The account was asked to slow down for longer than the text has."""
    wire = Wire(SLOW_DOWN, ACCEPTED)
    async with posting(wire) as client:
        pace = wire.pool.pace(client.provider.gateway)
        pace.pause(100)
        with pytest.raises(ExpiredError, match="its turn"):
            await client.send(NUMBER, "Hi", not_after=after(50))

    assert ([], []) == (wire.requests, wire.clock.sleeps)


@pytest.mark.parametrize("engine", BOTH)
async def test_no_byte_is_written_later(
    engine: EngineName, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that took until the end carries nothing."""
    clock = InstantClock()

    def hours_later() -> float:
        clock.advance(20_000)
        return 20_000.0

    monkeypatch.setattr(expiry, "uptime", lambda: 1.0)
    monkeypatch.setattr(base, "uptime", hours_later)
    async with RawGateway(OK) as gateway, HttpPool(engine=engine, clock=clock) as pool:
        client = client_of(gateway.base_url, None, pool=pool)
        error = await send(client, not_after=after(60))

        assert 0 == gateway.begun
    assert isinstance(error, ExpiredError)


async def test_a_key_stands_for_one_text_whenever_it_expires(tmp_path: Path) -> None:
    """One that expired is sent with a later end, and one that was sent keeps its receipt."""
    wire = Wire(ACCEPTED)
    receipts: list[Any] = []
    with Journal.open(tmp_path / "j.db") as journal:
        async with posting(wire, journal) as client:
            with pytest.raises(ExpiredError):
                await client.send(NUMBER, "Hi", key="1", not_after=after(-1))
            for end in (after(60), after(-1), None):
                receipts.append(await client.send(NUMBER, "Hi", key="1", not_after=end))

    assert (1, 1) == (len(wire.requests), len(set(map(repr, receipts))))


async def test_what_is_unknown_stays_unknown() -> None:
    """A second try that was too late proves nothing about the first one."""
    wire = Wire(BROKEN)
    async with posting(wire, retry=PATIENT) as client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.send(NUMBER, "Hi", on_unknown="resend", not_after=after(1))

    assert 1 == len(wire.requests)
    assert "expired" in caught.value.__notes__[0]


def over(wire: Wire, **settings: Any) -> SmsClient[Any]:
    """Return a client of a failover of two gateways."""
    members = PostingProvider(name="a"), PostingProvider(name="b")
    router = Failover(*members, clock=wire.clock, retry=RetryPolicy(**settings))
    return SmsClient(router, pool=wire.pool)


async def test_a_router_gives_each_gateway_what_time_there_is() -> None:
    """The next one gets a text that is in time; a round that would be too late is not made."""
    in_time, too_late = Wire(BUSY, ACCEPTED), Wire(BUSY)
    sent = await send(over(in_time), not_after=after(1))
    error = await send(over(too_late, attempts=9, base=1e9, max_wait=1e9), not_after=after(1))

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
    error = await send(over(wire), not_after=after(5))

    assert isinstance(error, ExpiredError)
    assert 1 == len(wire.requests)


def kinds(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the kind of each outcome: its error, or its state."""
    return [
        type(outcome.error).__name__ if isinstance(outcome, NotSent) else outcome.state
        for outcome in outcomes
    ]


async def test_rows_of_a_run_expire_at_their_turn() -> None:
    """Those before the end are sent, those behind it are not, and each has an outcome."""
    wire = Wire(iprog_ok)
    provider = IprogProvider(TOKEN, rate="1/100s")
    async with SmsClient(provider, pool=wire.pool) as client:
        outcomes = await run_over(client, different_texts(5), concurrency=1, not_after=after(150))

    assert ["accepted"] * 2 + ["ExpiredError"] * 3 == kinds(outcomes)
    assert 2 == len(wire.requests)


async def test_a_pause_that_is_too_long_for_one_holds_for_all() -> None:
    """The rows behind the one that was asked to wait bother the gateway no more."""
    wire = Wire(SLOW_DOWN)
    async with posting(wire) as client:
        outcomes = await run_over(client, different_texts(5), concurrency=1, not_after=after(4))

    assert ["ExpiredError"] * 5 == kinds(outcomes)
    assert 1 == len(wire.requests)


async def test_a_message_has_an_end_of_its_own() -> None:
    """It holds instead of that of the run."""
    first, second, third = to_many(3)
    early, late = evolve(first, not_after=after(-1)), evolve(second, not_after=after(99))
    async with posting(Wire(ACCEPTED)) as client:
        outcomes = await run_over(client, [early, late, third], not_after=after(0))

    assert ["ExpiredError", "accepted", "ExpiredError"] == kinds(outcomes)


def test_what_travels_together_ends_together() -> None:
    """A request leaves as a whole, so that texts with another end have one of their own."""
    ends = [None, after(1), after(2), after(1), None]
    texts = [
        prepared(index, f"+6391700000{index:02}", not_after=end) for index, end in enumerate(ends)
    ]
    batches = plan_batches(texts, Batching(max_batch=100, mixed_texts=True)).batches

    assert [[0, 4], [1, 3], [2]] == [[each.index for each in batch] for batch in batches]


async def test_a_run_goes_on_with_what_expired_if_it_is_given_more_time(tmp_path: Path) -> None:
    """The journal has it as not sent, and nobody gets a text twice."""
    wire = Wire(ACCEPTED)
    runs: list[list[str]] = []
    for end in (after(-1), after(60), after(-1)):
        with Journal.open(tmp_path / "j.db") as journal:
            messages = [evolve(each, not_after=end) for each in to_many(3)[:2]]
            outcomes = await run_over(
                posting(wire), [*messages, to_many(3)[2]], journal=journal, one_per_number=True
            )
            runs.append(kinds(outcomes))

    assert [["ExpiredError"] * 2 + ["accepted"], ["accepted"] * 3, ["accepted"] * 3] == runs
    assert [each.to for each in to_many(3)] == sorted(sent_to(wire))


async def test_a_preview_leaves_out_what_is_too_late() -> None:
    """It is counted with what can't be sent, by its reason."""
    left_out: list[Outcome] = []
    async with posting(Wire(ACCEPTED)) as client:
        plan = await client.plan_many(to_many(2), not_after=after(0), left_out=left_out.append)

    assert (0, 2, 2) == (plan.recipients, plan.invalid, plan.expired)
    assert ["ExpiredError"] * 2 == kinds(left_out)


async def test_a_policy_that_has_a_text_wait_for_too_long_lets_it_expire() -> None:
    """At once, with the policy's reason; one that waits less long is sent when it is time."""
    rule = Noting(always(WaitUntil(after(60), "night")), "sleep")
    async with posting(Wire(ACCEPTED), policies=[rule]) as client:
        with pytest.raises(ExpiredError, match=r"policy sleep has this text wait .*\(night\)"):
            await client.send(NUMBER, "Hi", not_after=after(60))
        with pytest.raises(SendLaterError):
            await client.send(NUMBER, "Hi", not_after=after(61))
        outcomes = await run_over(client, to_many(2), not_after=after(60))

    assert ["ExpiredError"] * 2 == kinds(outcomes)


async def test_rows_that_wait_for_the_morning_expire_or_go_on() -> None:
    """By the hours of `send_between`; the gateway is not told to send one later than its end."""
    evening = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)
    morning = evening + timedelta(hours=11, minutes=30)
    kept = [morning, morning + timedelta(minutes=1)]
    messages = [evolve(each, not_after=end) for each, end in zip(to_many(2), kept, strict=True)]
    provider, clock = FakeProvider(), InstantClock(evening)
    async with (
        HttpPool(clock=clock) as pool,
        SmsClient(provider, pool=pool, send_between="08:00-20:00", when_quiet="schedule") as client,
    ):
        with pytest.raises(ExpiredError, match="send_between"):
            await client.send(NUMBER, "Hi", not_after=morning - timedelta(minutes=1))
        plan = await client.plan_many(messages)
        outcomes = await run_over(client, messages)

    assert (1, 1) == (plan.waiting, plan.invalid)
    assert ["ExpiredError", "accepted"] == kinds(outcomes)
    assert morning <= clock.now()


async def test_what_expired_is_given_back_to_whoever_counts() -> None:
    """It was not sent, so that it costs none of a limit."""
    policy = Counting()
    await send(posting(Wire(SLOW_DOWN), policies=[policy]), not_after=after(3))

    assert [(NUMBER, "not_sent")] == policy.settled


async def test_a_policy_can_give_a_text_its_end() -> None:
    """By rewriting the message; it holds while the text waits for the gateway."""
    rule = changing(lambda message: evolve(message, not_after=after(3)))
    error = await send(posting(Wire(SLOW_DOWN), policies=[rule]))

    assert isinstance(error, ExpiredError)


async def test_texts_that_a_policy_sends_have_no_end() -> None:
    """They are no part of the send that it is asked about."""
    wire = Wire(SLOW_DOWN, ACCEPTED)
    other = posting(wire)

    async def telling(_: object) -> Allow:
        await other.send("+639180000000", "One more")
        return Allow()

    async with other:
        error = await send(posting(wire, policies=[telling]), not_after=after(4))

    assert isinstance(error, ExpiredError)
    assert ["+639180000000"] * 2 == sent_to(wire)


async def test_other_failures_are_told_as_they_are() -> None:
    """Where there was time left, the end explains nothing."""
    error = await send(posting(Wire(DOWN), retry=RetryPolicy.off()), not_after=after(60))

    assert isinstance(error, ConnectionFailedError)
