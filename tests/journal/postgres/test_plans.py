"""What a statement reads does not grow with its campaign, whatever the planner knows of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from support.postgres.reading import reading

from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import Connection, run
from iprog_async._journal.postgres.session import open_campaign
from iprog_async._journal.postgres.statements import Statement, Statements


ROWS = 400
AT_ONCE = 40
# A row, what it is looked up by, the index's end; and the row as it was before it was changed.
MOST_READ = 8


class Campaign:
    """A campaign that grows, and a session that has its plans since it was empty."""

    def __init__(self, address: PostgresAddress) -> None:
        self.connection, opened = open_campaign(address, "june", 1)
        self.statements = Statements(address.schema, opened.id)
        self.schema = address.schema
        self.size = 0

    def say(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Run a statement, as the journal does."""
        cursor = run(self.connection, statement.sql, statement.values(rows))
        return cursor.fetchall() if cursor.description is not None else []

    def grow(self, count: int) -> None:
        """Add messages, a few at once: they are claimed, and accepted."""
        for first in range(self.size, self.size + count, AT_ONCE):
            self.say(self.statements.claim_new, [_new(first)])
            others = range(first + 1, first + AT_ONCE)
            values = [(*_new(number), 0, "released", True, False) for number in others]
            claimed = self.say(self.statements.claim, values)
            ended = [
                (row, attempt, "accepted", False, "", "", None) for *_, attempt, row in claimed
            ]
            self.say(self.statements.record, ended)
        self.size += count

    def read_by(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> int:
        """Return how many rows of its indexes a statement reads."""
        with reading(self.connection, self.schema, "entries") as read:
            self.say(statement, rows)
        return read.rows


_KNOWN = """
SELECT c.reltuples, s.n_distinct, pg_relation_size(c.oid)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_stats AS s ON (s.schemaname, s.tablename) = (n.nspname, c.relname)
WHERE n.nspname = %s AND c.relname = %s AND s.attname = 'campaign'
"""


def test_of_a_new_campaign_only_the_column_is_known(postgres_journal: str) -> None:
    """The planner knows that all rows are of it, and not that there are none: it will grow."""
    address = PostgresAddress.parse(postgres_journal)
    connection, opened = open_campaign(address, "june")
    with connection:
        known = run(connection, _KNOWN, [address.schema, f"entries_{opened.id}"]).fetchall()
    assert [(-1.0, 1.0, 0)] == known


def _new(number: int) -> tuple[str, str, bytes, int, int]:
    return f"+63917{number:07d}", f"key {number}", b"hash", 1, 1_000 + number


@pytest.fixture
def campaign(postgres_journal: str) -> Iterator[Campaign]:
    """Return a campaign of some hundred messages."""
    made = Campaign(PostgresAddress.parse(postgres_journal))
    connection: Connection = made.connection
    with connection:
        made.grow(ROWS)
        yield made


@pytest.mark.parametrize("analysed", [False, True], ids=["as it grew", "analysed"])
def test_reads_few(campaign: Campaign, *, analysed: bool) -> None:
    """A claim and its record find their row in the index, and read no others."""
    if analysed:
        run(campaign.connection, f"ANALYZE {campaign.schema}.entries")
    statements, fresh = campaign.statements, _new(ROWS + 1)
    claim = (*_new(ROWS + 2), 0, "released", True, False)
    number, key, *_, attempt = _new(1)
    read = {
        "new": campaign.read_by(statements.claim_new, [fresh]),
        "again": campaign.read_by(statements.claim_new, [_new(1)]),
        "claim": campaign.read_by(statements.claim, [claim]),
        "contested": campaign.read_by(statements.contested, [claim]),
        "record": campaign.read_by(
            statements.record, [(1, attempt, "accepted", False, "", "", None)]
        ),
        "release": campaign.read_by(
            statements.release, [(number, key, b"hash", attempt, "released", False, "", "", None)]
        ),
        "look up": campaign.read_by(statements.by_key, [(number, key)]),
    }
    assert {} == {name: count for name, count in read.items() if count > MOST_READ}
