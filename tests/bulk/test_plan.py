from __future__ import annotations

import json
import os
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from support.core.fakes import LATER, NUMBER, FakeProvider, lose, refusing, to_many

from iprog_async import (
    BulkPlan,
    ConfigurationError,
    InvalidMessageError,
    Journal,
    JournalConflictError,
    JournalError,
    Message,
    NotSent,
    SmsClient,
)
from iprog_async.adapter import Batching


async def plan(provider: FakeProvider, messages: Any, **settings: Any) -> BulkPlan:
    """Plan with a client of its own."""
    async with SmsClient(provider) as client:
        return await client.plan_many(messages, **settings)


MIXED = [
    *to_many(5),
    Message("nobody", "Hi"),
    Message("+639170000003", "Hi"),
    Message("+639170000004", "Hi", key="again"),
    Message("+639170000006", "ż" * 71),
    Message("+639170000007", "Hi"),
]


async def test_every_message_is_counted_once() -> None:
    """What would be sent, what can't and what must not be add up to what was read."""
    provider = FakeProvider(limits=Batching(max_batch=100))

    found = await plan(provider, MIXED, suppress={"0917 0000 007"}, price="0.5")

    assert (10, 7, 1, 1, 1) == (
        found.total,
        found.recipients,
        found.invalid,
        found.duplicates,
        found.suppressed,
    )
    assert {"GSM-7": 6, "UCS-2": 1} == found.encodings
    assert (8, 8, 3, Decimal("4.0")) == (
        found.segments,
        found.credits,
        found.batches,
        found.cost,
    )
    assert [] == provider.sent


async def test_plan_names_the_first_invalid_rows() -> None:
    """Some bad rows are kept with index and reason, however many there are."""
    found = await plan(FakeProvider(), [Message("nobody", "Hi")] * 1000)

    assert (1000, list(range(20))) == (found.invalid, [row.index for row in found.invalid_rows])
    assert isinstance(found.invalid_rows[0].error, InvalidMessageError)


@pytest.mark.usefixtures("whole_batches")
async def test_plan_counts_the_batches_that_a_run_makes() -> None:
    """Windows, chunks and company for scheduled texts are those of the run itself."""
    limits = Batching(max_batch=10, max_scheduled=10, min_scheduled=2)
    messages = [
        evolve(message, schedule_at=LATER if place % 3 else None)
        for place, message in enumerate(to_many(137))
    ]
    provider = FakeProvider(limits=limits)

    found = await plan(provider, messages, window=11)
    async with SmsClient(provider) as client, client.send_many(messages, window=11) as run:
        await run.drain()

    assert len(provider.sent) == found.batches


async def test_plan_reads_an_async_source() -> None:
    """What `send_many` takes, `plan_many` takes."""

    async def source() -> Any:
        for message in to_many(3):
            yield message

    assert 3 == (await plan(FakeProvider(), source())).recipients


async def test_plan_as_json() -> None:
    """A plan can be stored; it has the reasons of the bad rows in words."""
    data = (await plan(FakeProvider(), MIXED, price=2)).to_dict()

    assert data == json.loads(json.dumps(data))
    assert ("18", 5) == (data["cost"], data["invalid_rows"][0]["index"])
    assert "'nobody'" in data["invalid_rows"][0]["error"]


@pytest.mark.parametrize("price", [-1, "much", True, Decimal("NaN"), Decimal(-1)])
async def test_price_that_is_none(price: Any) -> None:
    """What is no amount is refused before anything is read."""
    with pytest.raises(ConfigurationError, match="no price of a segment"):
        await plan(FakeProvider(), to_many(1), price=price)


async def test_no_price_no_cost() -> None:
    """Without a price nothing is said about money."""
    assert (await plan(FakeProvider(), to_many(1))).cost is None


@pytest.mark.parametrize(
    "settings", [{"window": 0}, {"concurrency": 0}, {"linger": -1}, {"max_credits": 0}]
)
async def test_numbers_out_of_range(settings: dict[str, Any]) -> None:
    """A plan refuses what a run refuses."""
    with pytest.raises(ConfigurationError):
        await plan(FakeProvider(), to_many(1), **settings)


async def test_plan_with_a_journal(tmp_path: Path) -> None:
    """What an earlier run settled is not counted as to be sent; a changed text is a conflict."""
    with Journal.open(tmp_path / "june.db") as journal:
        async with SmsClient(FakeProvider(send=lose), journal=journal) as client:
            async with client.send_many(to_many(2)) as run:
                await run.drain()
            changed = [Message("+639170000001", "Ho"), Message("+639170000009", "Ho")]
            found = await client.plan_many([*to_many(4), *changed])

        assert (6, 3, 2, 1) == (
            found.total,
            found.recipients,
            found.resumed,
            found.conflicts,
        )
        counts = {"accepted": 0, "failed": 0, "not_sent": 0, "unknown": 2, "waiting": 0}
        assert counts == await journal.counts()


async def test_plan_with_the_path_of_a_journal(tmp_path: Path) -> None:
    """A path is opened as a run would open it, and closed after: the run can have it."""
    path = tmp_path / "june.db"
    async with SmsClient(FakeProvider()) as client:
        for given in (str(path), path):
            async with client.send_many(to_many(2), journal=path) as run:
                await run.drain()
            found = await client.plan_many(to_many(3), journal=given)

            assert (1, 2) == (found.recipients, found.resumed)


async def test_plan_makes_no_journal(tmp_path: Path) -> None:
    """A preview counts as a run with a new journal would, and leaves no file behind."""
    messages = [evolve(message, key="once") for message in [*to_many(1), *to_many(1, "Ho")]]

    found = await plan(FakeProvider(), messages, journal=tmp_path / "june.db")

    assert (1, 1, []) == (found.recipients, found.duplicates, os.listdir(tmp_path))


@pytest.mark.parametrize("name", ["", "there/is/no/such/folder.db", "letter.txt"])
async def test_plan_with_a_path_that_a_run_can_not_have(tmp_path: Path, name: str) -> None:
    """Where a run could open no journal, its preview says so."""
    (tmp_path / "letter.txt").write_text("Dear Juan,")

    with pytest.raises(JournalError, match="journal"):
        await plan(FakeProvider(), to_many(1), journal=name and tmp_path / name)


@pytest.mark.parametrize(("limit", "exceeds"), [(None, False), (2, True), (3, False)])
async def test_plan_knows_the_limit(limit: int | None, exceeds: bool) -> None:
    """A plan says whether the run would stop at `max_credits`."""
    found = await plan(FakeProvider(), to_many(3), max_credits=limit)

    assert (limit, exceeds) == (found.max_credits, found.exceeds_max_credits)
    assert exceeds == found.to_dict()["exceeds_max_credits"]


async def test_plan_leaves_the_journal_to_the_run(tmp_path: Path) -> None:
    """After a plan with keys the run sends all of them, and nothing is busy."""
    messages = [evolve(message, key=message.to) for message in to_many(3)]
    with Journal.open(tmp_path / "june.db") as journal:
        async with SmsClient(FakeProvider(), journal=journal) as client:
            found = await client.plan_many(messages)
            async with client.send_many(messages) as run:
                counts = await run.drain()

    assert (3, 3) == (found.recipients, counts.accepted)


async def test_plan_beside_a_run(tmp_path: Path) -> None:
    """While a run uses the journal, nobody can say what would be left for another."""
    with Journal.open(tmp_path / "june.db") as journal:
        client = SmsClient(FakeProvider(), journal=journal)
        async with client, client.send_many(to_many(3)):
            with pytest.raises(JournalError):
                await client.plan_many(to_many(3))


async def test_journal_that_breaks_ends_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal that can't be read makes no plan."""

    async def fail(*_: object, **__: object) -> Any:
        raise JournalError("broken")

    with Journal.open(tmp_path / "june.db") as journal:
        monkeypatch.setattr(journal.store, "look_up", fail)
        with pytest.raises(JournalError, match="broken"):
            # In a new journal only a message with a key can be there already.
            await plan(FakeProvider(), [Message(NUMBER, "Hi", key="k")], journal=journal)


async def test_source_that_fails_ends_the_plan() -> None:
    """The error of a source is the plan's, too, and the source is closed."""
    closed: list[bool] = []

    async def source() -> Any:
        try:
            yield to_many(1)[0]
            raise OSError("gone")
        finally:
            closed.append(True)

    with pytest.raises(OSError, match="gone"):
        await plan(FakeProvider(), source())
    assert [True] == closed


async def test_plan_tells_of_everybody_left_out() -> None:
    """Whoever would not be sent a text is told, with the reason, and nobody else is."""
    told: list[NotSent] = []

    found = await plan(
        FakeProvider(),
        [*[Message("nobody", "Hi")] * 30, *MIXED],
        suppress=["0917 0000 007"],
        left_out=told.append,
    )

    kinds = Counter(type(outcome.error).__name__ for outcome in told)
    assert {"InvalidMessageError": 31, "DuplicateMessageError": 1, "SuppressedError": 1} == kinds
    assert found.total - found.recipients == len({outcome.index for outcome in told})


async def test_plan_tells_of_conflicts_and_not_of_what_is_settled(tmp_path: Path) -> None:
    """What an earlier run sent is no loss; that somebody got another text then is told."""
    told: list[NotSent] = []
    with Journal.open(tmp_path / "june.db") as journal:
        async with SmsClient(FakeProvider(), journal=journal) as client:
            async with client.send_many(to_many(2)) as run:
                await run.drain()
            changed = Message("+639170000001", "Ho")
            await client.plan_many([*to_many(2), changed], left_out=told.append)

    assert [(2, JournalConflictError)] == [(row.index, type(row.error)) for row in told]


async def test_plan_has_the_first_text() -> None:
    """The first text that would go out is there as it would; of nobody, none is."""
    found = await plan(FakeProvider(), [Message("nobody", "Hi"), Message("0917 000 0001", "Ho")])

    assert found.first is not None
    assert ("+639170000001", "Ho", 1) == (
        found.first.e164,
        found.first.message.text,
        found.first.index,
    )
    assert None is (await plan(FakeProvider(), [])).first


@pytest.mark.parametrize(("resend", "in_doubt"), [(True, 2), (False, 0)])
async def test_plan_counts_who_may_be_texted_twice(
    tmp_path: Path, resend: bool, in_doubt: int
) -> None:
    """With `resend_unknown` a plan says how many may have got their text already."""
    path = tmp_path / "june.db"
    with Journal.open(path) as journal:
        client = SmsClient(FakeProvider(send=lose), journal=journal)
        async with client, client.send_many(to_many(2)) as run:
            await run.drain()
    with Journal.open(path, resend_unknown=resend) as journal:
        found = await plan(FakeProvider(), to_many(5), journal=journal)

    assert (in_doubt, 3 + in_doubt) == (found.in_doubt, found.recipients)
    assert in_doubt == found.to_dict()["in_doubt"]


async def test_what_was_certainly_not_sent_is_in_no_doubt(tmp_path: Path) -> None:
    """Who is sent to again after a refusal that may pass gets one text, and is not counted."""
    with Journal.open(tmp_path / "june.db", resend_unknown=True) as journal:
        client = SmsClient(FakeProvider(send=refusing(healable=True)), journal=journal)
        async with client:
            async with client.send_many(to_many(2)) as run:
                await run.drain()
            found = await client.plan_many(to_many(2))

    assert (2, 0) == (found.recipients, found.in_doubt)
