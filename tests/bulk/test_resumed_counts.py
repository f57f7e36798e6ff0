"""What `counts.resumed` counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.core.fakes import FakeProvider, to_many

from iprog_async import Counts, Journal, Message, SmsClient


async def _run(path: Path, messages: list[Message]) -> Counts:
    with Journal.open(path, campaign="june") as journal:
        async with (
            SmsClient(FakeProvider()) as sms,
            sms.send_many(messages, journal=journal) as run,
        ):
            return await run.drain()


@pytest.mark.parametrize(("settled", "changed"), [(3, 0), (0, 3), (2, 1)])
async def test_conflicts_are_not_settled_by_an_earlier_run(
    tmp_path: Path, settled: int, changed: int
) -> None:
    """A number that got another text before is a conflict of this run, which nobody settled."""
    first = to_many(settled + changed)
    again = first[:settled] + to_many(settled + changed, "Hello")[settled:]
    await _run(tmp_path / "june.db", first)

    counts = await _run(tmp_path / "june.db", again)

    assert (settled, changed, settled) == (counts.accepted, counts.not_sent, counts.resumed)


async def test_the_plan_and_the_run_count_alike(tmp_path: Path) -> None:
    """The preview's `resumed` and `conflicts` are what the run then counts."""
    first, again = to_many(3), [*to_many(2), *to_many(3, "Hello")[2:]]
    await _run(tmp_path / "june.db", first)
    with Journal.open(tmp_path / "june.db", campaign="june") as journal:
        async with SmsClient(FakeProvider()) as sms:
            plan = await sms.plan_many(again, journal=journal)

    counts = await _run(tmp_path / "june.db", again)

    assert (plan.resumed, plan.conflicts) == (counts.resumed, counts.not_sent)
