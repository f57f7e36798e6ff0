"""Opening the journal's SQLite file: whose it is, whether it is whole, and its tables."""

from __future__ import annotations

import os
import secrets
import sqlite3
import stat
import time
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from iprog_async._errors import JournalError


_APPLICATION_ID = 0x69_50_52_47  # "iPRG": tells our files from other SQLite files
_VERSION = 1
_SMALLEST = 512  # bytes of SQLite's smallest page; the first one is written as a whole
_DAMAGED = "the journal is damaged; restore it from a copy before you send"
# Rows are looked up by number by an index that a run makes when it begins; see the store.
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    number TEXT NOT NULL,
    key TEXT,
    text_hash BLOB NOT NULL,
    run INTEGER NOT NULL,
    state TEXT NOT NULL,
    healable INTEGER NOT NULL,
    provider TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX entries_by_key ON entries (key, number) WHERE key IS NOT NULL;
"""


@frozen
class JournalFile:
    """An open journal.

    Args:
        connection: The open database.
        identity: What tells whether the path still leads to this file.
        salt: What texts are hashed with.
        made_at: When the journal was made.
        last_id: Number of the last row; 0 if there is none.
        indexed_below: Rows with smaller numbers are in the index by number.
    """

    connection: sqlite3.Connection
    identity: os.stat_result
    salt: bytes
    made_at: datetime
    last_id: int
    indexed_below: int


def open_file(path: str, campaign: str | None) -> JournalFile:
    """Open a journal's file, or make one with mode 0600.

    Raises:
        JournalError: It is damaged, of another campaign, or no journal.
        OSError: The system does not let us.
    """
    identity = _touch(path)
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as exc:
        # A path can be too long for SQLite.
        raise unusable(path, exc) from None
    try:
        return _examine(connection, identity, campaign)
    except sqlite3.Error as exc:
        connection.close()
        raise unusable(path, exc) from None
    except BaseException:
        connection.close()
        raise


def unusable(path: str, cause: Exception) -> JournalError:
    """Return what to raise for an error of SQLite."""
    return JournalError(
        f"the journal {path} can't be used: {cause}. Nothing more is sent; what is on record "
        "stays there: mend the cause and run again"
    )


def _touch(path: str) -> os.stat_result:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        identity = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if not stat.S_ISREG(identity.st_mode):
        # A device such as /dev/null is not ours to change.
        raise JournalError(f"can't open the journal {path}: it is no regular file")
    if identity.st_size == 0:
        # Somebody may have made it empty and readable; SQLite's other files take its mode.
        os.chmod(path, 0o600)
    return identity


def _examine(
    connection: sqlite3.Connection, identity: os.stat_result, campaign: str | None
) -> JournalFile:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != _APPLICATION_ID and (application or tables):
        # Before anything is changed about it.
        raise JournalError(
            "this file is no journal of sent texts, but another SQLite database; it was left as "
            "it is: take another file"
        )
    connection.execute("PRAGMA journal_mode=WAL")
    if not tables:
        if 0 < identity.st_size < _SMALLEST:
            # SQLite takes it for an empty one, and the journal it was would be sent once more.
            raise JournalError(_DAMAGED)
        _make(connection, campaign or "")
    # It reads the whole file, which takes 0.15 s for a million rows.
    (word,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    meta: dict[str, Any] = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    if word != "ok" or not meta.keys() >= {
        "version",
        "campaign",
        "salt",
        "made_at",
        "indexed_below",
    }:
        raise JournalError(_DAMAGED)
    _check(meta, campaign)
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM entries").fetchone()
    made_at = datetime.fromtimestamp(meta["made_at"], UTC)
    return JournalFile(connection, identity, meta["salt"], made_at, last, meta["indexed_below"])


def _make(connection: sqlite3.Connection, campaign: str) -> None:
    # In one transaction: a file with half of it would be no journal and no empty file.
    connection.executescript(f"BEGIN; {_SCHEMA}; PRAGMA application_id={_APPLICATION_ID};")
    meta = {
        "version": _VERSION,
        "campaign": campaign,
        "salt": secrets.token_bytes(16),
        "made_at": int(time.time()),
        "run": 0,
        "indexed_below": 1,
    }
    connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
    connection.execute("COMMIT")


def _check(meta: dict[str, Any], campaign: str | None) -> None:
    if meta.get("version") != _VERSION:
        raise JournalError(
            f"this journal has the format {meta.get('version')!r}, and this library knows "
            f"{_VERSION}; use the release that made it"
        )
    if campaign is not None and meta["campaign"] != campaign:
        raise JournalError(
            f"this journal is {_of(meta['campaign'])}, not {_of(campaign)}; "
            "take another file, or its own campaign's name"
        )


def _of(campaign: str) -> str:
    return f"of the campaign {campaign!r}" if campaign else "of no named campaign"
