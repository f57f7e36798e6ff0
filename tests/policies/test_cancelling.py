"""What policies are told, and senders, when a send is cancelled or a run is closed meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from support.core.clock import VirtualClock
from support.core.fakes import NUMBER, FakeProvider, Wire, accept, to_many
from support.engines.pace_gateway import OK, VirtualGateway
from support.journal.journaling import ACCEPTED, posting
from support.policies.rules import Counting

from iprog_async import (
    Allow,
    BulkRun,
    Decision,
    HttpPool,
    Journal,
    Message,
    NotSent,
    Outcome,
    Outgoing,
    Refuse,
    SmsClient,
)
from iprog_async._http.send_context import WithdrawnError, was_in_flight
from iprog_async._journal.ledger import Ledger
from iprog_async.adapter import Batching, PreparedMessage
from iprog_async_providers.iprog import IprogProvider


MANY = Batching(max_batch=100)
LEAD, FIRST, SECOND = [message.to for message in to_many(3)]


@define(eq=False)
class Stuck(Counting):
    """Never ends with the first text that it is told of in one state, after the one that leads.

    Args:
        state: The state.
        telling: Whether it was told of it.
    """

    state: str = "accepted"
    telling: asyncio.Event = field(factory=asyncio.Event)

    async def settle(self, text: Outgoing, outcome: Outcome) -> None:
        """Note an outcome, and wait if it is the first of its state."""
        await Counting.settle(self, text, outcome)
        is_it = outcome.state == self.state and text.number != LEAD
        if is_it and not self.telling.is_set():
            self.telling.set()
            await asyncio.Event().wait()


async def closed_while_telling(
    provider: FakeProvider, rule: Stuck, *others: Any
) -> tuple[list[Outcome], BulkRun]:
    """Close a run while a policy is told of one of a batch; return what the reader has had.

    One row goes first, alone; then the other two together.
    """
    outcomes: list[Outcome] = []
    async with (
        SmsClient(provider, policies=[rule, *others]) as client,
        client.send_many(to_many(3), concurrency=1) as run,
    ):

        async def read() -> None:
            async for outcome in run:
                outcomes.append(outcome)

        reading = asyncio.create_task(read())
        await rule.telling.wait()
        await run.aclose()
        await reading
    return outcomes, run


async def test_a_run_closed_while_policies_are_told_loses_no_outcome() -> None:
    """The reader has all that was accepted, it is counted, and each policy is told the truth."""
    rule, before = Stuck(), Counting()
    outcomes, run = await closed_while_telling(FakeProvider(limits=MANY), rule, before)

    told = [(number, "accepted") for number in (LEAD, FIRST, SECOND)]
    assert 3 * ["accepted"] == [outcome.state for outcome in outcomes]
    assert (3, 0) == (run.counts.accepted, len(run.abandoned))
    assert (told, told) == (sorted(rule.settled), sorted(before.settled))


async def test_what_left_is_settled_before_what_waits_again() -> None:
    """A run that is closed while a withdrawn text is settled has the outcomes of the others."""

    async def answer(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        if batch[0].e164 != FIRST:
            return await accept(batch)
        withdrawn, *others = batch
        error = WithdrawnError("withdrawn")
        return [NotSent(withdrawn.index, withdrawn.message, error), *await accept(others)]

    rule = Stuck(state="not_sent")
    outcomes, run = await closed_while_telling(FakeProvider(limits=MANY, send=answer), rule)

    assert [LEAD, SECOND] == [outcome.message.to for outcome in outcomes]
    assert (2, 0) == (run.counts.accepted, run.counts.not_sent)
    told = [(number, "accepted") for number in (LEAD, SECOND)]
    assert [*told, (FIRST, "not_sent")] == rule.settled


async def test_what_a_policy_allowed_in_a_batch_is_given_back_with_it() -> None:
    """Also if the run is closed while others hear that a text of the batch is refused."""
    rule = Stuck(state="not_sent")
    last = Counting(lambda text: Refuse("no") if text.number == FIRST else Allow())
    provider = FakeProvider(limits=MANY)
    outcomes, _ = await closed_while_telling(provider, rule, last)

    assert [LEAD] == [outcome.message.to for outcome in outcomes]
    assert 1 == len(provider.sent)
    assert [(LEAD, "accepted"), (SECOND, "not_sent")] == last.settled


async def test_a_send_cancelled_while_policies_are_told_says_that_it_left() -> None:
    """So that nobody repeats it; the policies that were not told yet are told."""
    first, rule = Counting(), Stuck()
    async with SmsClient(FakeProvider(), policies=[first, rule]) as client:
        sending = asyncio.create_task(client.send(NUMBER, "Hi"))
        await rule.telling.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await sending

    assert was_in_flight(caught.value)
    assert [(NUMBER, "accepted")] == first.settled == rule.settled


async def test_a_send_cancelled_on_its_way_is_unknown_to_policies() -> None:
    """They hear of it once, and a second cancellation meanwhile says that it may be out, too."""
    clock = VirtualClock()
    pool = HttpPool(clock=clock)
    pool.engine = VirtualGateway(clock, lambda _: OK, latency=lambda _: 1000.0)
    first, rule = Counting(), Stuck(state="unknown")
    provider = IprogProvider("t", base_url="http://sms.example.test")
    async with SmsClient(
        provider, pool=pool, policies=[first, rule], per_number="5/day", timeout=5000
    ) as client:
        sending = asyncio.create_task(client.send(NUMBER, "Hi"))
        await clock.pass_time(1)
        sending.cancel()
        await rule.telling.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await sending

    assert was_in_flight(caught.value)
    assert [(NUMBER, "unknown")] == first.settled == rule.settled


async def test_a_send_cancelled_while_it_is_recorded_is_unknown_to_policies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is out, so that a policy must not give back what it counted."""
    recording = asyncio.Event()
    record = Ledger.record

    def slow(self: Ledger, *of: Any) -> Any:
        record(self, *of)
        recording.set()
        return asyncio.get_running_loop().create_future()

    monkeypatch.setattr(Ledger, "record", slow)
    rule = Counting()
    with Journal.open(tmp_path / "j.db") as journal:
        async with posting(Wire(ACCEPTED), journal, policies=[rule]) as client:
            caller = asyncio.create_task(client.send(NUMBER, "Hi", key="1"))
            await recording.wait()
            (sending,) = journal.sending.values()
            # As the end of the program does; a caller's cancellation leaves it going on.
            sending.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await sending
            with pytest.raises(asyncio.CancelledError):
                await caller

    assert was_in_flight(caught.value)
    assert [(NUMBER, "unknown")] == rule.settled


async def test_a_send_cancelled_before_it_left_uses_up_no_limit() -> None:
    """At whatever moment, also in that in which it was counted."""
    ended_early = 0
    for rounds in range(30):
        provider = FakeProvider()
        async with SmsClient(provider, per_number="1/day") as client:
            sending = asyncio.create_task(client.send(NUMBER, "Hi"))
            for _ in range(rounds):
                await asyncio.sleep(0)
            sending.cancel()
            await asyncio.wait([sending])
            if not provider.sent:
                ended_early += 1
                await client.send(NUMBER, "Hi")

            assert 1 == len(provider.sent)

    assert 1 < ended_early < 30


async def test_limits_keep_nothing_of_a_cancelled_send() -> None:
    """A program that runs for months and cancels often keeps its size."""
    clock = VirtualClock()
    pool = HttpPool(clock=clock)
    pool.engine = VirtualGateway(clock, lambda _: OK, latency=lambda _: 1000.0)
    provider = IprogProvider("t", base_url="http://sms.example.test")
    async with SmsClient(provider, pool=pool, per_number="5/day", timeout=5000) as client:
        sending = asyncio.create_task(client.send(NUMBER, "Hi"))
        await clock.pass_time(1)
        sending.cancel()
        await asyncio.wait([sending])
        limits = client._policies.limits  # pyright: ignore[reportPrivateUsage] - what it keeps

        assert limits is not None
        assert {} == limits._taken  # pyright: ignore[reportPrivateUsage] - it tells nobody


async def test_what_a_policy_has_counted_is_given_back_if_it_is_stuck_at_the_next_text() -> None:
    """Each of its answers is noted as it comes."""
    stuck = asyncio.Event()

    @define(eq=False)
    class Stopping(Counting):
        async def decide(self, text: Outgoing) -> Decision:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride] - a policy may be awaited
            if len(self.asked) == 2:
                stuck.set()
                await asyncio.Event().wait()
            return Counting.decide(self, text)

    rule = Stopping()
    async with SmsClient(FakeProvider(limits=MANY), policies=[rule]) as client:
        messages = [Message(message.to, "Hi") for message in to_many(3)]
        async with client.send_many(messages, concurrency=1) as run:
            reading = asyncio.create_task(run.drain())
            await stuck.wait()
            await run.aclose()
            await reading

    assert [(LEAD, "accepted"), (FIRST, "not_sent")] == rule.settled
