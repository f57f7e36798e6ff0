"""What a broken adapter says of a batch proves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from support.bulk.runs import run_all
from support.core.fakes import FakeProvider, accept, to_many
from support.core.misbehaving import await_cancelled

from iprog_async import Outcome
from iprog_async.adapter import Batching, PreparedMessage


async def crash(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    """Fail as a bug would."""
    raise KeyError("bug")


async def cut_short(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    """Await what somebody else cancelled."""
    await await_cancelled()
    return await accept(batch)


async def forget(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    """Return too few outcomes."""
    return (await accept(batch))[1:]


async def mix_up(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    """Return the outcomes in another order."""
    return list(reversed(await accept(batch)))


async def babble(batch: Sequence[PreparedMessage]) -> Any:
    """Return what are no outcomes."""
    return [None] * len(batch)


async def nothing(batch: Sequence[PreparedMessage]) -> Any:
    """Return nothing at all."""


@pytest.mark.parametrize("send", [crash, cut_short, forget, mix_up, babble, nothing])
@pytest.mark.filterwarnings("default::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("whole_batches")
async def test_adapter_with_a_bug_makes_unknowns(send: Any) -> None:
    """Nobody knows how far a broken adapter got, so nothing is called sent or not sent."""
    outcomes, run = await run_all(FakeProvider(limits=Batching(max_batch=3), send=send), to_many(3))

    assert ["unknown"] * 3 == [outcome.state for outcome in outcomes]
    assert 3 == run.counts.unknown
