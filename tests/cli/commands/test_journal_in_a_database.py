"""The journal's commands with the address of a database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlsplit

import pytest
from support.cli.bulk import people, write_csv
from support.cli.runner import Cli, Ran
from support.postgres.addresses import with_query
from support.postgres.passwords import PASSWORD, with_password

from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, run
from iprog_async._journal.postgres.schema import VERSION
from iprog_async.sandbox import Fault, Sandbox


pytestmark = pytest.mark.usefixtures("_no_waiting")

SPELLINGS = (PASSWORD, PASSWORD.replace("/", "%2F"), "h0rse")


def test_init(cli: Cli, postgres_address: str) -> None:
    """The tables are made once; a second time, and a migration, find them."""
    schema = PostgresAddress.parse(postgres_address).schema
    made = [
        cli("journal", command, postgres_address).out for command in ("init", "init", "migrate")
    ]
    assert f"brought up to date: schema {schema}, version {VERSION}" in made[0]
    assert all("is up to date" in words for words in made[1:])
    again = cli("journal", "migrate", postgres_address, "--json").json
    assert (VERSION, 0) == (again["version"], again["steps"])


def test_init_for_who_may_not(cli: Cli, postgres_address: str) -> None:
    """The printed SQL makes a journal, with the rights of a role, and needs no connection."""
    nowhere = "postgresql://127.0.0.1:1/d?schema=" + PostgresAddress.parse(postgres_address).schema
    sql = cli("journal", "init", nowhere, "--print", "--grant", "pg_monitor").out
    with connect(PostgresAddress.parse(postgres_address)) as connection:
        run(connection, sql)
    left = cli("journal", "migrate", postgres_address, "--print").out
    assert f"has version {VERSION} already" in left
    assert 'TO "pg_monitor"' in sql


def test_init_of_a_file(cli: Cli, tmp_path: Path) -> None:
    """A file needs no tables to be made."""
    ran = cli("journal", "init", str(tmp_path / "june.db"))
    assert 2 == ran.code
    assert "no postgresql:// address" in ran.err


@pytest.fixture
def address(postgres_journal: str) -> Iterator[str]:
    """Return the address of a journal, with a password."""
    with with_password(postgres_journal) as address:
        yield address


def _bulk(cli: Cli, address: str, path: str, *more: str) -> Ran:
    how = ("--text", "Hi {name}", "--journal", address, "--campaign", "june", "--from", "ACME")
    return cli("bulk", path, *how, "--yes", "--concurrency", "1", *more)


def test_a_campaign(
    cli: Cli,
    sandbox: Sandbox,
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run, its resuming, and every look at its journal work by the address; nobody sees it."""
    monkeypatch.setenv("SMS_URL", sandbox.address("infopromo"))
    sandbox.add_fault(Fault("POST /infopromo/*", "drop_after"))
    path = write_csv(tmp_path / "june.csv", [(f"+63{to[1:]}", name) for to, name in people(3)])
    shown = PostgresAddress.parse(address).shown

    dry = _bulk(cli, address, path, "--dry-run")
    assert f"{shown} (new)" in dry.out
    first = _bulk(cli, address, path)
    assert "--campaign=june" in first.out
    second = _bulk(cli, address, path)
    counts = cli("journal", "show", address, "--json")
    assert (shown, 2, 1) == (
        counts.json["file"],
        counts.json["counts"]["accepted"],
        counts.json["counts"]["unknown"],
    )
    unknown = cli("journal", "unknown", address, "--campaign", "june", "--json")
    exported = cli("journal", "export", address, "--format", "jsonl")
    assert (1, 3) == (len(unknown.json), len(exported.out.splitlines()))
    settled = cli("journal", "reconcile", address, "--json")
    assert (0, 1) == (settled.code, settled.json["settled"])
    assert 3 == len({json.loads(line)["number"] for line in exported.out.splitlines()})
    for ran in (dry, first, second, counts, unknown, exported, settled):
        assert not any(spelling in ran.out + ran.err for spelling in SPELLINGS)


@pytest.mark.parametrize("command", ["show", "unknown", "export", "reconcile", "init", "migrate"])
def test_a_wrong_password(command: str, cli: Cli, postgres_journal: str) -> None:
    """A server that refuses is one error that says what to look at, without the password."""
    with with_password(postgres_journal, "h0rse-and-another") as address:
        ran = cli("journal", command, address)
    if ran.code == 0:
        pytest.skip("this server asks nobody for a password")
    assert "can't reach the journal" in ran.err
    assert not any(spelling in ran.out + ran.err for spelling in SPELLINGS)


def test_the_doctor(cli: Cli, postgres_journal: str, address: str) -> None:
    """The doctor tells of server and commit, and what would keep a run from sending."""
    looked = cli("doctor", "--journal", address, "--json")
    assert looked.json["journal"]["server"] in cli("doctor", "--journal", address).out
    assert "on (is kept): a claim survives a crash" in cli("doctor", "--journal", address).out
    assert abs(looked.json["journal"]["clock_difference"]) < 60
    read_only = with_query(postgres_journal, options="-c default_transaction_read_only=on")
    assert "it is read-only, though no standby" in cli("doctor", "--journal", read_only).out
    other = with_query(postgres_journal, schema="test_of_nobody")
    assert "iprog-async journal init" in cli("doctor", "--journal", other).out
    away = cli("doctor", "--journal", f"postgresql://somebody:{SPELLINGS[1]}@127.0.0.1:1/d")
    assert "can't reach the journal" in away.out
    assert not any(spelling in looked.out + away.out + away.err for spelling in SPELLINGS)


def test_the_doctor_and_the_fleet(cli: Cli, postgres_journal: str) -> None:
    """It says which schema there is, and whether a fleet can work with it."""
    looked = cli("doctor", "--journal", postgres_journal).out
    assert f"version {VERSION}" in looked
    assert "its tables and those of its job queue are there" in looked
    parsed = PostgresAddress.parse(postgres_journal)
    with connect(parsed) as connection:
        run(
            connection,
            f"DELETE FROM {parsed.schema}.fleet_queue_migrations "  # noqa: S608 - a test's own
            f"WHERE name = (SELECT max(name) FROM {parsed.schema}.fleet_queue_migrations)",
        )
    assert (
        "the job queue of the fleet lacks 1 steps"
        in cli("doctor", "--journal", postgres_journal).out
    )


def test_a_role_that_is_not_there(cli: Cli, postgres_journal: str) -> None:
    """Granting to nobody changes nothing, and says what to do."""
    ran = cli("journal", "migrate", postgres_journal, "--grant", "nobody_of_this_name")
    assert (3, True) == (ran.code, "Nothing was changed; make that role first" in ran.err)


def test_a_role_that_may_make_nothing(cli: Cli, postgres_journal: str) -> None:
    """Who may not make the tables is told who may, and how they can be made by somebody else."""
    role = f"iprog_async_reader_{token_hex(4)}"
    with connect(PostgresAddress.parse(postgres_journal)) as connection:
        run(connection, f"CREATE ROLE {role} LOGIN PASSWORD 'h0rse-and-reader'")
    try:
        parts = urlsplit(postgres_journal)
        netloc = f"{role}:h0rse-and-reader@{parts.netloc.rpartition('@')[2]}"
        address = with_query(parts._replace(netloc=netloc).geturl(), schema="of_a_reader")
        ran = cli("journal", "init", address)
    finally:
        with connect(PostgresAddress.parse(postgres_journal)) as connection:
            run(connection, f"DROP ROLE {role}")
    assert (3, True) == (ran.code, "it needs CREATE on the database" in ran.err)


def test_the_doctor_and_a_file(cli: Cli, tmp_path: Path) -> None:
    """Of a file the doctor says whether it can be read."""
    missing = cli("doctor", "--journal", str(tmp_path / "june.db"), "--json").json["journal"]
    assert "can't open the journal" in missing["problems"][0]
