"""The rows of a journal: written, looked up and counted by the thread that owns the file."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any, TypeVar

from iprog_async._core.errors import JournalError
from iprog_async._journal.rows import Row, to_row
from iprog_async._journal.sqlite.database import open_file
from iprog_async._journal.sqlite.file_lock import FileLock
from iprog_async._journal.sqlite.integrity import seal_meta, transaction
from iprog_async._journal.sqlite.queries import by_key, by_number, count_rows, parts, read_page
from iprog_async._journal.sqlite.schema import index_by_number
from iprog_async._journal.sqlite.write_queue import LoopQueue, WriteQueue
from iprog_async._journal.sqlite.writer import Writer
from iprog_async._journal.store import Identity


T = TypeVar("T")

# So few rows are looked through faster than an index is made; see `begin_run`.
_FEW_ROWS = 10_000


class SqliteStore:
    """Rows in an SQLite file, written by one thread, many at a time.

    Keeping an index by number up to date costs a run more than all the rest: numbers are in
    no order, so that each row would touch a page of its own. Instead, a run has the rows
    before it indexed when it begins, and needs no others: within itself it tells repeated
    messages apart. Rows with a key have an index that is always up to date, for single sends.

    Args:
        path: The file; made with mode 0600 if it is not there.
        campaign: What the file is about; has to match an existing file's, unless it is `None`.
        allow_lost_records: Whether to go on with a file that lacks records.

    Raises:
        JournalError: The file is in use, damaged, lacks records, is of another campaign, or no
            journal.
    """

    def __init__(
        self, path: str, campaign: str | None, *, allow_lost_records: bool = False
    ) -> None:
        # Absolute, also to keep names such as ":memory:" from meaning something to SQLite.
        self.path = os.path.abspath(path)
        lock = None
        try:
            # Through a link, too, there is one lock for one file.
            self.path = os.path.realpath(self.path)
            lock = FileLock(self.path)
            file = open_file(self.path, campaign, allow_lost_records=allow_lost_records)
        except (OSError, ValueError) as exc:
            _release(lock)
            why = getattr(exc, "strerror", None) or str(exc)
            raise JournalError(f"can't open the journal {self.path}: {why}") from None
        except BaseException:
            _release(lock)
            raise
        self.salt = file.salt
        self.made_at: datetime = file.made_at
        self.new_id: Callable[[], int] = count(file.last_id + 1).__next__
        """Returns the number of a new row."""
        self._in_run = False
        self._earlier_below = 1
        self._indexed_below = file.indexed_below
        self._intake = WriteQueue(self.path)
        self._writer = Writer(self.path, file, lock, self._intake)
        thread = threading.Thread(target=self._writer.run, name="sms-journal", daemon=True)
        thread.start()
        # Also if it is dropped without being closed, and when the interpreter exits.
        self._stop = weakref.finalize(self, _stop, self._intake, thread)

    async def begin_run(self) -> int:
        """Give a run its number, and make the rows of earlier ones quick to find.

        Raises:
            JournalError: Another one uses the file, or that could not be put on record.
        """
        if self._in_run:
            raise JournalError(
                f"another run of this process is using the journal {self.path}; let it end first. "
                "Nothing was sent"
            )
        self._in_run = True
        try:
            return await self._begin_run()
        except BaseException:
            self._in_run = False
            raise

    async def _begin_run(self) -> int:
        below = self.new_id()
        indexed = known = self._indexed_below
        if below - indexed > max(_FEW_ROWS, indexed // 50):
            indexed = below

        def work(connection: sqlite3.Connection) -> int:
            with transaction(connection):
                if indexed != known:
                    _index(connection, indexed)
                connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'run'")
                seal_meta(connection)
            return int(connection.execute("SELECT value FROM meta WHERE name='run'").fetchone()[0])

        run = await self._ask(work)
        self._indexed_below, self._earlier_below = indexed, below
        return run

    def end_run(self) -> None:
        """Let another bulk run use the file."""
        self._in_run = False

    @property
    def has_earlier_rows(self) -> bool:
        """Whether there were rows before the present run began."""
        return self._earlier_below > 1

    def of_loop(self) -> LoopQueue:
        """Return where the running event loop has rows written."""
        return self._intake.of_loop()

    async def look_up(
        self, identities: Iterable[Identity], *, earlier: bool, whatever_key: bool = False
    ) -> dict[Identity, list[Row]]:
        """Return the rows of many messages, by number and key; what has none is left out.

        Args:
            identities: Numbers and keys of the messages.
            earlier: Look for other messages of these numbers in earlier runs, too: those
                without key are found by `None` for the key, and where a message without key
                is looked for, those with a key as well. A bulk run does.
            whatever_key: Look for those with a key in any case.
        """
        keyed: list[tuple[str, str]] = []
        numbers: dict[str, bool] = {}
        # In the first run there are none, and it pays nothing.
        earlier = earlier and self.has_earlier_rows
        for number, key in identities:
            if key is not None:
                keyed.append((key, number))
            if earlier:
                numbers[number] = numbers.get(number, False) or key is None or whatever_key
        if not keyed and not numbers:
            return {}
        indexed, below = self._indexed_below, self._earlier_below

        def work(connection: sqlite3.Connection) -> dict[Identity, list[Row]]:
            found: dict[Identity, list[Row]] = {}
            for every in (True, False):
                query = by_number(indexed, below, every=every)
                for some in parts([number for number, all_ in numbers.items() if all_ is every]):
                    for values in connection.execute(query(len(some)), (*some, *some)):
                        _add(found, (values[1], None), values)
            for pairs in parts(keyed):
                asked = [value for pair in pairs for value in pair]
                for values in connection.execute(by_key(len(pairs)), asked):
                    _add(found, (values[1], values[2]), values)
            return found

        return await self._ask(work)

    async def wait_for_end(self, row: Row) -> Row:
        """Return a claimed row as it is: whoever claimed it is gone, as this process has the file.

        What the process itself is sending is told apart before it comes to this.
        """
        return row

    async def counts(self) -> Mapping[tuple[str, str | None], int]:
        """Return how many rows there are of each state and delivery status."""
        return await self._ask(count_rows)

    async def page(self, after: int, states: Sequence[str]) -> list[Row]:
        """Return the next rows of some states, or of all, in order."""
        return await self._ask(lambda connection: read_page(connection, after, states))

    async def _ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        result: T | JournalError = await self.of_loop().ask(work)
        if isinstance(result, JournalError):
            raise result
        return result

    def close(self) -> None:
        """Write what is waiting and close the file; twice is fine."""
        self._stop()


def _stop(intake: WriteQueue, thread: threading.Thread) -> None:
    # In a forked copy the file belongs to the parent, which is still at it. And whoever drops
    # the last reference may be the thread itself.
    if intake.close() and thread is not threading.current_thread():
        thread.join()


def _release(lock: FileLock | None) -> None:
    if lock is not None:
        lock.release()


def _index(connection: sqlite3.Connection, below: int) -> None:
    name, index = index_by_number(below)
    connection.execute(f"DROP INDEX IF EXISTS {name}")
    connection.execute(index)
    connection.execute("UPDATE meta SET value = ? WHERE name = 'indexed_below'", (below,))


def _add(found: dict[Identity, list[Row]], identity: Identity, values: Any) -> None:
    found.setdefault(identity, []).append(to_row(values))
