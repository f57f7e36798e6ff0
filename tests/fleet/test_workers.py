from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from secrets import token_hex
from typing import Any

import pytest
from support.fleet.sending import (
    CAMPAIGN,
    client_of,
    counts_of,
    gateway,
    people,
    rows,
    until_ended,
    until_texts,
    working,
)
from support.postgres.addresses import with_query
from support.waiting import LONG

from iprog_async import (
    ConfigurationError,
    Journal,
    JournalError,
    Message,
    SmsClient,
    Suppressions,
)
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, run
from iprog_async._journal.postgres.migrations import migrate
from iprog_async._journal.postgres.schema import grants
from iprog_async.fleet import FleetCampaign, Worker, enqueue_many
from iprog_async.fleet._worker_run import WorkerRun
from iprog_async.outbox import enqueue_sync
from iprog_async.testing import SmsOutbox
from iprog_async_providers import IprogProvider


async def test_everybody_is_texted_once(postgres_journal: str) -> None:
    """A worker sends what was loaded, puts it on record, and erases numbers and texts."""
    with gateway() as counting:
        async with client_of(counting.base_url) as sms:
            await enqueue_many(sms, people(300), journal=postgres_journal, campaign=CAMPAIGN)
            async with working(sms, postgres_journal):
                status = await until_ended(postgres_journal)
    assert (300, 300, 0) == (status.size, status.done, sum(run.unknown for run in status.runs))
    assert {1} == set(counting.texts.values())
    assert 300 == (await counts_of(postgres_journal))["accepted"]
    left = (
        "SELECT count(*) FROM {schema}.fleet_chunks WHERE numbers IS NOT NULL OR texts IS NOT NULL"
    )
    assert [(0,)] == rows(postgres_journal, left)
    assert [(0,)] == rows(postgres_journal, "SELECT count(*) FROM {schema}.procrastinate_jobs")
    assert [(0,)] == rows(postgres_journal, "SELECT count(*) FROM {schema}.fleet_workers")


async def test_numbers_that_said_stop_are_skipped(postgres_journal: str) -> None:
    """A worker with the list texts nobody who said STOP after the texts were loaded."""
    with gateway() as counting, Suppressions.open(postgres_journal, region="PH") as suppressions:
        async with client_of(counting.base_url, suppressions=suppressions) as sms:
            stopped = [message.to for message in people(5)]
            await enqueue_many(sms, people(60), journal=postgres_journal, campaign=CAMPAIGN)
            await suppressions.import_lines(stopped, why="STOP")
            async with working(sms, postgres_journal):
                status = await until_ended(postgres_journal)
    assert (60, 55) == (status.done, len(counting.texts))
    assert 55 == (await counts_of(postgres_journal))["accepted"]


@pytest.mark.slow
async def test_loading_after_sending(postgres_journal: str) -> None:
    """Who is on record as texted is not loaded again, and a new one is."""
    with gateway() as counting:
        async with client_of(counting.base_url) as sms:
            for count in (60, 61):
                report = await enqueue_many(
                    sms, people(count), journal=postgres_journal, campaign=CAMPAIGN
                )
                async with working(sms, postgres_journal):
                    await until_ended(postgres_journal)
    assert (1, 60) == (report.enqueued, report.on_record)
    assert (61, {1}) == (len(counting.texts), set(counting.texts.values()))


@pytest.mark.slow
async def test_what_a_run_has_sent_is_not_sent_by_a_worker(postgres_journal: str) -> None:
    """A bulk run and the workers of a campaign have one journal: who has the text is skipped."""
    with gateway() as counting:
        async with client_of(counting.base_url) as sms:
            await enqueue_many(sms, people(100), journal=postgres_journal, campaign=CAMPAIGN)
            opened = await asyncio.to_thread(Journal.open, postgres_journal, campaign=CAMPAIGN)
            async with sms.send_many(people(40), journal=opened) as run:
                await run.drain()
            await asyncio.to_thread(opened.close)
            async with working(sms, postgres_journal):
                status = await until_ended(postgres_journal)
    assert (100, {1}) == (len(counting.texts), set(counting.texts.values()))
    assert 100 == sum(run.accepted for run in status.runs)


async def test_halt_and_resume(postgres_journal: str) -> None:
    """A campaign that is halted is not begun by any worker, and is sent once it is resumed."""
    with gateway() as counting:
        async with client_of(counting.base_url) as sms:
            await enqueue_many(sms, people(200), journal=postgres_journal, campaign=CAMPAIGN)
            async with FleetCampaign(postgres_journal, CAMPAIGN) as campaign:
                assert 1 == await campaign.halt("a typo")
                assert 0 == await campaign.halt("another typo")
                async with working(sms, postgres_journal):
                    assert "another typo" == (await until_ended(postgres_journal)).halted
                    assert 0 == counting.texts.total()
                    assert 0 < await campaign.resume()
                    await until_ended(postgres_journal)
                assert 0 == await campaign.halt("too late")
    assert (200, {1}) == (len(counting.texts), set(counting.texts.values()))


@pytest.mark.slow
async def test_a_worker_of_another_gateway(postgres_journal: str) -> None:
    """It sends nothing of a campaign that was loaded for another one, and ends with an error."""
    with gateway() as counting:
        async with client_of(counting.base_url) as sms:
            await enqueue_many(sms, people(60), journal=postgres_journal, campaign=CAMPAIGN)
            other = IprogProvider("fleet-test-token", name="other", base_url=counting.base_url)
            async with SmsClient(other, engine="asyncio") as wrong:
                with pytest.raises(ConfigurationError, match=r"was loaded for iprog, .* other"):
                    await Worker(wrong, postgres_journal, stalled_after=1).run()
                assert 0 == counting.texts.total()
                async with working(wrong, postgres_journal, any_gateway=True) as worker:
                    await until_ended(postgres_journal)
    assert (60, {1}) == (len(counting.texts), set(counting.texts.values()))
    assert {"accepted": 60} == worker.outcomes


async def test_a_worker_says_what_it_is_at(
    postgres_journal: str, caplog: pytest.LogCaptureFixture
) -> None:
    """There is a line when it begins with a campaign, and one with what came of it."""
    caplog.set_level(logging.INFO, "iprog_async.fleet")
    with gateway() as counting:
        async with client_of(counting.base_url) as sms:
            await enqueue_many(sms, people(60), journal=postgres_journal, campaign=CAMPAIGN)
            async with working(sms, postgres_journal):
                await until_ended(postgres_journal)
    said = [record.getMessage() for record in caplog.records if record.name.endswith("fleet")]
    assert [
        "the campaign 'june': begun",
        "the campaign 'june': nothing to do for now; accepted 60, not sent 0, unknown 0",
    ] == said


@pytest.mark.slow
async def test_a_worker_that_stops_leaves_the_rest_to_others(postgres_journal: str) -> None:
    """What is on its way ends, nothing is unknown, and another worker goes on at once."""
    with gateway() as counting:
        async with client_of(counting.base_url) as sms:
            await enqueue_many(sms, people(600), journal=postgres_journal, campaign=CAMPAIGN)
            async with working(sms, postgres_journal, concurrency=2):
                await until_texts(counting, 50)
            sent = counting.texts.total()
            assert sent == (await counts_of(postgres_journal))["accepted"]
            async with working(sms, postgres_journal):
                await until_ended(postgres_journal)
    assert (600, {1}) == (len(counting.texts), set(counting.texts.values()))
    assert 600 == (await counts_of(postgres_journal))["accepted"]


@pytest.mark.slow
async def test_lost_connections(postgres_journal: str, caplog: pytest.LogCaptureFixture) -> None:
    """A worker whose connections are ended says so, and goes on when it can."""
    caplog.set_level(logging.WARNING, "iprog_async")
    name = token_hex(4)
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'iprog-async {name}'"
    )
    with gateway() as counting:
        async with client_of(counting.base_url) as sms:
            await enqueue_many(sms, people(400), journal=postgres_journal, campaign=CAMPAIGN)
            async with working(sms, postgres_journal, concurrency=4, name=name):
                await until_texts(counting, 50)
                assert {(True,)} == set(rows(postgres_journal, cut.format(name=name)))
                await until_ended(postgres_journal)
    assert (400, {1}) == (len(counting.texts), set(counting.texts.values()))
    assert "The worker waits, and goes on when it can" in caplog.text


@pytest.mark.parametrize("hours", [0, -8])
async def test_the_last_time_that_there_is(hours: int, postgres_journal: str) -> None:
    """Texts that never expire are sent, in whatever zone the server and the program are."""
    last = datetime.max.replace(tzinfo=timezone(timedelta(hours=hours)))
    address = with_query(postgres_journal, options="-cTimeZone=Asia/Manila")
    async with SmsClient(SmsOutbox().provider) as sms:
        await enqueue_many(sms, people(3), journal=address, campaign=CAMPAIGN, not_after=last)
        async with working(sms, address):
            status = await until_ended(address)
    assert 3 == status.runs[0].accepted


async def test_what_is_for_later_waits(postgres_journal: str) -> None:
    """With `at=` nothing is sent before, and other campaigns are not held up."""
    at = datetime.now(UTC) + timedelta(days=1)
    with gateway() as counting:
        async with client_of(counting.base_url) as sms:
            await enqueue_many(
                sms, people(10, "Later {}"), journal=postgres_journal, campaign="later", at=at
            )
            await enqueue_many(sms, people(10), journal=postgres_journal, campaign=CAMPAIGN)
            async with working(sms, postgres_journal):
                await until_ended(postgres_journal)
            async with FleetCampaign(postgres_journal, "later") as later:
                (run,) = (await later.status()).runs
    assert (True, 0) == (run.scheduled, run.done)
    assert 10 == counting.texts.total()


@pytest.mark.slow
async def test_other_queues_are_left_alone(postgres_journal: str) -> None:
    """A worker takes jobs of its own queues only."""
    with gateway() as counting:
        async with client_of(counting.base_url) as sms:
            await enqueue_many(
                sms, people(10, "Not {}"), journal=postgres_journal, campaign="not", queue="other"
            )
            await enqueue_many(sms, people(10), journal=postgres_journal, campaign=CAMPAIGN)
            async with working(sms, postgres_journal):
                await until_ended(postgres_journal)
            assert 10 == counting.texts.total()
            async with working(sms, postgres_journal, queues=("other",)):
                await until_ended(postgres_journal, "not")
    assert 20 == counting.texts.total()


async def test_a_worker_sends_the_outbox_too(postgres_journal: str) -> None:
    """With `outbox=True` a worker sends chunks and what programs enqueue, and ends both."""
    parsed = PostgresAddress.parse(postgres_journal)
    text = Message("+639181234567", "Order 42 is on its way.", key="order-42")
    with gateway() as counting, Journal.open(postgres_journal) as journal:
        provider = IprogProvider("fleet-test-token", base_url=counting.base_url)
        async with SmsClient(provider, engine="asyncio", journal=journal) as sms:
            await enqueue_many(sms, people(60), journal=postgres_journal, campaign=CAMPAIGN)
            async with working(sms, postgres_journal, outbox=True):
                with connect(parsed) as shop:
                    enqueue_sync(text, connection=shop, schema=parsed.schema)
                await until_ended(postgres_journal)
                await until_texts(counting, 61)
            entry = await journal.outcome_of(text.to, "order-42")
    assert (61, {1}) == (len(counting.texts), set(counting.texts.values()))
    assert "accepted" == (entry and entry.state)


async def test_an_outbox_needs_a_journal() -> None:
    """A worker that is to send an outbox is refused a client that has none."""
    async with client_of("http://127.0.0.1:9") as sms:
        with pytest.raises(ConfigurationError, match="outbox needs a client with a journal"):
            Worker(sms, "postgresql://127.0.0.1:1/sms", outbox=True)


async def test_nothing_to_reach() -> None:
    """A worker that can't reach its journal at the beginning ends with an error about it."""
    async with client_of("http://127.0.0.1:9") as sms:
        with pytest.raises(JournalError, match="can't reach the journal"):
            await Worker(sms, "postgresql://127.0.0.1:1/sms").run()


@pytest.mark.parametrize(
    "options",
    [
        {"concurrency": 0},
        {"queues": ()},
        {"queues": ("",)},
        {"queues": ("fine", "q" * 41)},
        {"queues": ("ü" * 21,)},
        {"queues": ("\ud800",)},
        {"stalled_after": 0.5},
    ],
)
async def test_wrong_options(options: dict[str, Any]) -> None:
    """A worker that could do nothing is refused."""
    async with client_of("http://127.0.0.1:9") as sms:
        with pytest.raises(ConfigurationError):
            Worker(sms, "postgresql://127.0.0.1:1/sms", **options)


async def test_a_fault_in_a_worker_ends_it(
    postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is raised, and not tried again and again in silence; the texts wait for another worker."""
    begun: list[object] = []

    async def broken(self: WorkerRun, journal: object) -> None:
        begun.append(journal)
        raise ZeroDivisionError

    monkeypatch.setattr(WorkerRun, "_send_with", broken)
    gateway = SmsOutbox()
    async with SmsClient(gateway.provider) as sms:
        await enqueue_many(sms, people(3), journal=postgres_journal, campaign=CAMPAIGN)
        async with asyncio.timeout(LONG):
            with pytest.raises(ZeroDivisionError):
                await Worker(sms, postgres_journal).run()
        monkeypatch.undo()
        async with working(sms, postgres_journal):
            await until_ended(postgres_journal)

    assert (1, 3) == (len(begun), len(gateway.messages))


async def test_a_role_that_lacks_a_right(postgres_journal: str) -> None:
    """A worker that the server refuses something ends with an error that says what to grant."""
    schema = PostgresAddress.parse(postgres_journal).schema
    role = f"worker_{token_hex(6)}"
    with connect(PostgresAddress.parse(postgres_journal)) as connection:
        run(connection, f"CREATE ROLE {role}")
        try:
            run(connection, grants(schema, role))
            run(connection, f"REVOKE ALL ON {schema}.fleet_workers FROM {role}")
            limited = with_query(postgres_journal, options=f"-crole={role}")
            async with client_of("http://127.0.0.1:9") as sms:
                with pytest.raises(JournalError, match=r"fleet_workers.*docs/postgres\.md") as told:
                    await Worker(sms, limited).run()
        finally:
            run(connection, f"DROP OWNED BY {role}")
            run(connection, f"DROP ROLE {role}")
    assert (None, None) == (told.value.__cause__, told.value.__context__)


@pytest.mark.parametrize("name", ["a\0b", "a\ud800"])
async def test_a_campaign_with_half_a_character(name: str) -> None:
    """A name that no database can hold is refused before one is asked."""
    address = "postgresql://127.0.0.1:1/sms"
    async with client_of("http://127.0.0.1:9") as sms:
        with pytest.raises(ConfigurationError, match="half a character"):
            await enqueue_many(sms, people(1), journal=address, campaign=name)
    with pytest.raises(ConfigurationError, match="half a character"):
        FleetCampaign(address, name)
    with pytest.raises(ConfigurationError, match="half a character"):
        Journal.open(address, campaign=name)
    with pytest.raises(ConfigurationError, match="half a character"):
        enqueue_sync(Message("+639171234567", "Hi", key="a"), connection=object(), campaign=name)


async def test_a_campaign_that_is_not_there(postgres_journal: str) -> None:
    """Looking for a campaign that nobody has loaded is an error that names it."""
    with pytest.raises(JournalError, match="no campaign 'july'"):
        async with FleetCampaign(postgres_journal, "july"):
            raise AssertionError


@pytest.fixture
def other_journal(postgres_journal: str) -> Iterator[str]:
    """Return a journal in the same database, in another schema."""
    schema = f"other_{token_hex(6)}"
    address = with_query(postgres_journal, schema=schema)
    migrate(PostgresAddress.parse(address))
    yield address
    with connect(PostgresAddress.parse(address)) as connection:
        run(connection, f'DROP SCHEMA "{schema}" CASCADE')


@pytest.mark.slow
async def test_two_schemas_of_one_database_do_not_meet(
    postgres_journal: str, other_journal: str
) -> None:
    """Neither workers nor keys of one journal know anything of another, whatever their names."""
    with gateway() as counting:
        async with client_of(counting.base_url) as sms:
            for journal, text in ((postgres_journal, "ours"), (other_journal, "theirs")):
                await enqueue_many(sms, people(60, text), journal=journal, campaign=CAMPAIGN)
            async with working(sms, postgres_journal):
                ours = await until_ended(postgres_journal)
            sent = dict(counting.texts)
            untouched = await counts_of(other_journal)
            async with working(sms, other_journal):
                theirs = await until_ended(other_journal)
        for journal in (postgres_journal, other_journal):
            opened = await asyncio.to_thread(Journal.open, journal, campaign="orders")
            provider = IprogProvider("fleet-test-token", base_url=counting.base_url)
            async with SmsClient(provider, journal=opened) as sms:
                await sms.send("09171234567", "Hi", key="order-1")
            await asyncio.to_thread(opened.close)
    assert {("ours", 1)} == {(text, times) for (_, text), times in sent.items()}
    assert (60, 60, 0) == (ours.done, theirs.done, sum(untouched.values()))
    assert 2 == sum(n for (_, text), n in counting.texts.items() if text == "Hi")
