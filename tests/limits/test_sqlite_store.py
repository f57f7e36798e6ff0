"""The file of shared limits: made anew whenever it can't be used, and nobody else's to read."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest

from iprog_async._limits import sqlite_file, sqlite_store
from iprog_async._limits.sqlite_store import SqliteLimitStore
from iprog_async._limits.store import LimitStoreError


NAME = b"an account"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the file is."""
    return tmp_path / "texts.db-limits"


def put(store: SqliteLimitStore, new: str) -> str:
    """Put a state in the place of another; return that one."""
    return asyncio.run(store.change(NAME, lambda state, _: (new, state)))


def close(*stores: SqliteLimitStore) -> None:
    """Let go of the file."""
    for store in stores:
        asyncio.run(store.aclose())


def test_there_is_no_file_before_it_is_needed(path: Path) -> None:
    """A store that nobody asked leaves nothing behind."""
    close(SqliteLimitStore(str(path), b""))

    assert not path.exists()


def test_nobody_else_may_read_the_file(path: Path) -> None:
    """When an account was used is nobody else's business."""
    store = SqliteLimitStore(str(path), b"")
    put(store, "a")

    assert 0o600 == path.stat().st_mode & 0o777
    close(store)


@pytest.mark.parametrize("content", [b"no database at all", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_made_anew(path: Path, content: bytes) -> None:
    """What is in it is needed for a minute, so no damage is worth an error."""
    path.write_bytes(content)
    store = SqliteLimitStore(str(path), b"")

    assert "" == put(store, "a")
    assert "a" == put(store, "b")
    close(store)


def test_a_file_that_was_removed_is_made_anew_for_all(path: Path) -> None:
    """Processes that had it open go on with the one that is there now."""
    first, second = SqliteLimitStore(str(path), b""), SqliteLimitStore(str(path), b"")
    put(first, "a")
    put(second, "b")
    for file in path.parent.iterdir():
        file.unlink()

    assert "" == put(first, "c")
    assert "c" == put(second, "d")
    close(first, second)


def test_what_was_told_before_the_machine_started_is_forgotten(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its clock began anew, so the times in it mean nothing."""
    store = SqliteLimitStore(str(path), b"")
    put(store, "a")
    close(store)
    another = path.with_name("boot_id")
    another.write_text("another start\n")
    monkeypatch.setattr(sqlite_store, "_BOOT_ID", another)
    store = SqliteLimitStore(str(path), b"")

    assert "" == put(store, "b")
    close(store)


def test_a_place_that_can_not_be_written_is_an_error_of_the_store(tmp_path: Path) -> None:
    """Whoever uses it then goes on alone."""
    store = SqliteLimitStore(str(tmp_path / "no such folder" / "texts.db-limits"), b"")

    with pytest.raises(LimitStoreError, match="No such file"):
        put(store, "a")


def test_a_file_that_somebody_holds_is_an_error_after_a_moment(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was stopped while it changed a state keeps nobody from sending."""
    monkeypatch.setattr(sqlite_file, "_PATIENCE", 0.01)
    store = SqliteLimitStore(str(path), b"")
    put(store, "a")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(LimitStoreError, match="locked"):
        put(store, "b")

    holder.execute("ROLLBACK")
    holder.close()
    assert "a" == put(store, "c")
    close(store)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_process_that_was_forked_off_opens_the_file_itself(path: Path) -> None:
    """SQLite's connections don't go over a fork; the child has its own."""
    store = SqliteLimitStore(str(path), b"")
    put(store, "a")

    child = os.fork()
    if not child:
        seen = ""
        try:
            # Without an event loop: the less a child does, the better.
            store.change(NAME, lambda state, _: ("from the child", state)).send(None)
        except StopIteration as ended:
            seen = ended.value
        finally:
            os._exit(0 if seen == "a" else 1)
    _, status = os.waitpid(child, 0)

    assert 0 == status
    assert "from the child" == put(store, "b")
    close(store)


def test_a_file_that_was_in_use_while_it_was_opened_is_opened_again(path: Path) -> None:
    """Whoever comes while another process makes the file has its table all the same."""

    async def change_once_it_is_free() -> str:
        # As it is for a moment while somebody switches it to its log of changes.
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        store = SqliteLimitStore(str(path), b"")
        waiting = asyncio.create_task(store.change(NAME, lambda state, _: ("a", state)))
        await asyncio.sleep(0)  # it tries for the first time, and can't
        other.execute("COMMIT")
        other.close()
        try:
            return await waiting
        finally:
            await store.aclose()

    assert "" == asyncio.run(change_once_it_is_free())
