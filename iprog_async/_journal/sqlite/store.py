"""The rows of a journal: written, looked up and counted by the thread that owns the file."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import count
from typing import TypeVar

from iprog_async._core.clock import Clock, SystemClock
from iprog_async._core.errors import JournalError
from iprog_async._core.forks.locks import ForkLock
from iprog_async._core.forks.sqlite import FileInUse
from iprog_async._journal.pseudonyms import Pseudonyms, national_digits, without_mention
from iprog_async._journal.rows import Row, Values
from iprog_async._journal.sqlite.database import open_file
from iprog_async._journal.sqlite.deliveries import (
    read_bookmark,
    read_rows,
    read_unfinished,
    write_deliveries,
)
from iprog_async._journal.sqlite.end_watch import EndWatch
from iprog_async._journal.sqlite.file_lock import FileLock
from iprog_async._journal.sqlite.id_blocks import first_of
from iprog_async._journal.sqlite.integrity import leads_to
from iprog_async._journal.sqlite.openers import LockedRun, is_there, lock_of_run
from iprog_async._journal.sqlite.queries import (
    by_number,
    count_rows,
    read_page,
    read_rows_of,
    rows_by_key,
    rows_by_number,
    rows_of_singles,
)
from iprog_async._journal.sqlite.removal import forget, prune
from iprog_async._journal.sqlite.run_start import Begun, begin
from iprog_async._journal.sqlite.write_queue import LoopQueue, WriteQueue
from iprog_async._journal.sqlite.writer import Writer
from iprog_async._journal.store import Bookmark, Identity, being_sent
from iprog_async._limits.count_stores import CountStore
from iprog_async._limits.sqlite_counts import SqliteCountStore
from iprog_async._limits.sqlite_store import SqliteLimitStore
from iprog_async._limits.store import LimitStore


T = TypeVar("T")

_SYSTEM_CLOCK = SystemClock()
_SECONDS_BETWEEN_TRIES = 0.1


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
        wait: How many seconds a bulk run waits for one of another process to end.
        clock: What waits.

    Raises:
        JournalError: The file is damaged, lacks records, is of another campaign, or no journal.
    """

    def __init__(
        self,
        path: str,
        campaign: str | None,
        *,
        allow_lost_records: bool = False,
        wait: float = 0.0,
        clock: Clock = _SYSTEM_CLOCK,
    ) -> None:
        # Absolute, also to keep names such as ":memory:" from meaning something to SQLite.
        self.path = os.path.abspath(path)
        try:
            # Through a link, too, one file has one set of locks.
            self.path = os.path.realpath(self.path)
            in_use = FileInUse(self.path)
            try:
                with in_use:
                    file = open_file(self.path, campaign, allow_lost_records=allow_lost_records)
                    in_use.connection = file.connection
            except BaseException:
                in_use.end()
                raise
        except (OSError, ValueError) as exc:
            raise _not_opened(self.path, exc) from None
        self.salt = file.salt
        self._pseudonyms = Pseudonyms(file.salt)
        self.made_at: datetime = file.made_at
        self.new_id: Callable[[], int] = count(first_of(file.block)).__next__
        """Returns the number of a new row."""
        self._attempt = file.attempt
        self._block = file.block
        self._begun = Begun()
        self._own_run: LockedRun | None = None
        # That of the last run.
        self._locks: list[FileLock] = []
        self._leaving: LockedRun | None = None
        # Reentrant: the garbage collector may end a run within any line.
        self._ending = threading.RLock()
        self._wait = wait
        self._clock = clock
        self._watches: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, EndWatch] = (
            weakref.WeakKeyDictionary()
        )
        self._identity = file.identity
        self._intake = WriteQueue(self.path)
        self._writer = Writer(self.path, file, self._intake, in_use)
        thread = threading.Thread(target=self._writer.run, name="sms-journal", daemon=True)
        try:
            thread.start()
        except RuntimeError as exc:
            # The system has no thread to give.
            self._writer.close()
            raise _not_opened(self.path, exc) from None
        # Also if it is dropped without being closed, and when the interpreter exits.
        self._stop = weakref.finalize(self, _stop, self._intake, thread, self._locks)
        with _listing.lock:
            _open_here.add(self)

    async def begin_run(self) -> int:
        """Give a run its number, and make the rows of earlier ones quick to find.

        Raises:
            JournalError: Another one uses the file, or that could not be put on record.
        """
        own = await self._take_run()
        block, others = self._block, self._writer.others
        try:
            begun = await self._ask(lambda connection: begin(connection, block, others))
        except BaseException:
            self._leave(own)
            raise
        if begun.block != block:
            self._block = begun.block
            self.new_id = count(begun.below).__next__
        own.number, self._begun = begun.run, begun
        return begun.run

    async def _take_run(self) -> LockedRun:
        """Wait until no other run has the file, as long as it is worth it."""
        if self._intake.is_copy:
            raise self._intake.forked()
        ends = self._clock.monotonic() + self._wait
        while True:
            for store in _opened_here(self.path):
                if store._end_left_run() or store is self:
                    await store.run_ended()
            lock = lock_of_run(self.path)
            if lock is not None:
                self._locks[:] = [lock]
                self._own_run = LockedRun(asyncio.get_running_loop(), lock=lock)
                return self._own_run
            left = ends - self._clock.monotonic()
            if left <= 0:
                raise self._taken()
            await self._clock.sleep(min(left, _SECONDS_BETWEEN_TRIES))

    def _taken(self) -> JournalError:
        if self._own_run is not None:
            return JournalError(
                f"another run of this process is using the journal {self.path}; let it end first. "
                "Nothing was sent"
            )
        return JournalError(
            f"the journal {self.path} is in use by a run of another process; let it end first, or "
            "open the journal with wait=, the seconds to wait for that. Nothing was sent"
        )

    def end_run(self, number: int) -> bool:
        """Let another bulk run use the file, once it has all that this one handed in.

        Rows without a key belong to the run that has the file: one that was stopped for a while in
        the midst of writing them must not overwrite what the next one has of the same messages.
        """
        own = self._own_run
        if own is None or own.number != number or own.was_left:
            # What was left in a closed event loop is ended by whoever uses the file next, and not
            # by the garbage collector, which may come between any two lines.
            return False
        return self._leave(own)

    def _leave(self, own: LockedRun) -> bool:
        """Let go of the file after all that a run handed in; return whether that can be awaited."""
        with self._ending:
            if self._own_run is not own:
                return False
            self._own_run, self._leaving = None, own
        return self._let_go(own)

    def _let_go(self, own: LockedRun) -> bool:
        if self._intake.then(own.lock.release):
            return True
        # Once more, in a moment; where the loop was closed, the next run sees to it.
        with suppress(RuntimeError):
            own.loop.call_soon_threadsafe(self._let_go, own)
        return False

    def _end_left_run(self) -> bool:
        """End a run whose event loop was closed, if there is one: who ends it later is late."""
        own = self._own_run
        if own is None or not own.was_left or self._intake.is_copy:
            return False
        # What is handed in as the garbage collector ends it must not reach the rows of the next.
        self._intake.forget_closed()
        self._leave(own)
        return True

    async def run_ended(self, number: int | None = None) -> None:
        """Wait until another run can use the file; see `JournalStore`."""
        leaving = self._leaving
        if leaving is None or leaving.lock.is_released or number not in (None, leaving.number):
            return
        # Whatever it says: what was to be done before it has been done.
        await self.of_loop().ask(_nothing)
        if not leaving.lock.is_released:
            # Somebody was just handing something in.
            self._intake.then(leaving.lock.release)

    @property
    def has_earlier_rows(self) -> bool:
        """Whether there were rows before the present run began."""
        return self._begun.has_earlier_rows

    @property
    def may_have_rows_of_others(self) -> bool:
        """Whether earlier runs left rows: a file has one run at a time."""
        return self.has_earlier_rows

    def of_loop(self) -> LoopQueue:
        """Return where the running event loop has rows written."""
        # Runs of other processes, too, can begin as soon as anybody here uses the file.
        self._end_left_run()
        return self._intake.of_loop()

    async def look_up(
        self,
        identities: Iterable[Identity],
        *,
        earlier: bool,
        whatever_key: bool = False,
        since: bool = False,
    ) -> dict[Identity, list[Row]]:
        """Return the rows of many messages, by number and key; see `JournalStore`."""
        keyed: list[tuple[str, str]] = []
        numbers: dict[str, bool] = {}
        late: set[str] = set()
        # In the first run there are none, and it pays nothing.
        earlier = earlier and self.has_earlier_rows
        for number, key in identities:
            if key is not None:
                keyed.append((key, number))
            if earlier:
                numbers[number] = numbers.get(number, False) or key is None or whatever_key
            if since and key is None:
                late.add(number)
        if not (keyed or numbers or late):
            return {}
        indexed, below = self._begun.indexed_below, self._begun.below
        pseudonyms = self._pseudonyms

        def work(connection: sqlite3.Connection) -> dict[Identity, list[Row]]:
            if self._intake.failure is not None:
                self._check_in_place()
            found: dict[Identity, list[Row]] = {}
            for every in (True, False):
                query = by_number(indexed, below, every=every)
                some = [number for number, all_ in numbers.items() if all_ is every]
                for row in rows_by_number(connection, some, query, pseudonyms):
                    found.setdefault((row.number, None), []).append(row)
            for row in rows_of_singles(connection, list(late), pseudonyms):
                found.setdefault((row.number, None), []).append(row)
            for row in rows_by_key(connection, keyed, pseudonyms):
                found.setdefault((row.number, row.key), []).append(row)
            return found

        return await self._ask(work)

    def _check_in_place(self) -> None:
        """Look whether the path leads to our file, as nothing that is written does any more."""
        if not leads_to(self.path, self._identity):
            raise JournalError(
                f"the journal {self.path} was removed or replaced while it was in use; what this "
                "process can read is not what others have sent since"
            )

    async def is_enqueued(self, number: str, key: str) -> bool:
        """Return whether a text is in the outbox, which a file has none of."""
        return False

    async def wait_for_end(self, row: Row, is_under_way: Callable[[], bool]) -> Row:
        """Wait for a message that another sender has claimed; see `JournalStore`."""
        loop = asyncio.get_running_loop()
        watch = self._watches.get(loop)
        if watch is None:
            watch = self._watches[loop] = EndWatch(
                self.path, self._attempt, self._intake.of_loop(), self._clock
            )
        return await watch.wait_for(row, is_under_way)

    async def counts(self) -> Mapping[tuple[str, str | None], int]:
        """Return how many rows there are of each state and delivery status."""
        return await self._ask(count_rows)

    async def page(self, after: int, states: Sequence[str]) -> list[Row]:
        """Return the next rows of some states, or of all, in order."""
        return await self._ask(lambda connection: read_page(connection, after, states))

    async def rows_of(self, number: str) -> list[Row]:
        """Return all rows of a number, in order; all are looked through."""
        return await self._ask(lambda connection: read_rows_of(connection, number))

    async def is_live(self, row: Row) -> bool:
        """Return whether the process that claimed a row has the journal open."""
        attempt = row.on_record[1] if row.on_record else 0
        return await asyncio.to_thread(is_there, self.path, attempt)

    async def unfinished(self, after: int) -> list[Row]:
        """Return the next accepted rows whose delivery is not final; see `JournalStore`."""
        return await self._ask(lambda connection: read_unfinished(connection, after))

    async def rows(self, numbers: Sequence[int]) -> list[Row]:
        """Return rows by their numbers; see `JournalStore`."""
        return await self._ask(lambda connection: read_rows(connection, numbers))

    async def note_deliveries(
        self, changes: Sequence[tuple[Row, Values]], bookmark: Bookmark | None = None
    ) -> None:
        """Put on record how far accepted texts have come; see `JournalStore`."""
        await self._ask(lambda connection: write_deliveries(connection, changes, bookmark))

    async def bookmark(self, provider: str) -> int:
        """Return which page of a gateway's list is to be read next; see `JournalStore`."""
        return await self._ask(lambda connection: read_bookmark(connection, provider))

    async def prune(self, days: int) -> int:
        """Take the people out of old rows; see `JournalStore`."""

        def is_live(row: Row) -> bool:
            return is_there(self.path, row.on_record[1] if row.on_record else 0)

        pseudonyms = self._pseudonyms
        return await self._ask(lambda connection: prune(connection, days, pseudonyms, is_live))

    async def forget(self, number: str, rows: Sequence[Row]) -> int:
        """Take a person out of the file; see `JournalStore`."""
        pseudonyms, digits = self._pseudonyms, national_digits(number)
        count = await self._ask(
            lambda connection: forget(
                connection,
                number,
                rows,
                digits,
                pseudonyms,
                lambda row: without_mention(row, digits),
            )
        )
        if count is None:
            # Not raised by the thread that owns the file, for which an error is the file's trouble.
            raise being_sent(number)
        return count

    async def _ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        result: T | JournalError = await self.of_loop().ask(work)
        if isinstance(result, JournalError):
            raise result
        return result

    def limits(self) -> LimitStore:
        """Return a small file beside the journal, for the processes of this machine."""
        return SqliteLimitStore(f"{self.path}-limits", self.salt)

    def counts_of_texts(self, now: Callable[[], float] | None) -> CountStore:
        """Return a small file beside the journal, for the processes of this machine."""
        return SqliteCountStore(f"{self.path}-counts", self.salt, now or time.time)

    def close(self) -> None:
        """Write what is waiting and close the file; twice is fine."""
        self._end_left_run()
        self._stop()


_open_here: weakref.WeakSet[SqliteStore] = weakref.WeakSet()
_listing = ForkLock()


def _opened_here(path: str) -> list[SqliteStore]:
    """Return the openings that this process has of a file."""
    with _listing.lock:
        return [store for store in _open_here if store.path == path]


def _nothing(_: sqlite3.Connection) -> None:
    """Only have one's turn."""


def _stop(intake: WriteQueue, thread: threading.Thread, locks: Sequence[FileLock]) -> None:
    # In a forked copy the file belongs to the parent, which is still at it.
    if intake.is_copy:
        return
    for lock in locks:
        # A run that has not ended, or can't any more, writes nothing after this.
        intake.then(lock.release)
    # Whoever drops the last reference may be the thread itself.
    if intake.close() and thread is not threading.current_thread():
        thread.join()
        for lock in locks:
            lock.release()


def _not_opened(path: str, cause: Exception) -> JournalError:
    why = getattr(cause, "strerror", None) or str(cause)
    return JournalError(f"can't open the journal {path}: {why}. Nothing was sent")
