from __future__ import annotations

import asyncio

from support.core_fakes import FakeProvider, to_many

from iprog_async import SmsClient


async def test_settled_outcomes_survive_the_end_of_a_run() -> None:
    """A reader that comes late finds every outcome that was counted before the run was closed."""
    provider = FakeProvider()
    async with SmsClient(provider) as client, client.send_many(to_many(50), concurrency=3) as run:
        first = await anext(run)
        # Nobody reads on: workers fill the queue, and then wait with an outcome each.
        for _ in range(200):
            await asyncio.sleep(0)
    late = [outcome async for outcome in run]

    assert run.counts.total == 1 + len(late)
    assert set(range(run.counts.total)) == {first.index, *(outcome.index for outcome in late)}
    assert run.counts.total > 3
