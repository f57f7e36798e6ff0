from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.postgres.addresses import with_query

from iprog_async import Journal, JournalError, JournalReader
from iprog_async._journal.postgres import job_queue, migrations, schema
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, run, translated
from iprog_async._journal.postgres.migrations import Migrated, done_in, migrate, printed
from iprog_async._journal.postgres.schema import Step, grants


def test_a_schema_is_made_once(postgres_address: str) -> None:
    """Making a journal twice changes nothing the second time."""
    address = PostgresAddress.parse(postgres_address)
    assert Migrated(schema.VERSION, schema.VERSION) == migrate(address)
    assert Migrated(schema.VERSION, 0) == migrate(address)


def test_two_at_once_make_it_once(postgres_address: str) -> None:
    """Of several that migrate at the same time, one does, and the others find it done."""
    address = PostgresAddress.parse(postgres_address)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(migrate, [address] * 4))
    assert [0, 0, 0, schema.VERSION] == sorted(each.steps for each in done)


def test_what_is_printed_makes_it(postgres_address: str) -> None:
    """The SQL for people who may not run DDL themselves makes the same as the command does."""
    address = PostgresAddress.parse(postgres_address)
    with connect(address) as connection:
        run(connection, printed(address.schema))
    assert Migrated(schema.VERSION, 0) == migrate(address)
    Journal.open(postgres_address).close()
    assert "already" in printed(address.schema, after=done_in(address))


def test_what_is_printed_makes_a_job_queue_that_came_later(
    postgres_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where procrastinate was installed after the tables were made, its own are printed."""
    address = PostgresAddress.parse(postgres_address)
    monkeypatch.setattr(job_queue, "_all_names", list[str])
    migrate(address)
    assert "already" in printed(address.schema, after=done_in(address))
    monkeypatch.undo()
    sql = printed(address.schema, after=done_in(address))
    with connect(address) as connection:
        run(connection, sql)
        assert 0 == job_queue.steps_missing(connection, address.schema)
    assert "already" in printed(address.schema, after=done_in(address))


def test_a_step_of_the_job_queue_that_is_missing(
    postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a newer procrastinate that step is printed that the tables lack, and nothing else."""
    address = PostgresAddress.parse(postgres_journal)
    names = sorted(done_in(address).queue_steps or ())
    with connect(address) as connection:
        run(
            connection,
            f"DELETE FROM {address.schema}.fleet_queue_migrations WHERE name = %s",  # noqa: S608 - a test's own words
            [names[-1]],
        )
    sql = printed(address.schema, after=done_in(address))
    assert [name in sql for name in names] == [False] * (len(names) - 1) + [True]


def test_a_step_more(postgres_journal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release with one step more stops until the journal is migrated, and then works."""
    address = PostgresAddress.parse(postgres_journal)
    more = Step("more", "CREATE TABLE {schema}.more (id integer);\n")
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, more))
    monkeypatch.setattr(migrations, "VERSION", schema.VERSION + 1)
    for place in (Journal, JournalReader):
        with pytest.raises(JournalError, match="run iprog-async journal migrate"):
            place.open(postgres_journal)
    assert "more" in printed(address.schema, after=done_in(address))
    assert 1 == migrate(address).steps
    Journal.open(postgres_journal).close()


def test_a_schema_of_a_newer_release(
    postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a newer release made is not written by an older one."""
    monkeypatch.setattr(migrations, "VERSION", 0)
    with pytest.raises(JournalError, match="update iprog-async"):
        Journal.open(postgres_journal)


def test_no_journal_there(postgres_address: str) -> None:
    """A database without a journal says how to make one; nothing is made behind one's back."""
    for _ in range(2):
        with pytest.raises(JournalError, match="iprog-async journal init"):
            Journal.open(postgres_address)


def documented_rights(after: str) -> str:
    """Return the SQL that the documentation has after some words."""
    page = (Path(__file__).parents[3] / "docs" / "postgres.md").read_text("utf-8")
    return page.partition(f"{after}\n\n```sql\n")[2].partition("```")[0]


def test_documented_rights() -> None:
    """The rights that the documentation lists are those that are given."""
    listed = documented_rights("with `--print` you see it:")
    given = grants("iprog_async", "sender").replace('"', "").splitlines()
    assert listed.splitlines() == [line for line in given if line]


@pytest.fixture
def as_role(postgres_journal: str) -> Iterator[Callable[[str, str], str]]:
    """Return what makes a role with some grants; it returns the journal's address for it."""
    address = PostgresAddress.parse(postgres_journal)
    made: list[str] = []

    def make(role: str, granted: str) -> str:
        with connect(address) as connection:
            run(connection, f"CREATE ROLE {role}")
            made.append(role)
            run(connection, granted)
        return with_query(postgres_journal, options=f"-c role={role}")

    yield make
    with connect(address) as connection:
        for role in made:
            run(connection, f"DROP OWNED BY {role}")
            run(connection, f"DROP ROLE {role}")


async def test_least_privilege(as_role: Callable[[str, str], str], postgres_journal: str) -> None:
    """A role with the documented grants sends, resumes and reads, and may change no table."""
    name = PostgresAddress.parse(postgres_journal).schema
    sender = as_role(f"{name}_sender", grants(name, f"{name}_sender"))
    with Journal.open(sender, campaign="june") as journal:
        await journal.begin_run()
        assert 0 == (await journal.counts())["accepted"]
        limits = journal.store.limits()
        assert "" == await limits.change(b"an account", lambda state, _: ("", state))
        await limits.aclose()
    with JournalReader.open(sender, campaign="june") as reader:
        assert 0 == (await reader.counts())["accepted"]
    with pytest.raises(JournalError, match="permission denied"):
        migrate_all_anew(sender)


@pytest.mark.parametrize("campaign", ["june", None])
async def test_whoever_only_reads_sees_no_salt(
    campaign: str | None, as_role: Callable[[str, str], str], postgres_journal: str
) -> None:
    """With the documented grants for reading, a role reads a journal and guesses no text."""
    Journal.open(postgres_journal, campaign="june").close()
    name = PostgresAddress.parse(postgres_journal).schema
    granted = documented_rights("the texts are hashed with stays out of sight:")
    role = f"{name}_reader"
    address = as_role(role, granted.replace("iprog_async", name).replace("TO reader", f"TO {role}"))
    with JournalReader.open(address, campaign=campaign) as reader:
        assert 0 == (await reader.counts())["accepted"]
        assert [] == [entry async for entry in reader.entries()]
    parsed = PostgresAddress.parse(address)
    with (
        pytest.raises(JournalError, match="permission denied"),
        connect(parsed) as connection,
        translated(parsed),
    ):
        run(connection, f"SELECT salt FROM {name}.campaigns")  # noqa: S608 - a test's own
    with pytest.raises(JournalError, match="permission denied"):
        Journal.open(address, campaign=campaign)


def migrate_all_anew(place: str) -> None:
    """Make a schema of another name."""
    migrate(PostgresAddress.parse(with_query(place, schema="test_of_a_sender")))
