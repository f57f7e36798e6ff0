"""Making the rows of a journal older than they are."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from iprog_async._journal.postgres.address import PostgresAddress, is_address
from iprog_async._journal.postgres.connecting import connect, run
from support.journal.journaling import Place


def age(path: Place, days: int) -> None:
    """Make all rows of a journal that nobody has open older by so many days."""
    if is_address(path):
        address = PostgresAddress.parse(str(path))
        with connect(address) as connection:
            table = f'"{address.schema}".entries'
            query = f"UPDATE {table} SET claimed_at = claimed_at - make_interval(days => %s)"  # noqa: S608 - a test's own words
            run(connection, query, [days])
        return
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE entries SET day = day - ?", (days,))
        connection.commit()
