"""Where journals are: in a file of this machine, or in a PostgreSQL database."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from iprog_async._core.checks import check_storable
from iprog_async._core.errors import ConfigurationError, JournalError
from iprog_async._journal.contents import Pages
from iprog_async._journal.postgres.address import PostgresAddress, is_address
from iprog_async._journal.sqlite.snapshot import open_snapshot as open_file_snapshot
from iprog_async._journal.sqlite.store import SqliteStore
from iprog_async._journal.store import JournalStore


if TYPE_CHECKING:
    from iprog_async._journal.postgres.store import PostgresStore

Place = str | os.PathLike[str]
"""A path, or an address."""


class ClosablePages(Pages, Protocol):
    """Rows of a journal that is open for reading."""

    def close(self) -> None:
        """Close it; twice is fine."""
        ...


# What is behind an address is imported where there is one: most programs have a file.


def open_store(
    place: Place, campaign: str | None, *, allow_lost_records: bool = False, wait: float = 0.0
) -> JournalStore:
    """Open a journal for writing; see `Journal.open`."""
    if not os.fspath(place):
        raise JournalError("can't open the journal: its path is empty. Nothing was sent")
    if is_in_memory(place):
        raise JournalError(
            f"can't open the journal {os.fsdecode(place)}: a journal has to last, for without what "
            "is on record everybody could be texted again. Nothing was sent; give the path of a "
            "file, in a test that of a temporary one"
        )
    check_storable("campaign", campaign)
    if not is_address(place):
        path = os.fsdecode(place)
        return SqliteStore(path, campaign, allow_lost_records=allow_lost_records, wait=wait)
    from iprog_async._journal.postgres.store import PostgresStore

    return PostgresStore(PostgresAddress.parse(os.fspath(place)), campaign)


def is_in_memory(place: Place) -> bool:
    """Return whether a place is what SQLite keeps in memory, and would be the name of a file."""
    path = os.fsdecode(place)
    return path == ":memory:" or (
        path.startswith("file:") and (":memory:" in path or "mode=memory" in path)
    )


def postgres_store(store: JournalStore, needed_for: str) -> PostgresStore:
    """Return a journal's store if it is in PostgreSQL.

    Args:
        store: The journal's store.
        needed_for: What needs PostgreSQL, for the error.

    Raises:
        ConfigurationError: It is a file.
    """
    from iprog_async._journal.postgres.store import PostgresStore

    if not isinstance(store, PostgresStore):
        raise ConfigurationError(
            f"{needed_for} needs a journal in PostgreSQL, such as "
            f"Journal.open('postgresql://…'), and {store.path} is a file"
        )
    return store


def open_pages(place: Place, campaign: str | None = None) -> ClosablePages:
    """Open a journal for reading; see `JournalReader.open`."""
    if not is_address(place):
        if campaign is not None:
            raise JournalError("a file has one campaign, so none is named when it is read")
        return open_file_snapshot(os.fsdecode(place))
    check_storable("campaign", campaign)
    from iprog_async._journal.postgres.snapshot import open_snapshot

    return open_snapshot(PostgresAddress.parse(os.fspath(place)), campaign)


def would_be_made(place: Place, campaign: str = "") -> bool:
    """Return whether opening a journal would make it, so that nothing is on record yet.

    Raises:
        JournalError: The database can't be reached, or is of another version.
    """
    if not is_address(place):
        name = os.fspath(place)
        folder = os.path.dirname(os.path.abspath(name))
        # Where it can't be made, whoever opens it says so.
        return bool(name) and os.path.isdir(folder) and not os.path.exists(name)
    check_storable("campaign", campaign)
    from iprog_async._journal.postgres.session import has_campaign

    return not has_campaign(PostgresAddress.parse(os.fspath(place)), campaign)


def shown(place: Place) -> str:
    """Return a place as people may see it: an address without its password."""
    if is_address(place):
        return PostgresAddress.parse(os.fspath(place)).shown
    return os.fspath(place)
