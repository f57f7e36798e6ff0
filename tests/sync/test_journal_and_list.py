"""The journal and the list of suppressed numbers, from code that has no event loop."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.core.fakes import NUMBER, FakeProvider, TellingProvider, lose
from support.sync import run_program

import iprog_async
from iprog_async import (
    ConfigurationError,
    Inbound,
    JournalError,
    Message,
    OutcomeUnknownError,
    SuppressedError,
    WrongLoopError,
    provider_from_url,
    sync,
)
from iprog_async._core.checks import Synchronous
from iprog_async._journal.sqlite.store import SqliteStore
from iprog_async.inbound import InboundApp
from iprog_async.sandbox import Fault, Sandbox
from iprog_async.sync import Journal, SmsClient, Suppressions


OTHER = "+639180000000"


@pytest.fixture
def stops(tmp_path: Path) -> Iterator[Suppressions]:
    """Return an empty list."""
    with Suppressions.open(tmp_path / "stop.db", region="PH") as opened:
        yield opened


def test_numbers_come_and_go(stops: Suppressions) -> None:
    """Each is put on the list once, and what happened can be read."""
    said = [stops.add("0917 123 4567", why="by phone"), stops.add(NUMBER), stops.remove(OTHER)]
    held = stops.contains("0917 123 4567"), stops.count(), [each.number for each in stops.list()]
    stops.remove(NUMBER, why="asked to be back")

    assert [True, False, False] == said
    assert (True, 1, [NUMBER]) == held
    assert [("added", "by phone"), ("removed", "asked to be back")] == [
        (each.change, each.why) for each in stops.changes()
    ]


def test_lines_go_in_and_out(stops: Suppressions, tmp_path: Path) -> None:
    """What one list exports, another one imports."""
    stops.import_lines(["0917 123 4567  # Ann", OTHER], why="old list")
    written = io.StringIO()
    with Suppressions.open(tmp_path / "other.txt") as other:
        assert 2 == stops.export(written)
        found = other.import_lines(written.getvalue().splitlines())
        assert (2, 0) == (found.added, found.known)
        assert [*stops.list()] == [*other.list()]


def test_both_kinds_of_clients_take_both_kinds_of_lists(stops: Suppressions) -> None:
    """Whoever says STOP is texted by neither, before any network."""
    provider = FakeProvider()
    inbound = Inbound(sender=NUMBER, to=None, text="STOP", received_at=None, id=None, gateway="x")
    assert "stop" == stops.hear(inbound)
    for given in (stops, stops.asynchronous):
        with SmsClient(provider, suppressions=given) as sms:
            with pytest.raises(SuppressedError):
                sms.send(NUMBER, "Hi")
            sms.send(OTHER, "Hi")
    iprog_async.SmsClient(provider, suppressions=stops.asynchronous)

    assert [OTHER, OTHER] == [prepared.e164 for (prepared,) in provider.sent]


def test_many_threads_use_one_list(stops: Suppressions) -> None:
    """Each number is put on it once."""
    numbers = [f"+63917{number:07}" for number in range(20)] * 2
    with ThreadPoolExecutor(8) as threads:
        added = sum(threads.map(stops.add, numbers))

    assert (20, 20) == (added, stops.count())


def test_what_is_unknown_is_settled(tmp_path: Path) -> None:
    """Its next send with the key gets the receipt of the one that was settled."""
    provider = FakeProvider(send=lose)
    with Journal.open(tmp_path / "j.db") as journal:
        with SmsClient(provider, journal=journal) as sms:
            with pytest.raises(OutcomeUnknownError):
                sms.send(NUMBER, "Hi", key="a")
            (unknown,) = journal.unknown()
            settled = journal.settle("0917 123 4567", outcome="accepted", region="PH")
            sms.send(NUMBER, "Hi", key="a")
            with pytest.raises(JournalError, match="not unknown"):
                journal.settle(NUMBER, outcome="accepted")
        entry = journal.outcome_of(NUMBER, "a")

    assert ("unknown", "accepted", 1) == (unknown.state, settled.state, len(provider.sent))
    assert settled == entry


class OwnClient(SmsClient[Any]):
    """A client to which its user has added something."""


class OwnJournal(Journal):
    """A journal to which its user has added something."""


class OwnSuppressions(Suppressions):
    """A list to which its user has added something."""


@pytest.mark.parametrize("client", [SmsClient, OwnClient])
def test_a_gateways_list_settles_what_it_has(
    tmp_path: Path, sms_sandbox: Sandbox, client: type[SmsClient[Any]]
) -> None:
    """The client of this package is who asks for it, or one that is made of it."""
    sms_sandbox.add_fault(Fault("POST /infopromo/*", "drop_after"))
    sms = client(provider_from_url(sms_sandbox.address("infopromo")))
    with Journal.open(tmp_path / "j.db") as journal, sms:
        with sms.send_many([Message(NUMBER, "Hi")], journal=journal) as run:
            assert 1 == run.drain().unknown
        found = journal.reconcile(sms)

        assert (1, 1) == (found.settled, journal.counts()["accepted"])


def test_people_are_taken_out(tmp_path: Path) -> None:
    """By their number, or by age; a repeat is not sent."""
    provider = FakeProvider()
    with Journal.open(tmp_path / "j.db") as journal:
        with SmsClient(provider, journal=journal) as sms:
            sms.send(NUMBER, "Hi", key="a")
            with sms.send_many([Message(OTHER, "Hi")], journal=journal) as run:
                run.drain()
            assert (1, 0) == (journal.forget(NUMBER), journal.prune(older_than=timedelta(days=1)))
            sms.send(NUMBER, "Hi", key="a")
        written = io.StringIO()
        count = journal.export(written)

    assert (2, 2) == (count, len(provider.sent))
    assert (False, True) == (NUMBER in written.getvalue(), OTHER in written.getvalue())


def test_deliveries_are_followed(tmp_path: Path) -> None:
    """`follow` takes such a journal, and its counts say how far the texts are."""
    provider = TellingProvider(states=["failed"])
    with Journal.open(tmp_path / "j.db") as journal, SmsClient(provider) as sms:
        with sms.send_many([Message(NUMBER, "Hi")], journal=journal) as run:
            run.drain()
        planned = sms.plan_many([Message(NUMBER, "Hi")], journal=journal)
        followed = sms.follow(journal)

        assert (1, 1) == (planned.resumed, followed.failed)
        assert (1, 1) == (journal.counts()["failed"], journal.deliveries()["failed"])
        assert [NUMBER] == [entry.number for entry in journal.failed()]
        assert [*journal.failed()] == [*journal.entries()]
        assert str(tmp_path / "j.db") == journal.path


async def test_where_a_loop_runs_they_say_so(tmp_path: Path) -> None:
    """Waiting would stop it; the error names what to use there."""
    with Journal.open(tmp_path / "j.db") as journal, Suppressions.open(tmp_path / "s.db") as stops:
        calls: list[Callable[[], object]] = [
            journal.counts,
            journal.entries,
            lambda: journal.forget(NUMBER),
            stops.count,
            stops.list,
            lambda: stops.add(NUMBER),
        ]
        for place, each in enumerate(calls):
            name = "journal" if place < 3 else "list"
            words = rf"^this {name} .*its \.asynchronous.*The {name} was neither read nor changed$"
            with pytest.raises(WrongLoopError, match=words):
                each()
        assert 0 == await stops.asynchronous.count()
        assert 0 == (await journal.asynchronous.counts())["accepted"]


@pytest.mark.parametrize(
    ("client", "kept", "listed"),
    [(SmsClient, Journal, Suppressions), (OwnClient, OwnJournal, OwnSuppressions)],
    ids=["of the package", "made of it"],
)
async def test_the_other_clients_say_what_to_pass(
    tmp_path: Path, client: Any, kept: type[Journal], listed: type[Suppressions]
) -> None:
    """A journal or a list of this package is told apart where it can't be used."""
    provider, messages = FakeProvider(), [Message(NUMBER, "Hi")]
    async_client: Any = iprog_async.SmsClient
    app: Any = InboundApp
    with kept.open(tmp_path / "j.db") as journal, listed.open(tmp_path / "s.db") as stops:
        wrong: Any = journal
        async with async_client(provider) as sms:
            calls: list[Callable[[], object]] = [
                lambda: async_client(provider, journal=journal),
                lambda: async_client(provider, suppressions=stops),
                lambda: app({}, secret="s" * 32, suppressions=stops),
                lambda: sms.send_many(messages, journal=journal),
            ]
            pass_it = r"is a \w+ of iprog_async\.sync: pass its \.asynchronous"
            for each in calls:
                with pytest.raises(ConfigurationError, match=pass_it):
                    each()
            for asked in (sms.plan_many(messages, journal=journal), sms.follow(journal)):
                with pytest.raises(ConfigurationError, match=pass_it):
                    await asked
            with pytest.raises(ConfigurationError, match="here reconcile takes a client of iprog"):
                wrong.reconcile(sms)
        other: Any = client(provider)
        with pytest.raises(ConfigurationError, match="here reconcile takes a client of iprog"):
            await journal.asynchronous.reconcile(other)


@pytest.mark.parametrize("name", sync.__all__)
def test_all_of_the_package_is_marked(name: str) -> None:
    """What is of synchronous code can be told from below, where its classes have no name."""
    assert issubclass(getattr(sync, name), Synchronous)


def test_an_open_list_is_no_suppress(stops: Suppressions) -> None:
    """It is said where it goes instead, whichever form it has."""
    with SmsClient(FakeProvider()) as sms:
        for given in (stops, stops.asynchronous):
            wrong: Any = given
            with pytest.raises(ConfigurationError, match=r"not Suppressions; an open list"):
                sms.send_many([Message(NUMBER, "Hi")], suppress=wrong)


async def test_an_open_list_is_no_suppress_of_a_client_with_a_loop(tmp_path: Path) -> None:
    """There, too, it is the client that takes it."""
    async with iprog_async.SmsClient(FakeProvider()) as sms:
        with Suppressions.open(tmp_path / "s.db") as stops:
            wrong: Any = stops.asynchronous
            with pytest.raises(ConfigurationError, match=r"SmsClient\(…, suppressions=…\)"):
                await sms.plan_many([Message(NUMBER, "Hi")], suppress=wrong)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_reading_does_not_go_on_in_a_forked_process(tmp_path: Path) -> None:
    """The error names what was read."""
    program = """
import os, warnings
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
from iprog_async import ClientClosedError
from iprog_async.sync import Suppressions

with Suppressions.open("stop.db") as stops:
    stops.add("+639180000000"), stops.add("+639190000000")
    reading = stops.list()
    next(reading)
    child = os.fork()
    if child == 0:
        try:
            next(reading)
        except ClientClosedError as error:
            print(error, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    reading.close()
"""
    assert "was reading the list of suppressed numbers, and can't" in run_program(program, tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_goes_on_with_them(tmp_path: Path) -> None:
    """It opens the journal anew, and both processes see what the other one did."""
    program = """
import os, sys, warnings
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
from iprog_async.sandbox import Sandbox
from iprog_async.sync import Journal, SmsClient, Suppressions

with Journal.open("j.db") as journal, Suppressions.open("stop.db") as stops, Sandbox() as sandbox:
    with SmsClient.from_url(sandbox.address("iprog"), journal=journal) as sms:
        sms.send("+639171234567", "Hi", key="a")
        stops.add("+639180000000")
        child = os.fork()
        if child == 0:
            sms.send("+639171234567", "Ho", key="b")
            stops.add("+639190000000")
            print(journal.counts()["accepted"], stops.count(), flush=True)
            sms.close(), journal.close()
            os._exit(0)
        os.waitpid(child, 0)
        print(journal.counts()["accepted"], stops.count())
"""
    assert "2 2\n2 2\n" == run_program(program, tmp_path)


def test_what_a_journal_can_not_be_asked_about_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A send with a key, and a run, say that an earlier one may have sent the text."""

    async def fail(*_: object, **__: object) -> object:
        raise JournalError("the disk is gone")

    with (
        Journal.open(tmp_path / "j.db") as journal,
        SmsClient(FakeProvider(), journal=journal) as sms,
    ):
        sms.send(NUMBER, "Hi", key="a")
        monkeypatch.setattr(SqliteStore, "look_up", fail)
        with sms.send_many([Message(NUMBER, "Hi", key="a")]) as run:
            outcome = next(iter(run))
        journal.close()
        with pytest.raises(OutcomeUnknownError) as caught:
            sms.send(NUMBER, "Hi", key="a")

    assert ("unknown", 1) == (outcome.state, run.counts.unknown)
    assert isinstance(caught.value.not_resent, JournalError)
