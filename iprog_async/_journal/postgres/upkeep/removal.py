"""Taking people out of a journal in PostgreSQL.

While rows change their number and key, nobody may claim: a statement that began before would find
neither the old ones nor the new ones, and text somebody again. So the rows of the campaign are
locked, a few at a time and only while they change; what is looked for is looked for before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from iprog_async._core.errors import JournalError
from iprog_async._journal.postgres.connecting import Connection, ask, is_locked, run
from iprog_async._journal.postgres.schema import quoted
from iprog_async._journal.postgres.statements import columns_of, is_connected, to_row
from iprog_async._journal.pseudonyms import MARK, Pseudonyms, national_digits
from iprog_async._journal.rows import Row, are_the_same
from iprog_async._journal.store import being_sent


_AT_ONCE = 250
# Whoever waits for the lock keeps those who send waiting behind it, and whoever has it and is
# stopped, or gone, keeps them out: both end long before a claim is given up.
_LONGEST_WAIT, _LONGEST_PAUSE = "250ms", "3s"
_TIMEOUTS = (
    "SELECT set_config('lock_timeout', %s, true), "
    "set_config('idle_in_transaction_session_timeout', %s, true)"
)


class Removal:
    """Takes people out of one campaign, in steps that are done one after the other.

    Args:
        schema: The schema.
        campaign: The campaign's number.
        name: Its name.
        pseudonyms: What stands in the rows that have to stay.
    """

    def __init__(self, schema: str, campaign: int, name: str, pseudonyms: Pseudonyms) -> None:
        self._schema = quoted(schema)
        self._partition = f"{self._schema}.entries_{campaign}"
        self._campaign = campaign
        self._name = name
        self._pseudonyms = pseudonyms
        self._ours = f"{self._schema}.entries AS e WHERE e.campaign = {campaign}"
        self._old = (
            f"e.number < '{MARK}' AND e.claimed_at < now() - make_interval(days => %(days)s)"
        )

    def find_old(self, connection: Connection, after: int, days: int) -> list[int]:
        """Return the next rows that nobody has claimed for so many days, in order."""
        query = (
            f"SELECT e.id FROM {self._ours} AND e.id > %(after)s AND {self._old} "  # noqa: S608 - constants
            f"ORDER BY e.id LIMIT {_AT_ONCE}"
        )
        found = run(connection, query, {"after": after, "days": days})
        return [number for (number,) in found.fetchall()]

    def hide_old(self, connection: Connection, numbers: Sequence[int], days: int) -> int | None:
        """Take the people out of rows that are still old; return how many.

        A claim that somebody may still use stays.

        Returns:
            How many; `None` if others have the rows locked: nothing was changed.
        """
        query = (
            f"SELECT {columns_of()}, {is_connected()} FROM {self._ours} "  # noqa: S608 - constants
            f"AND e.id = ANY(%(ids)s) AND {self._old} ORDER BY e.id"
        )

        def work() -> int:
            found = run(connection, query, {"ids": list(numbers), "days": days}).fetchall()
            rows = [(to_row(values[:-1]), values[-1]) for values in found]
            old = [row for row, is_live in rows if row.state != "claimed" or not is_live]
            self._hide(connection, old)
            return len(old)

        return self._alone(connection, work)

    def prune_outbox(self, connection: Connection, days: int) -> None:
        """Take out of the outbox what is done, and what nobody can tell any more whether it is.

        What became of that was pruned, so that no sweep finds it.
        """
        run(
            connection,
            f"DELETE FROM {self._schema}.outbox AS o WHERE o.campaign = %s "  # noqa: S608 - constants
            "AND o.enqueued_at < now() - make_interval(days => %s) "
            "AND (o.state = 'done' OR o.state = 'unknown' AND NOT EXISTS ("
            f"SELECT FROM {self._ours} AND e.number = o.number AND e.key = o.key))",
            [self._name, days],
        )

    def forget(self, connection: Connection, number: str, rows: Sequence[Row]) -> int | None:
        """Take a person out of their rows, and out of the outbox.

        Args:
            connection: The database.
            number: The person's.
            rows: The person's rows, as they were read; nobody was at any of them.

        Returns:
            How many rows; `None` if others have them locked: nothing was changed.

        Raises:
            JournalError: Somebody has written a row since, or texts for the number are loaded for
                workers.
        """
        rows_of = f"SELECT {columns_of()} FROM {self._ours} AND e.number = %s ORDER BY e.id"  # noqa: S608 - constants

        def work() -> int:
            self._check_loaded(connection, number)
            found = [to_row(values) for values in run(connection, rows_of, [number]).fetchall()]
            if not are_the_same(rows, found):
                raise being_sent(number)
            self._hide(connection, found)
            run(
                connection,
                f"DELETE FROM {self._schema}.outbox WHERE campaign = %s AND number = %s",  # noqa: S608 - constants
                [self._name, number],
            )
            return len(found)

        return self._alone(connection, work)

    def forget_mentions(self, connection: Connection, number: str, after: int) -> int | None:
        """Take a person out of what others' errors say, of some rows.

        Args:
            connection: The database.
            number: The person's.
            after: The row after which to look.

        Returns:
            The row after which to go on; `None` if there is no other.
        """
        digits = national_digits(number)
        query = (
            f"SELECT e.id FROM {self._ours} AND e.id > %s AND e.state <> 'accepted' "  # noqa: S608 - constants
            f"AND strpos(e.detail, %s) > 0 ORDER BY e.id LIMIT {_AT_ONCE}"
        )
        found: list[int] = [row_id for (row_id,) in run(connection, query, [after, digits])]
        if not found:
            return None
        run(
            connection,
            f"UPDATE {self._schema}.entries SET detail = replace(detail, %s, '…') "  # noqa: S608 - constants
            f"WHERE campaign = {self._campaign} AND id = ANY(%s) AND state <> 'accepted'",
            [digits, found],
        )
        return found[-1]

    def _alone(self, connection: Connection, work: Callable[[], int]) -> int | None:
        """Do something while nobody claims rows of the campaign; `None` if others have them."""
        try:
            with connection.transaction():
                run(connection, _TIMEOUTS, [_LONGEST_WAIT, _LONGEST_PAUSE])
                run(
                    connection,
                    f"LOCK TABLE {self._to_lock(connection)} IN SHARE ROW EXCLUSIVE MODE",
                )
                return work()
        except Exception as exc:
            if not is_locked(exc):
                raise
            return None

    def _to_lock(self, connection: Connection) -> str:
        """Return what to lock: the campaign's rows, or all for a role that has no other way.

        Rights on the whole table are none on its partitions, as long as it is not the role's own.
        """
        (may,) = ask(
            connection, "SELECT has_table_privilege(to_regclass(%s), 'DELETE')", [self._partition]
        )
        return self._partition if may else f"{self._schema}.entries"

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
        hidden: list[Sequence[Any]] = []
        for row in rows:
            columns = self._pseudonyms.hide(row)
            if columns is None:
                gone.append(row.id)
            else:
                _, number, key, *_, state, healable, provider, detail, status, _ = columns
                ended = (state, bool(healable), provider, detail, status)
                hidden.append((row.id, number, key, row.text_hash, *ended))
        ours = f"{self._schema}.entries AS e"
        campaign = f"e.campaign = {self._campaign}"
        if gone:
            run(connection, f"DELETE FROM {ours} WHERE {campaign} AND e.id = ANY(%s)", [gone])  # noqa: S608 - constants
        if not hidden:
            return
        # One statement each: between them the server sees whether this process goes on.
        arrays = (
            "unnest(%s::bigint[], %s::text[], %s::text[], %s::bytea[], %s::text[], %s::boolean[], "
            "%s::text[], %s::text[], %s::text[]) "
            "AS h (id, number, key, text_hash, state, healable, provider, detail, status)"
        )
        values = [list(column) for column in zip(*hidden, strict=True)]
        # What was resent since has taken the place of what was hidden before.
        run(
            connection,
            f"DELETE FROM {ours} USING {arrays} WHERE {campaign} AND e.number = h.number "  # noqa: S608 - constants
            "AND e.key IS NOT DISTINCT FROM h.key "
            "AND (h.key IS NOT NULL OR e.text_hash = h.text_hash) AND e.id <> h.id",
            values,
        )
        run(
            connection,
            f"UPDATE {ours} SET (number, key, state, healable, provider, detail, status) "  # noqa: S608 - constants
            "= ROW (h.number, h.key, h.state, h.healable, h.provider, h.detail, h.status) "
            f"FROM {arrays} WHERE {campaign} AND e.id = h.id",
            values,
        )
