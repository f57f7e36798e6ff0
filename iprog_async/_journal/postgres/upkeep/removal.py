"""Taking people out of a journal in PostgreSQL.

While rows change their number and key, nobody may claim: a statement that began before would find
neither the old ones nor the new ones, and text somebody again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from iprog_async._core.errors import JournalError
from iprog_async._journal.postgres.connecting import Connection, ask, run
from iprog_async._journal.postgres.schema import quoted
from iprog_async._journal.postgres.statements import columns_of, is_connected, to_row
from iprog_async._journal.pseudonyms import MARK, Pseudonyms, national_digits
from iprog_async._journal.rows import Row, are_the_same
from iprog_async._journal.store import being_sent


_AT_ONCE = 1000


class Removal:
    """Takes people out of one campaign.

    Args:
        schema: The schema.
        campaign: The campaign's number.
        name: Its name.
        pseudonyms: What stands in the rows that have to stay.
    """

    def __init__(self, schema: str, campaign: int, name: str, pseudonyms: Pseudonyms) -> None:
        self._schema = quoted(schema)
        self._campaign = campaign
        self._name = name
        self._pseudonyms = pseudonyms

    def prune(self, connection: Connection, days: int) -> int:
        """Take the people out of rows that nobody has claimed for so many days; return how many."""
        query = (
            f"SELECT {columns_of()}, {is_connected()} FROM {self._schema}.entries AS e "  # noqa: S608 - constants
            f"WHERE e.campaign = {self._campaign} AND e.id > %s AND e.number < '{MARK}' "
            "AND e.claimed_at < now() - make_interval(days => %s) "
            f"ORDER BY e.id LIMIT {_AT_ONCE}"
        )
        after, count = 0, 0
        while True:
            with connection.transaction():
                self._keep_others_out(connection)
                found = run(connection, query, [after, days]).fetchall()
                rows = [to_row(values[:-1]) for values in found]
                live = {row.id for row, values in zip(rows, found, strict=True) if values[-1]}
                old = [row for row in rows if row.state != "claimed" or row.id not in live]
                self._hide(connection, old)
            if not rows:
                self._prune_outbox(connection, days)
                return count
            count += len(old)
            after = rows[-1].id

    def forget(self, connection: Connection, number: str, rows: Sequence[Row]) -> int:
        """Take a person out of their rows, of the outbox, and of what others' errors say.

        Args:
            connection: The database.
            number: The person's.
            rows: The person's rows, as they were read; nobody was at any of them.

        Raises:
            JournalError: Somebody has written a row since, or texts for the number are loaded for
                workers.
        """
        rows_of = (
            f"SELECT {columns_of()} FROM {self._schema}.entries AS e "  # noqa: S608 - constants
            f"WHERE e.campaign = {self._campaign} AND e.number = %s ORDER BY e.id"
        )
        with connection.transaction():
            self._keep_others_out(connection)
            self._check_loaded(connection, number)
            found = [to_row(values) for values in run(connection, rows_of, [number]).fetchall()]
            if not are_the_same(rows, found):
                raise being_sent(number)
            self._hide(connection, found)
            run(
                connection,
                f"UPDATE {self._schema}.entries SET detail = replace(detail, %s, '…') "  # noqa: S608 - constants
                f"WHERE campaign = {self._campaign} AND state <> 'accepted' "
                "AND strpos(detail, %s) > 0",
                [national_digits(number)] * 2,
            )
            run(
                connection,
                f"DELETE FROM {self._schema}.outbox WHERE campaign = %s AND number = %s",  # noqa: S608 - constants
                [self._name, number],
            )
        return len(found)

    def _keep_others_out(self, connection: Connection) -> None:
        run(connection, f"LOCK TABLE {self._schema}.entries IN SHARE ROW EXCLUSIVE MODE")

    def _check_loaded(self, connection: Connection, number: str) -> None:
        (loaded,) = ask(
            connection,
            f"SELECT EXISTS (SELECT FROM {self._schema}.fleet_chunks WHERE campaign = %s "  # noqa: S608 - constants
            "AND done_at IS NULL AND %s = ANY(numbers))",
            [self._campaign, number],
        )
        if loaded:
            error = JournalError(
                f"a text for {number} is loaded, and waits for the workers: let them finish the "
                "campaign first. Nothing was changed"
            )
            error.blame = "message"
            raise error

    def _hide(self, connection: Connection, rows: Sequence[Row]) -> None:
        gone: list[int] = []
        hidden: list[list[Any]] = []
        for row in rows:
            columns = self._pseudonyms.hide(row)
            if columns is None:
                gone.append(row.id)
            else:
                _, number, key, *_, state, healable, provider, detail, status, _ = columns
                kept = [number, key, state, bool(healable), provider, detail, status]
                hidden.append([*kept, row.id, number, key, row.text_hash, row.id])
        table, ours = f"{self._schema}.entries", f"campaign = {self._campaign}"
        if gone:
            run(connection, f"DELETE FROM {table} WHERE {ours} AND id = ANY(%s)", [gone])  # noqa: S608 - constants
        if not hidden:
            return
        # What was resent since has taken the place of what was hidden before.
        same = (
            f"DELETE FROM {table} WHERE {ours} AND number = %s AND key IS NOT DISTINCT FROM %s "  # noqa: S608 - constants
            "AND (key IS NOT NULL OR text_hash = %s) AND id <> %s"
        )
        change = (
            f"UPDATE {table} SET number = %s, key = %s, state = %s, healable = %s, provider = %s, "  # noqa: S608 - constants
            f"detail = %s, status = %s WHERE {ours} AND id = %s"
        )
        with connection.cursor() as cursor:
            cursor.executemany(same, [values[8:] for values in hidden])  # pyright: ignore[reportArgumentType] - no literal
            cursor.executemany(change, [values[:8] for values in hidden])  # pyright: ignore[reportArgumentType] - no literal

    def _prune_outbox(self, connection: Connection, days: int) -> None:
        run(
            connection,
            f"DELETE FROM {self._schema}.outbox WHERE campaign = %s AND state = 'done' "  # noqa: S608 - constants
            "AND enqueued_at < now() - make_interval(days => %s)",
            [self._name, days],
        )
