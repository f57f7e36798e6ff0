"""What a fleet's statements read grows with its chunks, and no faster."""

from __future__ import annotations

from support.fleet.sending import CAMPAIGN
from support.postgres.reading import reading

from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import run
from iprog_async._journal.postgres.session import open_campaign
from iprog_async.fleet._chunking import DEFER


CHUNKS = 300
# A chunk is looked at once, and so is its job; with what is left of an index that was changed.
MOST_READ = 3 * CHUNKS
_RUN = """
INSERT INTO {schema}.fleet_runs (campaign, run, queue, size, settings)
VALUES (%s, 1, 'q', 1, '{{}}')"""
_CHUNKS = """
INSERT INTO {schema}.fleet_chunks (campaign, run, chunk, size)
SELECT %s, 1, n, 1 FROM generate_series(1, %s::integer) AS n"""


def test_chunks_without_a_job_are_found_in_one_go(postgres_journal: str) -> None:
    """Also where the planner knows nothing yet of a campaign that was loaded a moment ago."""
    address = PostgresAddress.parse(postgres_journal)
    connection, campaign = open_campaign(address, CAMPAIGN)
    everything = {"campaign": None, "run": None}
    made: list[int] = []
    read: dict[str, int] = {}
    with connection:
        # As a worker's session is: the journal's own has other plans.
        run(connection, "RESET ALL")
        run(connection, f"SET search_path = {address.schema}")
        run(connection, _RUN.format(schema=address.schema), [campaign.id])
        run(connection, _CHUNKS.format(schema=address.schema), [campaign.id, CHUNKS])
        for _ in range(2):
            with (
                reading(connection, address.schema, "procrastinate_jobs") as jobs,
                reading(connection, address.schema, "fleet_chunks") as chunks,
            ):
                found = run(connection, DEFER.format(schema=address.schema), everything)
                made += [count for (count,) in found]
            read = {"jobs": jobs.rows, "chunks": chunks.rows}
    assert [CHUNKS, 0] == made
    assert {} == {name: count for name, count in read.items() if count > MOST_READ}
