from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.postgres.fixtures import with_query

from iprog_async import Journal, JournalError, JournalReader
from iprog_async._journal.postgres import migrations, schema
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, run
from iprog_async._journal.postgres.migrations import Migrated, migrate, printed
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
    assert "already" in printed(address.schema, after=schema.VERSION)


def test_a_step_more(postgres_journal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release with one step more stops until the journal is migrated, and then works."""
    address = PostgresAddress.parse(postgres_journal)
    more = Step("more", "CREATE TABLE {schema}.more (id integer);\n")
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, more))
    monkeypatch.setattr(migrations, "VERSION", schema.VERSION + 1)
    for place in (Journal, JournalReader):
        with pytest.raises(JournalError, match="run iprog-async journal migrate"):
            place.open(postgres_journal)
    assert "more" in printed(address.schema, after=schema.VERSION)
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


def test_documented_rights() -> None:
    """The rights that the documentation lists for the journal are among those that are given."""
    page = (Path(__file__).parents[3] / "docs" / "postgres.md").read_text("utf-8")
    listed = page.partition("with `--print` you see it:\n\n```sql\n")[2].partition("```")[0]
    given = grants("iprog_async", "sender").replace('"', "").splitlines()
    assert listed
    assert set() == set(listed.splitlines()) - set(given)


@pytest.fixture
def sender(postgres_journal: str) -> str:
    """Return the address for a role that may send, and nothing more."""
    address = PostgresAddress.parse(postgres_journal)
    role = f"{address.schema}_sender"
    with connect(address) as connection:
        run(connection, f"CREATE ROLE {role}")
        run(connection, grants(address.schema, role))
    return with_query(postgres_journal, options=f"-c role={role}")


async def test_least_privilege(sender: str, postgres_journal: str) -> None:
    """A role with the documented grants sends, resumes and reads, and may change no table."""
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
    address = PostgresAddress.parse(postgres_journal)
    with connect(address) as connection:
        run(connection, f"DROP OWNED BY {address.schema}_sender")
        run(connection, f"DROP ROLE {address.schema}_sender")


def migrate_all_anew(place: str) -> None:
    """Make a schema of another name."""
    migrate(PostgresAddress.parse(with_query(place, schema="test_of_a_sender")))
