"""A run halts on what every text would meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest
from support.bulk.runs import broke, read, running
from support.core.fakes import FakeProvider, accept, lose, to_many

from iprog_async import AuthenticationError, Message, NotSent, Outcome, RunHaltedError
from iprog_async.adapter import PreparedMessage


async def test_refusal_of_the_account_halts_the_run() -> None:
    """What was read, one window ahead, comes back as not sent; the rest stays unread."""
    pulled = 0

    def many() -> Iterator[Message]:
        nonlocal pulled
        for message in to_many(10_000):
            pulled += 1
            yield message

    provider = FakeProvider(send=broke)
    outcomes: list[Outcome] = []

    async with running(provider, many(), concurrency=1, window=50) as run:
        with pytest.raises(RunHaltedError, match="wrong token") as caught:
            await read(run, outcomes)

    assert isinstance(caught.value.cause, AuthenticationError)
    assert caught.value.cause is run.halted
    assert 1 == len(provider.sent)
    assert pulled == len(outcomes) == run.counts.not_sent == 2 * 50
    rest = [outcome.error for outcome in outcomes[1:] if isinstance(outcome, NotSent)]
    assert {RunHaltedError} == {type(error) for error in rest}


@pytest.mark.parametrize(("in_a_row", "halts"), [(20, True), (19, False)])
async def test_unknowns_in_a_row_halt_the_run(in_a_row: int, halts: bool) -> None:
    """Twenty lost answers with nothing in between are enough; one answer starts the count anew."""
    sent = 0

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        nonlocal sent
        sent += 1
        return await (accept if sent % (in_a_row + 1) == 0 else lose)(batch)

    async with running(FakeProvider(send=send), to_many(100), concurrency=1) as run:
        with suppress(RunHaltedError):
            await run.drain()

    assert halts == (run.halted is not None)
    assert (20 if halts else 100) == sent
