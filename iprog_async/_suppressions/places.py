"""Where lists of suppressed numbers are: in a file of lines, in an SQLite file, in PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Callable

from iprog_async._core.errors import JournalError, SuppressionsError
from iprog_async._core.phones import to_e164, to_region
from iprog_async._journal.places import is_in_memory
from iprog_async._journal.postgres.address import PostgresAddress, is_address
from iprog_async._providers.numbers import read_listed_number
from iprog_async._providers.protocols import SmsProvider
from iprog_async._suppressions.lines_store import LinesStore
from iprog_async._suppressions.sqlite_store import SqliteSuppressionStore
from iprog_async._suppressions.store import SuppressionStore


Place = str | os.PathLike[str]
"""A path, or an address."""

ReadNumber = Callable[[str], str]
"""Makes E.164 of a number as people write it; raises `InvalidMessageError`."""

_SQLITE_HEAD = b"SQLite format 3\0"
_OF_LINES = (".txt", ".csv", ".lst", ".list")
"""How the name of a new file ends that is to hold lines."""


def open_store(place: Place, read_number: ReadNumber, *, create: bool) -> SuppressionStore:
    """Open a list.

    Args:
        place: The path of a file, or the address of a journal in PostgreSQL.
        read_number: Reads the numbers of a file of lines.
        create: Whether a file may be made.

    Raises:
        ConfigurationError: The driver of PostgreSQL is missing.
        SuppressionsError: It can't be opened.
    """
    if not os.fspath(place):
        raise SuppressionsError("the path of the suppressed numbers is empty. Nothing was sent")
    if is_in_memory(place):
        raise SuppressionsError(
            f"the suppressed numbers can't be in {os.fsdecode(place)}: who said STOP would be "
            "forgotten. Nothing was sent; give the path of a file"
        )
    if is_address(place):
        # Behind an address is what most programs don't have.
        from iprog_async._suppressions.postgres_store import PostgresSuppressionStore

        return PostgresSuppressionStore(parse_address(os.fspath(place)))
    path = os.fsdecode(place)
    if is_of_lines(path):
        return LinesStore(path, read_number, create=create)
    return SqliteSuppressionStore(path, create=create)


def parse_address(address: str) -> PostgresAddress:
    """Return where a list in PostgreSQL is.

    Raises:
        SuppressionsError: The address is wrong; it is not shown.
    """
    try:
        return PostgresAddress.parse(address)
    except JournalError as exc:
        problem = SuppressionsError(str(exc))
    raise problem


def is_of_lines(path: str) -> bool:
    """Return whether a file holds lines: by what is in it, or by its name while it is empty.

    Raises:
        SuppressionsError: It can't be read.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(len(_SQLITE_HEAD))
    except FileNotFoundError:
        head = b""
    except OSError as exc:
        raise SuppressionsError(
            f"the suppressed numbers in {path} can't be read: {exc.strerror}. Nothing was sent"
        ) from None
    return head != _SQLITE_HEAD if head else path.lower().endswith(_OF_LINES)


def number_reader(region: str | SmsProvider | None) -> ReadNumber:
    """Return what reads numbers.

    Args:
        region: The region of national numbers, or a provider that knows its own.

    Raises:
        ConfigurationError: A region is two letters.
    """
    if region is None or isinstance(region, str):
        of_region = to_region(region)
        return lambda number: to_e164(number, of_region)
    return lambda number: read_listed_number(region, number)
