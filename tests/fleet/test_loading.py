from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from importlib import util
from typing import Any

import pytest
from support.core.fakes import FakeProvider
from support.fleet.sending import CAMPAIGN, people, rows
from support.waiting import LONG

from iprog_async import (
    ConfigurationError,
    EncodingSetting,
    ExpiredError,
    HttpPool,
    Message,
    NotSent,
    SmsClient,
)
from iprog_async._bulk.source import Messages
from iprog_async.fleet import EnqueueReport, Worker, enqueue_many
from iprog_async.testing import InstantClock
from iprog_async_providers import IprogProvider


ANA, BEN = "09171234567", "09181234567"
LATER = datetime(2099, 1, 1, tzinfo=UTC)


async def load(journal: str, messages: Messages, **options: Any) -> EnqueueReport:
    """Load messages that go nowhere."""
    async with SmsClient(IprogProvider("fleet-test-token")) as sms:
        return await enqueue_many(sms, messages, journal=journal, campaign=CAMPAIGN, **options)


SAME = {
    "the same text": ([Message(ANA, "a"), Message("+639171234567", "a")], 1),
    "another text": ([Message(ANA, "a"), Message(ANA, "b")], 2),
    "another number": ([Message(ANA, "a"), Message(BEN, "a")], 2),
    "the same key": ([Message(ANA, "a", key="1"), Message(ANA, "b", key="1")], 1),
    "another key": ([Message(ANA, "a", key="1"), Message(ANA, "a", key="2")], 2),
    "a key and none": ([Message(ANA, "a", key="1"), Message(ANA, "a")], 2),
    "another time": (
        [Message(ANA, "a", schedule_at=LATER), Message(ANA, "a", schedule_at=LATER + timedelta(1))],
        2,
    ),
    "a time and none": ([Message(ANA, "a", schedule_at=LATER), Message(ANA, "a")], 2),
}


@pytest.mark.parametrize("case", SAME)
async def test_duplicates(case: str, postgres_journal: str) -> None:
    """The database finds the same duplicates as a run in one process does."""
    messages, enqueued = SAME[case]
    report = await load(postgres_journal, messages)
    assert (enqueued, len(messages) - enqueued) == (report.enqueued, report.duplicates)


async def test_the_end_of_a_text_is_kept_with_it(postgres_journal: str) -> None:
    """Its own or the run's, and another end makes no other text of it."""
    own = [Message(ANA, "a", not_after=LATER), Message(ANA, "a"), Message(BEN, "b")]
    report = await load(postgres_journal, own, not_after=LATER + timedelta(1))
    again = await load(postgres_journal, [Message(BEN, "b", not_after=LATER)])

    assert (2, 1, 0, 1) == (report.enqueued, report.duplicates, again.enqueued, again.waiting)
    assert [(LATER,), (LATER + timedelta(1),)] == rows(
        postgres_journal, "SELECT unnest(not_after) FROM {schema}.fleet_chunks"
    )


@pytest.mark.parametrize(("encoding", "enqueued"), [(None, 2), ("auto", 2), ("gsm-7", 1)])
async def test_texts_are_loaded_as_they_travel(
    encoding: EncodingSetting | None, enqueued: int, postgres_journal: str
) -> None:
    """Look-alikes are replaced before a text is loaded; then two such texts are one."""
    texts = ["It\u2019s " + "a" * 100, "It's " + "a" * 100]
    report = await load(postgres_journal, [Message(ANA, text) for text in texts], encoding=encoding)
    assert (enqueued, 2 - enqueued) == (report.enqueued, report.duplicates)


ODD = [
    *("\\N", "\\.", "\\", "\\x41", "a\\tb", "a\tb", "a\nb", "a\r\nb", "a\vb\fc", "\x1f\x7f"),
    *("{a,b}", '"a"', "'a'", "NULL", "\u00a0a\u2028b\u0085c", "\N{PARTY POPPER}"),
]


async def test_odd_texts_are_loaded_as_they_are(postgres_journal: str) -> None:
    """Whatever a text or a key has in it that means something to COPY is kept."""
    messages = [Message(ANA, text, key=text) for text in ODD]
    messages.append(Message(ANA, "later", schedule_at=LATER))
    report = await load(postgres_journal, messages)
    found = rows(
        postgres_journal,
        "SELECT w.* FROM {schema}.fleet_chunks, unnest(texts, keys, schedules) AS w",
    )
    assert report.total == report.enqueued
    assert {(one.text, one.key, one.schedule_at) for one in messages} == set(found)


async def test_one_per_number(postgres_journal: str) -> None:
    """With `one_per_number` each number gets its first text only."""
    messages = [Message(ANA, "a"), Message(BEN, "a"), Message(ANA, "b"), Message(ANA, "a")]
    report = await load(postgres_journal, messages, one_per_number=True)
    assert (2, 1, 1) == (report.enqueued, report.repeated, report.duplicates)


async def test_who_is_left_out_is_told(postgres_journal: str) -> None:
    """Whatever is not loaded is told, by its place and in the words of a run."""
    left_out: list[NotSent] = []
    messages = [Message("none", "a"), Message(ANA, "a"), Message(BEN, "a"), Message(ANA, "a")]
    report = await load(postgres_journal, messages, suppress=[BEN], left_out=left_out.append)
    assert (4, 1, 1, 1, 1) == (
        report.total,
        report.enqueued,
        report.invalid,
        report.suppressed,
        report.duplicates,
    )
    assert [0, 2, 3] == sorted(outcome.index for outcome in left_out)
    kinds = {outcome.index: type(outcome.error).__name__ for outcome in left_out}
    assert "DuplicateMessageError" == kinds[3]


async def test_what_the_hours_never_let_out_is_not_loaded(postgres_journal: str) -> None:
    """It would expire first, or nobody knows its clock; what the journal has is on record."""
    evening = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)  # 20:30 in Manila
    satellite, tonight = "+870773111632", evening + timedelta(hours=2)
    messages = [
        Message(ANA, "a", not_after=tonight),
        Message(BEN, "b", not_after=evening + timedelta(1)),
        Message(satellite, "c"),
    ]
    left_out: list[NotSent] = []
    async with (
        HttpPool(clock=InstantClock(evening)) as pool,
        SmsClient(FakeProvider(), pool=pool, send_between="08:00-20:00") as sms,
    ):
        where: dict[str, Any] = {"journal": postgres_journal, "campaign": CAMPAIGN}
        report = await enqueue_many(sms, messages, left_out=left_out.append, **where)
        reloaded = Message(BEN, "b", not_after=tonight)
        again = await enqueue_many(sms, [reloaded], **where)

    assert (3, 1, 1, 2) == (report.total, report.enqueued, report.expired, report.invalid)
    assert (0, 1) == (again.expired, again.waiting)
    expired, unknown = sorted(left_out, key=lambda outcome: outcome.index)
    assert isinstance(expired.error, ExpiredError)
    assert (0, tonight) == (expired.index, expired.error.not_after)
    assert "the policy send_between has this text wait until" in str(expired.error)
    assert (2, True) == (unknown.index, "nobody knows the time zone" in str(unknown.error))


async def test_loading_again_adds_nothing(postgres_journal: str) -> None:
    """What waits already is not loaded a second time, so that loading may be repeated."""
    first = await load(postgres_journal, people(120))
    again = await load(postgres_journal, people(121))
    assert (120, 0) == (first.enqueued, first.waiting)
    assert (1, 120) == (again.enqueued, again.waiting)
    jobs = rows(postgres_journal, "SELECT count(*) FROM {schema}.procrastinate_jobs")
    assert [(first.chunks + again.chunks,)] == jobs


class Held:
    """People whose last one comes when it is let go."""

    def __init__(self) -> None:
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[Message]:
        """Iterate over them."""
        self.begun.set()
        for message in people(3):
            yield message
        await self.may_end.wait()


@pytest.mark.parametrize("text", ["Hi {}", "Hello {}"])
async def test_of_two_loaders_at_once_one_loads(
    text: str, postgres_journal: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The other one waits for it, and then finds what it has loaded."""
    caplog.set_level(logging.INFO, "iprog_async.fleet")
    held = Held()
    first = asyncio.create_task(load(postgres_journal, held))
    await held.begun.wait()
    second = asyncio.create_task(load(postgres_journal, people(3, text)))
    async with asyncio.timeout(LONG):
        while not (second.done() or "is waited for" in caplog.text):  # noqa: ASYNC110 - a log
            await asyncio.sleep(0.01)
    held.may_end.set()
    reports = [await first, await second]
    assert [3, 0] == [report.enqueued for report in reports]
    assert [0, 3] == [report.waiting + report.conflicts for report in reports]


async def test_a_loader_that_is_gone_keeps_nobody_waiting(postgres_journal: str) -> None:
    """Whatever ended it, the next one loads."""
    held = Held()
    first = asyncio.create_task(load(postgres_journal, held))
    await held.begun.wait()
    second = asyncio.create_task(load(postgres_journal, people(3)))
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert 3 == (await second).enqueued


@pytest.mark.parametrize(("allowed", "enqueued"), [(False, 0), (True, 1)])
async def test_a_fixed_typo(allowed: bool, enqueued: int, postgres_journal: str) -> None:
    """A number that waits for a text gets no other one of the campaign, unless that is allowed."""
    await load(postgres_journal, [Message(ANA, "Helo")])
    report = await load(postgres_journal, [Message(ANA, "Hello")], allow_changed_text=allowed)
    assert (enqueued, 1 - enqueued) == (report.enqueued, report.conflicts)


async def test_a_loader_that_fails_leaves_nothing(postgres_journal: str) -> None:
    """A loader that ends in the middle leaves neither texts nor jobs."""

    async def broken() -> AsyncIterator[Message]:
        for message in people(1500):
            yield message
        raise OSError("the file is gone")

    async with SmsClient(IprogProvider("fleet-test-token")) as sms:
        with pytest.raises(OSError, match="gone"):
            await enqueue_many(sms, broken(), journal=postgres_journal, campaign=CAMPAIGN)
    for table in ("fleet_runs", "fleet_chunks", "procrastinate_jobs"):
        assert [(0,)] == rows(postgres_journal, f"SELECT count(*) FROM {{schema}}.{table}")  # noqa: S608 - ours


async def test_equal_texts_are_in_one_chunk(postgres_journal: str) -> None:
    """Equal texts are put together, so that they travel together."""
    messages = [Message(f"0917{n:07d}", f"Hi from {n % 4}") for n in range(200)]
    report = await load(postgres_journal, messages, chunk_size=50)
    found = rows(
        postgres_journal,
        "SELECT size, (SELECT count(DISTINCT t) FROM unnest(texts) AS t) "
        "FROM {schema}.fleet_chunks",
    )
    assert (4, [(50, 1)] * 4) == (report.chunks, found)


async def test_a_chunk_is_in_the_order_of_the_file(postgres_journal: str) -> None:
    """Texts by the place of their first one, and the people of each as they were read."""
    messages = [Message(f"+63917{n:07d}", f"Hi from {n % 3}") for n in range(300)]
    await load(postgres_journal, messages, chunk_size=40)
    found = rows(postgres_journal, "SELECT numbers FROM {schema}.fleet_chunks ORDER BY chunk")
    expected = [message.to for text in range(3) for message in messages[text::3]]
    assert expected == [number for (numbers,) in found for number in numbers]


async def test_options_of_an_adapter_are_refused(postgres_journal: str) -> None:
    """What a worker could not rebuild is no silent loss: the message is invalid."""
    report = await load(postgres_journal, [Message(ANA, "a", options=object())])
    assert (0, 1) == (report.enqueued, report.invalid)


@pytest.mark.parametrize(
    "options",
    [
        {"chunk_size": 0},
        {"max_credits": 0},
        {"halt_after_unknown": 0},
        {"at": datetime(2099, 1, 1)},
        {"queue": ""},
        {"queue": "q" * 41},
        {"queue": "a\0b"},
    ],
)
async def test_wrong_options(options: dict[str, Any], postgres_journal: str) -> None:
    """Options that make no sense are refused before anything is read."""
    with pytest.raises(ConfigurationError):
        await load(postgres_journal, people(1), **options)


async def test_a_file_is_no_journal_of_a_fleet() -> None:
    """A fleet needs an address; the error says what it looks like."""
    with pytest.raises(ConfigurationError, match="postgresql://"):
        await load("june.db", people(1))


async def test_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without procrastinate the error is the line that installs it."""
    real = util.find_spec

    def find(name: str, package: str | None = None) -> Any:
        return None if name == "procrastinate" else real(name, package)

    monkeypatch.setattr("iprog_async.fleet._database.find_spec", find)
    async with SmsClient(IprogProvider("fleet-test-token")) as sms:
        with pytest.raises(ConfigurationError, match=r"iprog-async\[postgres\]"):
            Worker(sms, "postgresql://localhost/sms")
    await asyncio.sleep(0)
