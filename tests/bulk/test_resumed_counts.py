"""What `counts.resumed` counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.core.fakes import FakeProvider, to_many

from iprog_async import (
    Counts,
    Journal,
    JournalError,
    Message,
    OutcomeUnknownError,
    SmsClient,
    Unknown,
)
from iprog_async._bulk.progress import was_settled


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


@pytest.mark.parametrize(
    ("met", "settled"), [(None, True), (JournalError("away"), False)], ids=["its own", "this run's"]
)
def test_a_doubt_of_this_run_is_settled_by_no_earlier_one(
    met: JournalError | None, settled: bool
) -> None:
    """What an earlier run left unknown is its outcome; that the journal is away is no outcome."""
    error = OutcomeUnknownError("?", provider="fake", reason="?")
    error.not_resent = met
    assert settled is was_settled(Unknown(0, to_many(1)[0], error))
