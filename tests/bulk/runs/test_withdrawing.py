"""What is withdrawn when a run stops, and what is not: whatever else goes on around it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from support.core.clock import VirtualClock
from support.core.fakes import TOKEN, different_texts, to_many
from support.engines.pace_gateway import OK, Account, VirtualGateway
from support.journal.journaling import PostingProvider, states_in
from support.outbox.looking import until

from iprog_async import (
    BulkRun,
    Failover,
    HttpPool,
    Journal,
    Message,
    Observer,
    Receipt,
    SendEnded,
    SmsClient,
    SubmissionEnded,
)
from iprog_async._core.rates import Rate
from iprog_async._engines.base import Failure, RequestProgress, WireReply, WireRequest
from iprog_async.adapter import Batching, Gateway
from iprog_async_providers.iprog import IprogProvider


_UNREACHABLE = Failure("connection refused", may_have_left=False)
_ONE_IS_BAD = WireReply(422, {}, b'{"error":"bad"}')
_TRY_LATER = WireReply(423, {}, b'{"error":"try later"}')
_TAKEN = WireReply(200, {}, b'{"id":"x"}')


async def _pass_until(happened: Callable[[], object], clock: VirtualClock) -> None:
    """Let time pass, and the journal's thread go on, which knows no virtual time."""
    while not happened():
        await asyncio.sleep(0.001)
        await clock.pass_time(0.2)


async def test_credits_of_what_is_withdrawn_are_free_again() -> None:
    """A run with `max_credits` ends when it is stopped, also while one waits for credits."""
    clock = VirtualClock()
    gateway = VirtualGateway(clock, lambda _: OK)
    account = Account(gateway, clock, rate="2/100s")

    async with account.client.send_many(different_texts(20), concurrency=8, max_credits=5) as run:
        reading = asyncio.create_task(run.drain())
        await clock.pass_time(10)
        run.stop()
        await clock.pass_time(1)
        assert reading.done()
    assert (2, 2) == (run.counts.accepted, run.counts.total)
    assert 0 == run.in_flight


async def test_an_attempt_that_fails_after_the_stop_is_the_last() -> None:
    """What was under way when the run stopped, and did not leave, is not tried again."""
    clock = VirtualClock()
    gateway = VirtualGateway(clock, lambda _: _UNREACHABLE)  # type: ignore[arg-type,return-value]  # pyright: ignore[reportArgumentType] - an engine may answer so, too
    account = Account(gateway, clock, attempts=4)

    async with account.client.send_many(different_texts(20), concurrency=5) as run:
        reading = asyncio.create_task(run.drain())
        await clock.pass_time(0.1)
        run.stop()
        await clock.pass_time(100)
        assert reading.done()
    assert 5 == len(gateway.arrivals)


async def test_a_source_that_asks_a_gateway_holds_nothing_up() -> None:
    """A source may wait for calls of its own: what is under way still comes to its outcome."""
    clock = VirtualClock()
    gateway = VirtualGateway(clock, lambda _: OK, lambda _: 5.0)
    account = Account(gateway, clock)
    other = Account(VirtualGateway(clock, lambda _: OK), clock, rate="1/100s")

    async def source() -> AsyncIterator[Message]:
        for number, message in enumerate(different_texts(40)):
            if number and number % 4 == 0:
                await other.client.send("+639990000000", f"page {number}")
            yield message

    async with account.client.send_many(source(), concurrency=8, linger=0.0, window=4) as run:
        reading = asyncio.create_task(run.drain())
        await clock.pass_time(1)
        on_their_way = len(gateway.arrivals)
        run.stop()
        await clock.pass_time(10)
        assert reading.done()
        assert not reading.cancelled()
    assert 0 < on_their_way == run.counts.accepted == len(gateway.arrivals)
    assert () == run.abandoned


class _Alarm(Observer):
    """Sends a text of its own, in a task of its own, some time after the first outcome."""

    def __init__(self, clock: VirtualClock, account: Account) -> None:
        self.sent: list[asyncio.Task[Receipt]] = []
        self.submissions = 0
        self._clock, self._account = clock, account

    def send_ended(self, event: SendEnded) -> None:
        """Start the task."""
        if not self.sent:
            self.sent.append(asyncio.create_task(self._send()))

    def submission_ended(self, event: SubmissionEnded) -> None:
        """Count it."""
        self.submissions += 1

    async def _send(self) -> Receipt:
        await self._clock.sleep(2)
        return await self._account.client.send("+639990000000", "the run was stopped")


async def test_what_others_send_is_not_withdrawn() -> None:
    """Tasks that began in a run, such as an observer's, go on; what is withdrawn is no event."""
    clock = VirtualClock()
    pool = HttpPool(clock=clock)
    pool.engine = VirtualGateway(clock, lambda _: OK)
    alarm = _Alarm(clock, Account(VirtualGateway(clock, lambda _: OK), clock))
    provider = IprogProvider(TOKEN, base_url="http://sms.example.test", rate="3/10s")
    client = SmsClient(provider, pool=pool, observers=[alarm])

    async with client.send_many(different_texts(20), concurrency=8) as run:
        reading = asyncio.create_task(run.drain())
        await clock.pass_time(1)
        run.stop()
        await clock.pass_time(1)
        await reading
    await clock.pass_time(5)
    assert "iSms-1" == alarm.sent[0].result().message_id
    assert 3 == run.counts.accepted == alarm.submissions


def _posting(name: str, **settings: Any) -> PostingProvider:
    gateway = Gateway(name, f"http://{name}.test", ("s3cret",), **settings)
    return PostingProvider(name=name, gateway=gateway, limits=Batching(max_batch=8))


def _stop(run: BulkRun) -> Any:
    async def stop() -> None:
        run.stop()

    return stop()


@pytest.mark.parametrize("end", [_stop, BulkRun.aclose])
@pytest.mark.usefixtures("whole_batches")
async def test_halves_that_wait_are_not_in_doubt(
    end: Callable[[BulkRun], Any], tmp_path: Path
) -> None:
    """A batch was refused for one recipient: its halves, not sent yet, wait in the journal."""
    clock, path = VirtualClock(), tmp_path / "j.db"
    gateway = VirtualGateway(clock, lambda _: _ONE_IS_BAD)
    pool = HttpPool(clock=clock)
    pool.engine = gateway
    client = SmsClient(_posting("a", rate=Rate(1, 60)), pool=pool)

    with Journal.open(path) as journal:
        async with client.send_many(to_many(8), journal=journal) as run:
            reading = asyncio.create_task(run.drain())
            await until(lambda: gateway.arrivals)
            await clock.pass_time(1)
            await until(lambda: Counter(states_in(path)) == {"released": 8})
            await end(run)
            await until(reading.done)
    assert 1 == len(gateway.arrivals)
    assert {"released", "not_sent"} >= set(states_in(path))
    assert 0 == run.counts.unknown


class _TwoGateways:
    """An engine: one gateway refuses for now, the other takes everything."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.hosts: list[str] = []

    def check(self, origin: str) -> None:
        """Reach everything."""

    async def exchange(
        self, request: WireRequest, progress: RequestProgress, slot: int, connect_timeout: float
    ) -> WireReply | Failure:
        """Answer a request."""
        progress.connecting = progress.writing = True
        refuses = "a.test" in str(request.url)
        self.hosts.append("a" if refuses else "b")
        await self._clock.sleep(0.2)
        return _TRY_LATER if refuses else _TAKEN

    async def aclose(self) -> None:
        """Do nothing."""


async def test_texts_between_two_members_are_not_in_doubt(tmp_path: Path) -> None:
    """What one member refused and the next has not been asked for waits in the journal."""
    clock, path = VirtualClock(), tmp_path / "j.db"
    pool = HttpPool(clock=clock, max_connections=1)
    engine = pool.engine = _TwoGateways(clock)
    client = SmsClient(Failover(_posting("a"), _posting("b"), region="PH"), pool=pool)

    with Journal.open(path) as journal:
        async with client.send_many(different_texts(8), journal=journal, concurrency=4) as run:
            reading = asyncio.create_task(run.drain())
            await _pass_until(lambda: engine.hosts.count("b") >= 2, clock)
            run.stop()
            await _pass_until(reading.done, clock)
    states = Counter(states_in(path))
    assert {"accepted", "released"} >= set(states)
    assert engine.hosts.count("b") == states["accepted"] == run.counts.accepted
