"""Whether a journal's main file is all there is, or what is beside it belongs to it.

While a journal is open, its newest rows are in SQLite's write-ahead log, `-wal`, and stay there if
the process is killed. A main file without it is a journal that forgot whom it texted: moved or
copied alone, opened by another name, put back from a copy. So the main file itself says that it
was open, and with which log. It says so in SQLite's `user_version`, which is written once at each
opening, before anything else, and once at its end, after everything else.

| the main file says | the log | the journal |
|---|---|---|
| that it is another program's | any | is refused, and nothing is touched |
| nothing (an older format) | any | is opened; nothing is known |
| closed | none, or empty | is opened |
| closed | its own last one, up to the closing | is opened without it |
| closed | one of an opening that came to nothing | is opened without it |
| closed | any other | is refused: the log's rows may be newer |
| open, with a log | this very one, perhaps begun anew since | is opened: its process was killed |
| open, with a log | none, empty, broken, or any other | is refused: rows are lost |
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from enum import Enum
from urllib.parse import quote

from attrs import frozen

from iprog_async._core.errors import JournalError
from iprog_async._journal.sqlite.integrity import another_database
from iprog_async._journal.sqlite.schema import APPLICATION_ID
from iprog_async._journal.sqlite.wal import (
    Wal,
    last_commit_of_first_page,
    path_of_wal,
    read_wal,
)


# How often SQLite may begin a log anew before it is named once more; each time is 4 MB or more. A
# log of another file is taken for the own one once in half a million times.
_MOST_TIMES = 4096
_LOOKS = 20
_SECONDS_BETWEEN_LOOKS = 0.05


class Verdict(Enum):
    """What main file and log are to each other."""

    WHOLE = "whole"
    """They belong together, or there is no log."""
    USELESS_LOG = "useless log"
    """The log has nothing that the main file lacks."""
    LOST = "lost"
    """The main file lacks what was in its log, and the log is not there."""
    STRANGE_LOG = "strange log"
    """The log is not the main file's own, and may be newer."""


@frozen
class Marker:
    """What a main file says of itself.

    Args:
        generation: The log of its last opening; 0 if nothing is known.
        is_open: Whether it was not closed since.
        pages: How many pages it has, if nothing is known.
        tables: Whether it has any table, if nothing is known.
    """

    generation: int
    is_open: bool
    pages: int
    tables: bool

    @classmethod
    def new(cls) -> Marker:
        """Return that of a new file, which no log belongs to."""
        return cls(secrets.randbelow(0x7FFFFFFE) + 1, False, 0, False)

    @property
    def user_version(self) -> int:
        """What stands for it in the file: a signed number of 32 bits."""
        number = self.generation << 1 | self.is_open
        return number - (1 << 32) if number >= 1 << 31 else number

    def judge(self, wal: Wal | None) -> Verdict:
        """Return what main file and log are to each other."""
        if self.is_open:
            own = wal is not None and self._is_own(wal) and wal.frames > 0
            return Verdict.WHOLE if own else Verdict.LOST
        if not self.generation:
            return self._judge_older(wal)
        if wal is None:
            return Verdict.WHOLE
        if wal.first_page_only or self._is_own(wal):
            return Verdict.USELESS_LOG
        return Verdict.STRANGE_LOG

    def _is_own(self, wal: Wal) -> bool:
        return wal.generation > 0 and wal.times_since(self.generation) < _MOST_TIMES

    def _judge_older(self, wal: Wal | None) -> Verdict:
        """Judge one of format 1, of which SQLite made the main file before its first log."""
        if wal is None:
            return Verdict.WHOLE if self.tables or not self.pages else Verdict.LOST
        return Verdict.WHOLE if self.pages else Verdict.STRANGE_LOG


def read_marker(path: str) -> Marker:
    """Return what a main file says, whatever its log has.

    By SQLite: closing the file ourselves would drop the locks that this process has on it.

    Of the main file alone only the first page is sure to make sense. Whoever copies the log to it
    writes the first page, with the new number of pages, before the others that make it as long; so
    does whoever makes it. Killed in between, or on a full disk, it stays like that.

    Raises:
        JournalError: It is another program's, and nothing about it may be changed.
        sqlite3.Error: It is no database.
    """
    connection = sqlite3.connect(f"file:{quote(path)}?mode=ro&immutable=1", uri=True)
    with closing(connection):
        if sys.version_info >= (3, 12):
            # Some builds, such as Apple's, would ignore what follows.
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, False)
        # SQLite then goes by how long the file is, and does not refuse it as damaged.
        connection.execute("PRAGMA writable_schema=ON")
        application, number = _ask(connection, "application_id"), _ask(connection, "user_version")
        ours = application == APPLICATION_ID
        # Only where nothing is known of its log do they matter.
        pages, tables = (1, True) if ours and number else _contents(connection)
        # What makes it ours is written with its tables: format 1 had all of that in its first log.
        if not ours and (application or number or tables or (pages and _is_half_written(path))):
            raise another_database()
    number &= 0xFFFFFFFF
    return Marker(number >> 1, bool(number & 1), pages, tables)


def _contents(connection: sqlite3.Connection) -> tuple[int, bool]:
    """Return how many pages a main file has, and whether it has any table."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return _ask(connection, "page_count"), bool(tables)


def _is_half_written(path: str) -> bool:
    """Return whether somebody may have been killed as they wrote it without a log.

    SQLite would take that back at the first look, and leave a file that may be empty.
    """
    try:
        return os.path.getsize(f"{path}-journal") > 0
    except FileNotFoundError:
        return False


def _ask(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def examine(path: str) -> tuple[Marker, Verdict]:
    """Return what a main file says, and what the log beside it is to it.

    Raises:
        sqlite3.Error: It is no database.
        OSError: The log can't be read.
    """
    marker, wal = read_marker(path), read_wal(path)
    verdict = marker.judge(wal)
    if verdict is Verdict.USELESS_LOG and wal is not None and not wal.first_page_only:
        # Somebody whose lock was removed may have gone on after another one closed it.
        last = last_commit_of_first_page(path)
        if last is None or _user_version_of(last) != marker.user_version:
            verdict = Verdict.STRANGE_LOG
    return marker, verdict


def examine_beside(path: str, fits: Callable[[Marker, Verdict], bool]) -> Verdict:
    """Return what main file and log are to each other, while others may be changing both.

    Args:
        path: Where the journal is.
        fits: What is to be expected; anything else is looked at again, for a second.

    Returns:
        The last look.

    Raises:
        sqlite3.Error: It is no database.
        OSError: The log can't be read.
    """
    marker, verdict = examine(path)
    for _ in range(1, _LOOKS):
        if fits(marker, verdict):
            break
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        marker, verdict = examine(path)
    return verdict


def _user_version_of(first_page: bytes) -> int:
    """Return the number that a database's first page has at this fixed place."""
    return int.from_bytes(first_page[60:64], "big", signed=True)


def what_is_lost(path: str, verdict: Verdict) -> JournalError:
    """Return what to raise where rows are lost, or may be."""
    log = os.path.basename(path_of_wal(path))
    if verdict is Verdict.STRANGE_LOG:
        what = (
            f"the file {log} beside it is not its own: it may have the records of a later run, "
            "whom this file, say a copy put back, does not know of"
        )
    else:
        what = (
            f"it was not closed, and the file {log} with its newest records is not beside it, is "
            "empty or is another one: it was moved, copied or renamed without it, or opened by "
            "another program since"
        )
    return JournalError(
        f"the journal {path} may lack records of texts that were sent: {what}. Put back together "
        "what belongs together. If that is not to be had, allow_lost_records=True goes on: who is "
        "on record and was not accepted counts as unknown, and who is not on record is sent, "
        "perhaps for the second time. Nothing was sent"
    )


def set_log_aside(path: str) -> None:
    """Rename a log that is not to be read; it may be of use to somebody yet."""
    log, number = path_of_wal(path), 1
    while os.path.exists(f"{log}-set-aside-{number}"):
        number += 1
    if os.path.exists(log):
        os.rename(log, f"{log}-set-aside-{number}")


def mark_open(connection: sqlite3.Connection, path: str) -> None:
    """Say in the main file that it is open, and with which log.

    Raises:
        JournalError: That is impossible, as somebody reads the file without an end.
        sqlite3.Error: It can't be written.
    """
    (before,) = connection.execute("PRAGMA user_version").fetchone()
    # Only a page that is written makes SQLite begin a log.
    connection.execute(f"PRAGMA user_version={before}")
    wal = read_wal(path)
    if wal is None or not wal.generation:
        raise JournalError(f"the journal {path} can't be used: SQLite keeps no log of it here")
    _write(connection, Marker(wal.generation, True, 0, False))
    if not _copy_to_main_file(connection):
        raise JournalError(
            f"the journal {path} is being read by another program, which takes too long; try "
            "again when that has ended. Nothing was sent"
        )


def keep_marked(connection: sqlite3.Connection, path: str) -> None:
    """Name the log in the main file once more, if it was begun anew many times since.

    Raises:
        sqlite3.Error: It can't be written.
        OSError: The log can't be read.
    """
    wal = read_wal(path)
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    if wal is None or not wal.generation:
        return
    # Also if SQLite has given it another name, as it does after a kill at a certain moment.
    if wal.times_since((number & 0xFFFFFFFF) >> 1) >= _MOST_TIMES // 4:
        _write(connection, Marker(wal.generation, True, 0, False))


def mark_closed(connection: sqlite3.Connection, path: str) -> bool:
    """Say in the main file that it is all there is, and return whether it says so.

    Raises:
        sqlite3.Error: It can't be written.
    """
    if not _copy_to_main_file(connection):
        # Somebody reads it, and the log stays: so it is true that it is open.
        return False
    wal = read_wal(path)
    if wal is None or not wal.generation:
        # It was taken away while it was open.
        return False
    _write(connection, Marker(wal.generation, False, 0, False))
    return _copy_to_main_file(connection)


def says_open(connection: sqlite3.Connection) -> bool:
    """Return whether a journal is marked as open, by its log if not yet by its main file.

    One whose closing was held up by a reader says in its log that it is closed.
    """
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    return bool(number & 1)


def close_and_leave_log(connection: sqlite3.Connection, path: str) -> None:
    """Close a journal, and let the log stay where it is, whoever else has it open.

    Whoever closes it last, as far as SQLite knows, removes the log: of a main file that says that
    it is open this would look like a loss. A connection that can only read removes nothing.
    """
    try:
        keeper = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.Error:
        # The file is gone, and what is beside it is nobody's.
        connection.close()
        return
    with closing(keeper), closing(connection), suppress(sqlite3.Error):
        # The first thing it reads takes SQLite's lock, which it keeps to its end.
        keeper.execute("PRAGMA user_version").fetchone()


def _write(connection: sqlite3.Connection, marker: Marker) -> None:
    connection.execute(f"PRAGMA user_version={marker.user_version}")


def _copy_to_main_file(connection: sqlite3.Connection) -> bool:
    """Copy all that the log has to the main file, and return whether that was possible.

    The log is left as it is: emptied, it would look like a lost one to whoever comes next.
    """
    busy, logged, copied = connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
    return not busy and logged == copied
