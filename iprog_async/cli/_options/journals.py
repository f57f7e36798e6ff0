"""The journal that a command is given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from iprog_async._core.errors import InvalidMessageError
from iprog_async._journal.journal import Journal
from iprog_async._journal.postgres.address import is_address
from iprog_async._journal.reader import JournalReader


_HEAD = b"SQLite format 3\0"

Campaign = Annotated[
    str | None,
    Parameter(
        name="--campaign",
        show_default=False,
        help="Which campaign of a database; a file has one, and a database may have one.",
    ),
]


@asynccontextmanager
async def open_journal(file: str, campaign: str | None) -> AsyncGenerator[Journal]:
    """Open a journal that is there."""
    _check_there(file)
    # Whatever campaign it is of: nothing is sent from here. Checking a large file takes a moment.
    with await asyncio.to_thread(Journal.open, file, campaign=campaign) as opened:
        yield opened


@asynccontextmanager
async def read_journal(file: str, campaign: str | None) -> AsyncGenerator[JournalReader]:
    """Open a journal that is there for reading."""
    _check_there(file)
    with await asyncio.to_thread(JournalReader.open, file, campaign=campaign) as opened:
        yield opened


def _check_there(file: str) -> None:
    if is_address(file):
        # Whoever connects to it says what is wrong with it.
        return
    if problem := _no_journal(Path(file)) if file else "its path is empty":
        raise InvalidMessageError(f"{problem}; give the file that was the --journal of a bulk run")


def _no_journal(path: Path) -> str:
    """Return why something is no journal, in words; empty if it may be one."""
    if not path.exists():
        return f"there is no file '{path}'"
    if not path.is_file():
        return (
            f"'{path}' is a directory and no journal" if path.is_dir() else f"'{path}' is no file"
        )
    try:
        with path.open("rb") as stream:
            head = stream.read(len(_HEAD))
    except OSError as exc:
        return f"'{path}' can't be read: {exc.strerror}"
    if not head:
        # Opening it would make a journal of it.
        return f"'{path}' is empty and no journal"
    return "" if head == _HEAD else f"'{path}' is another kind of file and no journal"
