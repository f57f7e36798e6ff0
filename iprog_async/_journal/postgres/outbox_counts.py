"""How much is in an outbox, for people."""

from __future__ import annotations

from attrs import frozen

from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, run, translated
from iprog_async._journal.postgres.migrations import check_version, schema_version
from iprog_async._journal.postgres.schema import quoted


@frozen
class OutboxCounts:
    """What is in the outbox of a campaign.

    Args:
        campaign: Its name.
        waiting: How many texts are to be sent.
        oldest_seconds: How long the oldest of them has waited, or `None`.
        in_doubt: How many may have been sent, while somebody may still be at them.
        done: How many are on record in the journal with their outcome.
    """

    campaign: str
    waiting: int
    oldest_seconds: float | None
    in_doubt: int
    done: int


def count_outbox(address: PostgresAddress) -> list[OutboxCounts]:
    """Count what is in the outbox of each campaign that has used it.

    Raises:
        ConfigurationError: The driver is missing.
        JournalError: The database can't be reached or read, or has no journal.
    """
    with connect(address) as connection, translated(address):
        check_version(address, schema_version(connection, address.schema))
        query = f"""
SELECT campaign, count(*) FILTER (WHERE state = 'waiting'),
  extract(epoch FROM clock_timestamp() - min(enqueued_at) FILTER (WHERE state = 'waiting'))::float8,
  count(*) FILTER (WHERE state = 'unknown'), count(*) FILTER (WHERE state = 'done')
FROM {quoted(address.schema)}.outbox GROUP BY campaign ORDER BY campaign"""  # noqa: S608 - constants
        return [OutboxCounts(*row) for row in run(connection, query)]
