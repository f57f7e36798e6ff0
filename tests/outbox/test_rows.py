"""What a sender's statements read does not grow with what waits."""

from __future__ import annotations

import pytest
from support.postgres.reading import reading

from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import Connection, run
from iprog_async._journal.postgres.session import open_campaign
from iprog_async.outbox._database import SETTINGS
from iprog_async.outbox._rows import OutboxStatements


SOME = 20
MANY = 600
TIMES_UNTIL_PREPARED = 6
# A row, and what it was before it was changed; those taken on the way to one that waits.
MOST_READ = SOME + 4
_FILL = """
INSERT INTO "{schema}".outbox (campaign, number, key, text)
SELECT '', '+63' || n, 'key ' || n, 'Hi' FROM generate_series(%s::integer, %s::integer) AS n"""


def _fill(connection: Connection, schema: str, first: int, last: int) -> None:
    run(connection, _FILL.format(schema=schema), [first, last])


@pytest.mark.parametrize("vacuumed", [False, True], ids=["as it grew", "vacuumed"])
def test_reads_few(postgres_journal: str, *, vacuumed: bool) -> None:
    """A session whose plans are of the time when few waited reads those rows that it is about."""
    address = PostgresAddress.parse(postgres_journal)
    connection, campaign = open_campaign(address, "")
    statements = OutboxStatements(address.schema, campaign.id)
    asked: dict[str, tuple[str, dict[str, object]]] = {
        "take": (statements.take, {"campaign": "", "lease": 20.0, "limit": 1}),
        "renew": (statements.renew, {"ids": [3], "takes": [1], "lease": 20.0}),
        "put back": (statements.put_back, {"ids": [3], "takes": [1], "delays": [1.0]}),
        "finish": (statements.finish, {"ids": [4]}),
        "doubt": (statements.doubt, {"ids": [5]}),
        "sweep": (statements.sweep, {"campaign": ""}),
    }
    with connection:
        run(connection, SETTINGS)
        _fill(connection, address.schema, 1, SOME)
        if vacuumed:
            # As the server does by itself at any time: then it knows how few they are.
            run(connection, f"VACUUM {address.schema}.outbox")
        for _ in range(TIMES_UNTIL_PREPARED):
            for statement, values in asked.values():
                run(connection, statement, values)
        _fill(connection, address.schema, SOME + 1, MANY)
        read: dict[str, int] = {}
        for name, (statement, values) in asked.items():
            with reading(connection, address.schema, "outbox") as looked:
                run(connection, statement, values)
            read[name] = looked.rows
    assert {} == {name: count for name, count in read.items() if count > MOST_READ}
