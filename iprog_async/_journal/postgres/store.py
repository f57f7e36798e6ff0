"""The rows of a journal in PostgreSQL, which any number of processes and machines share."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from iprog_async._core.clock import uptime
from iprog_async._core.errors import JournalError
from iprog_async._core.receipts import FINAL_STATES
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.attempts import Attempts, attempt_of
from iprog_async._journal.postgres.connecting import Connection, ask, run, unusable
from iprog_async._journal.postgres.execution import Execution
from iprog_async._journal.postgres.looks import Look, Looks
from iprog_async._journal.postgres.session import open_announced, reopen
from iprog_async._journal.postgres.statements import Statements, check_identity, to_row
from iprog_async._journal.postgres.upkeep.removal import Removal
from iprog_async._journal.postgres.upkeep.steps import forget, prune
from iprog_async._journal.postgres.worker import Worker
from iprog_async._journal.postgres.write_queue import Intake, LoopQueue
from iprog_async._journal.pseudonyms import Pseudonyms
from iprog_async._journal.rows import Row, Values
from iprog_async._journal.store import Bookmark, Identity, OwnRun
from iprog_async._limits.count_stores import CountStore
from iprog_async._limits.postgres_counts import PostgresCountStore
from iprog_async._limits.postgres_store import PostgresLimitStore
from iprog_async._limits.store import LimitStore


T = TypeVar("T")

# How long a message that another process is sending is waited for, and how long one whose process
# is not connected any more: it may be connecting again.
_SECONDS_TO_WAIT = 60.0
_SECONDS_UNTIL_GONE = 2.0
_FIRST_LOOK, _LAST_LOOK = 0.01, 0.25
_NO_RUN = -1
# Where they are in a row's values.
_DETAIL, _CHECKSUM = 8, 10


class PostgresStore:
    """Rows of one campaign in PostgreSQL, read and written by one thread with one connection.

    Args:
        address: Where the journal is; its schema was made by `iprog-async journal init`.
        campaign: What it is about; made if it is not there. `None` takes the only one.

    Raises:
        ConfigurationError: The driver is missing.
        JournalError: It can't be reached or written, is no journal or of another version.
    """

    def __init__(self, address: PostgresAddress, campaign: str | None) -> None:
        attempts = Attempts()
        connection, opened = open_announced(address, campaign, attempts.process)
        self.address = address
        """Where it is."""
        self.path = address.shown
        self.campaign = opened.name
        """What the rows are about."""
        self.campaign_id = opened.id
        """Its number."""
        self.salt = opened.salt
        self.made_at: datetime = opened.made_at
        pseudonyms = Pseudonyms(opened.salt)
        self._statements = Statements(address.schema, opened.id, pseudonyms)
        self._removal = Removal(address.schema, opened.id, opened.name, pseudonyms)
        self._own_run: OwnRun | None = None
        self._run = 0
        self._has_earlier_rows = False
        self._looks: dict[asyncio.AbstractEventLoop, Looks] = {}
        self._intake = Intake(self.path, attempts)
        worker = Worker(
            address,
            connection,
            lambda: reopen(address, opened, attempts.process),
            Execution(self._statements),
            self._intake,
        )
        thread = threading.Thread(target=worker.run, name="sms-journal", daemon=True)
        try:
            thread.start()
        except RuntimeError as exc:
            # The system has no thread to give.
            connection.close()
            raise unusable(address, exc) from None
        # Also if it is dropped without being closed, and when the interpreter exits.
        self._stop = weakref.finalize(self, _stop, self._intake, worker, thread)

    @property
    def has_earlier_rows(self) -> bool:
        """Whether there may have been rows of other runs as the present one began."""
        return self._has_earlier_rows

    @property
    def may_have_rows_of_others(self) -> bool:
        """Whether others may be at a run of the campaign, as they always may."""
        return True

    def new_id(self) -> int:
        """Return a number that the database replaces when the row is claimed."""
        return 0

    def of_loop(self) -> LoopQueue:
        """Return where the running event loop hands in what it writes."""
        return self._intake.of_loop()

    async def begin_run(self) -> int:
        """Give a run its number; other processes may be at a run of the same campaign.

        Raises:
            JournalError: Another one of this journal has not ended, or it can't be written.
        """
        if self._own_run is not None and not self._own_run.was_left:
            raise JournalError(
                f"another run of this process is using the journal {self.path}; let it end first. "
                "Nothing was sent"
            )
        own = self._own_run = OwnRun(asyncio.get_running_loop())
        try:
            begun = await self._ask(lambda connection: ask(connection, self._statements.begin_run))
            if begun is None:
                raise JournalError(f"the campaign of the journal {self.path} was removed meanwhile")
        except BaseException:
            if self._own_run is own:
                self._own_run = None
            raise
        self._run, there = begun
        own.number = self._run
        # A run that is going on may have its first row in a moment.
        self._has_earlier_rows = there or self._run > 1
        return self._run

    def join_run(self) -> None:
        """Take part in a run that others are at: what they have of it is looked up, too."""
        self._run, self._has_earlier_rows = _NO_RUN, True

    def end_run(self, number: int) -> bool:
        """Let another bulk run begin; see `JournalStore`."""
        if self._own_run is not None and self._own_run.number == number:
            self._own_run = None
        return False

    async def run_ended(self, number: int | None = None) -> None:
        """Wait for nothing: what a run has handed in goes only to what it has claimed itself."""

    async def look_up(
        self,
        identities: Iterable[Identity],
        *,
        earlier: bool,
        whatever_key: bool = False,
        since: bool = False,
    ) -> Mapping[Identity, list[Row]]:
        """Return the rows of many messages, by number and key; see `JournalStore`."""
        keyed: list[tuple[Any, ...]] = []
        numbers: dict[str, bool] = {}
        earlier = earlier and (since or self.has_earlier_rows)
        for number, key in identities:
            if key is not None:
                keyed.append((number, key))
            if earlier:
                numbers[number] = numbers.get(number, False) or key is None or whatever_key
        if not keyed and not numbers:
            return {}
        by_key, by_number, run = self._statements.by_key, self._statements.by_number, self._run

        def work(connection: Connection) -> dict[Identity, list[Row]]:
            found: dict[Identity, list[Row]] = {}
            if numbers:
                asked = [*by_number.values(list(numbers.items())), run]
                for row in _rows(connection, by_number.sql, asked):
                    found.setdefault((row.number, None), []).append(row)
            if keyed:
                wanted = set(keyed)
                for row in _rows(connection, by_key.sql, by_key.values(keyed)):
                    check_identity(row, wanted)
                    found.setdefault((row.number, row.key), []).append(row)
            return found

        return await self._ask(work)

    async def is_enqueued(self, number: str, key: str) -> bool:
        """Return whether a text is in the outbox; see `JournalStore`."""
        query = self._statements.is_enqueued
        (found,) = await self._ask(
            lambda connection: ask(connection, query, [self.campaign, number, key])
        )
        return bool(found)

    async def wait_for_end(self, row: Row, is_under_way: Callable[[], bool]) -> Row:
        """Wait for a message that another sender has claimed; see `JournalStore`."""
        until = uptime() + _SECONDS_TO_WAIT
        gone_since: float | None = None
        pause = _FIRST_LOOK
        while row.state == "claimed" and (now := uptime()) < until:
            attempt = attempt_of(row)
            # Before it is looked at: whatever we wrote is there to be read.
            is_left = self._intake.attempts.is_ours(attempt) and not is_under_way()
            if not is_left:
                await asyncio.sleep(pause)
                pause = min(1.5 * pause, _LAST_LOOK)
            found = await self._look(row)
            if found is None:
                raise JournalError(f"a row of the journal {self.path} was removed meanwhile")
            row, is_connected = found
            if is_left and attempt_of(row) == attempt:
                break
            gone_since = None if is_connected else gone_since or now
            if gone_since is not None and now - gone_since > _SECONDS_UNTIL_GONE:
                break
        return row

    async def _look(self, row: Row) -> Look | None:
        loop = asyncio.get_running_loop()
        looks = self._looks.get(loop)
        if looks is None:
            for gone in [other for other in list(self._looks) if other.is_closed()]:
                self._looks.pop(gone, None)
            looks = self._looks[loop] = Looks(self._statements.by_id, self.of_loop())
        return await looks.at(row)

    async def counts(self) -> Mapping[tuple[str, str | None], int]:
        """Return how many rows there are of each state and delivery status."""
        return await self._ask(lambda connection: read_counts(connection, self._statements))

    async def page(self, after: int, states: Sequence[str]) -> list[Row]:
        """Return the next rows of some states, or of all, in order."""
        return await self._ask(
            lambda connection: read_page(connection, self._statements, after, states)
        )

    async def rows_of(self, number: str) -> list[Row]:
        """Return all rows of a number, in order."""
        query = self._statements.rows_of
        return await self._ask(lambda connection: _rows(connection, query, [number]))

    async def is_live(self, row: Row) -> bool:
        """Return whether the process that claimed a row last is connected."""
        found = await self._look(row)
        return found is not None and found.is_connected

    async def unfinished(self, after: int) -> list[Row]:
        """Return the next accepted rows whose delivery is not final; see `JournalStore`."""
        query, final = self._statements.unfinished, sorted(FINAL_STATES)
        return await self._ask(lambda connection: _rows(connection, query, [after, final]))

    async def rows(self, numbers: Sequence[int]) -> list[Row]:
        """Return rows by their numbers; see `JournalStore`."""
        query, asked = self._statements.rows, [list(numbers)]
        return await self._ask(lambda connection: _rows(connection, query, asked))

    async def note_deliveries(
        self, changes: Sequence[tuple[Row, Values]], bookmark: Bookmark | None = None
    ) -> None:
        """Put on record how far accepted texts have come; see `JournalStore`."""
        statement, mark = self._statements.note_deliveries, self._statements.set_bookmark
        changed = [(row.id, row.detail, *columns[_DETAIL:_CHECKSUM]) for row, columns in changes]

        def work(connection: Connection) -> None:
            if changed:
                run(connection, statement.sql, statement.values(changed))
            if bookmark is not None:
                run(connection, mark, [bookmark.provider, bookmark.page])

        await self._ask(work)

    async def bookmark(self, provider: str) -> int:
        """Return which page of a gateway's list is to be read next; see `JournalStore`."""
        query = self._statements.bookmark
        (page,) = await self._ask(lambda connection: ask(connection, query, [provider]))
        return int(page)

    async def prune(self, days: int) -> int:
        """Take the people out of old rows; see `JournalStore`."""
        return await prune(self._ask, self._removal, days)

    async def forget(self, number: str, rows: Sequence[Row]) -> int:
        """Take a person out of the campaign; see `JournalStore`."""
        return await forget(self._ask, self._removal, number, rows)

    async def _ask(self, work: Callable[[Connection], T]) -> T:
        result: T | JournalError = await self.of_loop().ask(work)
        if isinstance(result, JournalError):
            raise result
        return result

    def limits(self) -> LimitStore:
        """Return a table beside the rows, for processes on any number of machines."""
        return PostgresLimitStore(self.address.conninfo, self.address.schema)

    def counts_of_texts(self, now: Callable[[], float] | None) -> CountStore:
        """Return a table beside the rows, for processes on any number of machines."""
        return PostgresCountStore(self.address.conninfo, self.address.schema, now)

    def close(self) -> None:
        """Write what is waiting and disconnect; twice is fine."""
        self._stop()


def read_counts(
    connection: Connection, statements: Statements
) -> Mapping[tuple[str, str | None], int]:
    """Return how many rows there are of each state and delivery status."""
    return {(state, status): count for state, status, count in run(connection, statements.counts)}


def read_page(
    connection: Connection, statements: Statements, after: int, states: Sequence[str]
) -> list[Row]:
    """Return the next rows of some states, or of all, in order."""
    asked: list[object] = [after, list(states)] if states else [after]
    return _rows(connection, statements.page(of_states=bool(states)), asked)


def _rows(connection: Connection, query: str, values: Sequence[object]) -> list[Row]:
    return [to_row(row) for row in run(connection, query, values)]


def _stop(intake: Intake, worker: Worker, thread: threading.Thread) -> None:
    # In a forked copy the connection belongs to the parent, which is still at it. And whoever
    # drops the last reference may be the thread itself.
    if intake.close() and thread is not threading.current_thread():
        worker.hurry()
        thread.join()
