"""A batch that is refused for one recipient is halved, as long as that can find out something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from support.bulk.runs import run_all, running
from support.core.fakes import FakeProvider, accept, lose, refusing, to_many

from iprog_async import Outcome, RunHaltedError
from iprog_async.adapter import Batching, PreparedMessage, rejected


def blaming(bad: str) -> Any:
    """Return what refuses every batch that one number is in."""

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        if any(prepared.e164 == bad for prepared in batch):
            return await refusing(blame="recipient")(batch)
        return await accept(batch)

    return send


@pytest.mark.usefixtures("whole_batches")
async def test_batch_refused_for_one_recipient_is_halved_down_to_that_one() -> None:
    """One bad number costs nobody else their text."""
    provider = FakeProvider(limits=Batching(max_batch=8), send=blaming("+639170000005"))

    outcomes, run = await run_all(provider, to_many(8))

    assert [5] == [outcome.index for outcome in outcomes if outcome.state == "not_sent"]
    assert 7 == run.counts.accepted
    assert [8, 4, 4, 2, 1, 1, 2] == [len(batch) for batch in provider.sent]


@pytest.mark.usefixtures("whole_batches")
async def test_recipients_refused_one_by_one_are_not_asked_again() -> None:
    """Where the gateway judged each recipient by itself, halving could tell nothing new."""

    async def refuse_each(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        return [rejected(prepared, "fake", "no") for prepared in batch]

    provider = FakeProvider(limits=Batching(max_batch=8), send=refuse_each)

    _, run = await run_all(provider, to_many(8))

    assert (8, 1) == (run.counts.not_sent, len(provider.sent))


@pytest.mark.usefixtures("whole_batches")
async def test_unknown_outcome_stops_the_halving() -> None:
    """What was not asked again keeps its certain refusal."""
    script = iter([refusing(blame="recipient"), lose])

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        return await next(script)(batch)

    provider = FakeProvider(limits=Batching(max_batch=8), send=send)

    outcomes, _ = await run_all(provider, to_many(8))

    assert ["unknown"] * 4 + ["not_sent"] * 4 == [outcome.state for outcome in outcomes]
    assert [8, 4] == [len(batch) for batch in provider.sent]


@pytest.mark.usefixtures("whole_batches")
async def test_refusal_of_the_account_stops_the_halving_and_the_run() -> None:
    """Credit that runs out in one half is not tried again in the other."""
    script = iter([refusing(blame="recipient"), refusing(blame="account")])

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        return await next(script)(batch)

    provider = FakeProvider(limits=Batching(max_batch=8), send=send)

    async with running(provider, to_many(8)) as run:
        with pytest.raises(RunHaltedError):
            await run.drain()

    assert 8 == run.counts.not_sent
    assert [8, 4] == [len(batch) for batch in provider.sent]
