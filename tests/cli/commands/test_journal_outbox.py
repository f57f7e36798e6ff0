"""`iprog-async journal outbox` counts what programs have enqueued."""

from __future__ import annotations

from pathlib import Path

import psycopg
from support.cli.runner import Cli
from support.outbox.connections import plain
from support.outbox.looking import told

from iprog_async import Message
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async.outbox import enqueue_sync


def test_counts(cli: Cli, postgres_journal: str) -> None:
    """Each campaign has a line, with the age of what has waited longest."""
    schema = PostgresAddress.parse(postgres_journal).schema
    nothing = cli("journal", "outbox", postgres_journal).out
    with psycopg.connect(plain(postgres_journal)) as connection:
        for campaign, key in (("", "a"), ("", "b"), ("", "c"), ("june", "a")):
            message = Message("+639171234567", "Hi", key=key)
            enqueue_sync(message, connection=connection, campaign=campaign, schema=schema)
    told(postgres_journal, "UPDATE {outbox} SET enqueued_at = now() - interval '1 hour'")
    told(postgres_journal, "UPDATE {outbox} SET state = 'done' WHERE key = 'b' OR campaign <> ''")
    told(postgres_journal, "UPDATE {outbox} SET state = 'unknown' WHERE key = 'c'")
    counted = cli("journal", "outbox", postgres_journal).out
    first, second = cli("journal", "outbox", postgres_journal, "--json").json["campaigns"]

    assert "nothing was enqueued here\n" == nothing
    assert "campaign '': 1 waiting (the oldest for 1:00:" in counted
    assert "campaign 'june': 0 waiting, 0 in doubt, 1 done\n" in counted
    assert ("", 1, 1, 1) == tuple(
        first[name] for name in ("campaign", "waiting", "in_doubt", "done")
    )
    assert ("june", None) == (second["campaign"], second["oldest_seconds"])


def test_file_has_none(cli: Cli, tmp_path: Path) -> None:
    """The journal of a file is answered with what has an outbox."""
    ran = cli("journal", "outbox", str(tmp_path / "june.db"))
    assert 2 == ran.code
    assert "a journal in a file has no outbox" in ran.err
