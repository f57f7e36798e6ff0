from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.cli.runner import Cli
from support.fleet.sending import counts_of, gateway, rows
from support.kill.gateway import CountingGateway
from support.waiting import LONG

from iprog_async import Journal, Message, SmsClient
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._fleet.watch import code_of
from iprog_async.fleet import CampaignStatus, RunStatus
from iprog_async.outbox import enqueue_sync


PEOPLE = 120


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[CountingGateway]:
    """Return the gateway that the commands send to."""
    with gateway() as started:
        monkeypatch.setenv("SMS_URL", f"iprog://fleet-test-token@?base_url={started.base_url}")
        yield started


@pytest.fixture
def people(tmp_path: Path) -> str:
    """Return a file of people, one of whom is in it twice."""
    rows = [f"0917{number:07d},Ana {number}\n" for number in (*range(PEOPLE), 0)]
    path = tmp_path / "people.csv"
    path.write_text("phone,name\n" + "".join(rows), encoding="utf-8")
    return str(path)


def enqueue(cli: Cli, people: str, journal: str, *more: str) -> list[str]:
    """Return the words that load a file."""
    named = ("--text", "Hi {name}", "--journal", journal, "--campaign", "june")
    return ["bulk", people, *named, "--enqueue", *more]


def put_into_outbox(journal: str) -> None:
    """Commit a text to the outbox."""
    parsed = PostgresAddress.parse(journal)
    text = Message("+639181234567", "Order 42 is on its way.", key="order-42")
    with connect(parsed) as shop:
        enqueue_sync(text, connection=shop, schema=parsed.schema)


def await_texts(counting: CountingGateway, count: int) -> None:
    """Wait until a gateway has so many texts."""
    end = time.monotonic() + LONG
    while counting.texts.total() < count:
        assert time.monotonic() < end, "the texts did not come"
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.usefixtures("counting")
def test_loading_halting_and_watching(cli: Cli, people: str, postgres_journal: str) -> None:
    """A file is loaded once; the campaign is halted, watched and resumed by its name."""
    dry = cli(*enqueue(cli, people, postgres_journal, "--dry-run"))
    assert (0, True) == (dry.code, f"to send      {PEOPLE}" in dry.out)
    loaded = cli(*enqueue(cli, people, postgres_journal, "--yes"))
    assert f"Loaded: {PEOPLE} texts in 3 chunks" in loaded.out
    assert "iprog-async worker --journal" in loaded.out
    again = cli(*enqueue(cli, people, postgres_journal, "--yes", "--json")).json
    assert (0, PEOPLE) == (again["enqueued"]["enqueued"], again["enqueued"]["waiting"])

    of_june = (postgres_journal, "--campaign", "june")
    assert "halted" in cli("journal", "halt", *of_june, "--why", "a typo").out
    watched = cli("journal", "show", *of_june, "--watch")
    assert (4, True) == (watched.code, "halted    a typo" in watched.out)
    again = cli("journal", "halt", *of_june, "--why", "two typos")
    assert "it was halted already; what is said of it now: two typos" in again.out
    shown = cli("journal", "show", postgres_journal)
    assert [f"loaded    {PEOPLE}, done 0", "halted    two typos"] == shown.out.splitlines()[4:6]
    assert PEOPLE == cli("journal", "show", *of_june, "--json").json["loaded"]["size"]
    assert "3 chunks will be sent" in cli("journal", "resume", *of_june).out


@pytest.mark.parametrize(
    ("counts", "halted", "code"),
    [
        ({"accepted": 2}, None, 0),
        ({"accepted": 2, "failed": 1}, None, 1),
        ({"accepted": 1, "not_sent": 1}, None, 4),
        ({"accepted": 2}, "a typo", 4),
        ({"accepted": 1, "unknown": 1}, "a typo", 6),
    ],
)
def test_what_watching_ends_with(counts: dict[str, int], halted: str | None, code: int) -> None:
    """The exit code says what that of `bulk` says."""
    zero = {"accepted": 0, "failed": 0, "not_sent": 0, "unknown": 0}
    chunks = {"chunks": 2, "chunks_done": 1, "max_credits": None, "credits_taken": 0}
    run = RunStatus(run=1, size=3, halted=halted, scheduled=False, **chunks, **(zero | counts))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - numbers by their names
    status = CampaignStatus(campaign="june", runs=(run,), workers=())
    assert code == code_of(status)


@pytest.mark.slow
def test_a_worker_with_an_outbox_is_no_second_campaign(
    cli: Cli, people: str, postgres_journal: str, counting: CountingGateway
) -> None:
    """The campaign without a name that it makes is not meant where none is named."""
    cli(*enqueue(cli, people, postgres_journal, "--yes"))
    Journal.open(postgres_journal).close()
    shown = cli("journal", "show", postgres_journal)
    assert (0, True) == (shown.code, f"loaded    {PEOPLE}, done 0" in shown.out)
    put_into_outbox(postgres_journal)
    with Journal.open(postgres_journal) as journal:
        asyncio.run(_send(journal))
    assert "several campaigns" in cli("journal", "show", postgres_journal).err


async def _send(journal: Journal) -> None:
    async with SmsClient.from_env(journal=journal) as sms:
        await sms.send("+639181234567", "Hi", key="a")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--enqueue"], "postgresql://"),
        (["--enqueue", "--journal", "june.db"], "postgresql://"),
        (["--queue", "other"], "--enqueue"),
        (["--priority", "2"], "--enqueue"),
    ],
)
@pytest.mark.usefixtures("counting")
def test_wrong_words(words: list[str], complaint: str, cli: Cli, people: str) -> None:
    """What belongs to the workers needs `--enqueue`, and that an address."""
    ran = cli("bulk", people, "--text", "Hi", *words, "--yes")
    assert (2, True) == (ran.code, complaint in ran.err)


def test_a_file_is_not_watched(cli: Cli, tmp_path: Path) -> None:
    """What workers do is in a database; of a file `--watch` is an error that says so."""
    ran = cli("journal", "show", str(tmp_path / "june.db"), "--watch")
    assert (2, True) == (ran.code, "--watch" in ran.err)


@pytest.mark.slow
@pytest.mark.usefixtures("counting")
def test_what_all_workers_keep_is_loaded_with_the_texts(
    cli: Cli, people: str, postgres_journal: str
) -> None:
    """The hours, until when a text is worth sending, and the characters that travel."""
    hours = ("--send-between", "08:00-20:00", "--zone", "Asia/Manila", "--not-after", "in 9 days")
    written = ("--encoding", "gsm-7", "--text", "It\u2019s " + "a" * 100)
    loaded = cli(
        *("bulk", people, *written, *hours, "--journal", postgres_journal, "--enqueue", "--yes")
    )
    ((settings,),) = rows(postgres_journal, "SELECT settings FROM {schema}.fleet_runs")
    ends = rows(postgres_journal, "SELECT DISTINCT unnest(not_after) FROM {schema}.fleet_chunks")
    texts = rows(postgres_journal, "SELECT DISTINCT unnest(texts) FROM {schema}.fleet_chunks")

    assert 0 == loaded.code
    assert ("08:00-20:00", "Asia/Manila") == (settings["send_between"], settings["zone"])
    assert (1, [("It's " + "a" * 100,)]) == (len(ends), texts)


def hours_to_come() -> tuple[str, ...]:
    """Return words for hours that have not begun, and an end before they do."""
    now = datetime.now(UTC)
    first, last = (f"{now + timedelta(hours=count):%H}:00" for count in (4, 6))
    return ("--send-between", f"{first}-{last}", "--zone", "UTC", "--not-after", "in 2 hours")


@pytest.mark.slow
@pytest.mark.usefixtures("counting")
def test_what_is_too_late_is_not_loaded(cli: Cli, tmp_path: Path, postgres_journal: str) -> None:
    """It is called so by the preview, a dry run, and the loading, which then ends as refused."""
    path = tmp_path / "people.csv"
    path.write_text("phone,name\n09171234567,Ana\n12,Ben\n", encoding="utf-8")
    words = enqueue(cli, str(path), postgres_journal, *hours_to_come())
    dry = cli(*words, "--dry-run")
    loaded = cli(*words, "--yes")
    as_json = cli(*words, "--yes", "--json")

    assert [4, 4, 4] == [dry.code, loaded.code, as_json.code]
    late = "too late     1 (could not leave by --not-after; not sent)"
    assert [True, True] == [
        late in ran.out and "invalid      1" in ran.out for ran in (dry, loaded)
    ]
    assert loaded.out.endswith(
        "Loaded: 0 texts in 0 chunks\n"
        "Left out: 1 invalid, 1 too late (could not leave by --not-after)\n"
    )
    assert (1, 1) == (as_json.json["enqueued"]["expired"], as_json.json["plan"]["expired"])
    assert [(0,)] == rows(postgres_journal, "SELECT count(*) FROM {schema}.fleet_chunks")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX systems")
def test_a_worker_in_a_process(
    counting: CountingGateway, cli: Cli, people: str, postgres_journal: str, tmp_path: Path
) -> None:
    """A worker sends chunks and the outbox, is healthy meanwhile, and ends well at SIGTERM."""
    cli(*enqueue(cli, people, postgres_journal, "--yes"))
    put_into_outbox(postgres_journal)
    healthy = tmp_path / "healthy"
    command = [sys.executable, "-m", "iprog_async", "worker", "--journal", postgres_journal]
    process = subprocess.Popen([*command, "--health", str(healthy)])  # noqa: S603 - ours
    try:
        watched = cli("journal", "show", postgres_journal, "--campaign", "june", "--watch")
        assert (0, True) == (watched.code, f"accepted  {PEOPLE}" in watched.out)
        assert healthy.exists()
        await_texts(counting, PEOPLE + 1)
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(LONG)
    assert (0, PEOPLE + 1, {1}) == (code, len(counting.texts), set(counting.texts.values()))


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX systems")
def test_a_second_sigterm_stops_at_once(
    monkeypatch: pytest.MonkeyPatch, cli: Cli, people: str, postgres_journal: str
) -> None:
    """It waits for no answer any more, says what that means, and the journal has it as unknown."""
    with CountingGateway(latency=600) as silent:
        monkeypatch.setenv("SMS_URL", f"iprog://fleet-test-token@?base_url={silent.base_url}")
        monkeypatch.setenv("PYTHONUNBUFFERED", "1")
        cli(*enqueue(cli, people, postgres_journal, "--yes"))
        command = [sys.executable, "-m", "iprog_async", "worker", "--journal", postgres_journal]
        with subprocess.Popen(  # noqa: S603 - ours
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                await_texts(silent, 1)
                process.terminate()
                assert process.stdout is not None
                assert any("once more stops at once" in line for line in process.stdout)
                process.terminate()
                _, said = process.communicate(timeout=LONG)
            finally:
                process.kill()
        assert (ExitCode.TERMINATED, True) == (process.returncode, "outcome is unknown" in said)
        sent = silent.texts.total()
    counts = asyncio.run(counts_of(postgres_journal))
    assert (sent, 0) == (counts["unknown"], counts["accepted"])
