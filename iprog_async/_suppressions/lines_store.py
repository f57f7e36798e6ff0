"""A list in a file of lines, which people may read and write with any editor."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from attrs import field, frozen

from iprog_async._core.errors import SmsError, SuppressionsError
from iprog_async._core.forks.locks import ForkLock
from iprog_async._journal.sqlite.file_lock import FileLock
from iprog_async._suppressions.entries import Suppression, SuppressionChange
from iprog_async._suppressions.written_lines import (
    entry_line,
    read_entry,
    read_removed,
    removed_line,
    unreadable,
)


_PATIENCE = 10.0
"""Seconds to wait for others that are writing."""

_Identity = tuple[int, int, int, int]


@frozen
class _Contents:
    """The file as it was read.

    Args:
        lines: Its lines, without their ends.
        places: The line of each number; the first one counts.
        entries: What stands there.
        identity: What tells that the file is still the one that was read.
    """

    lines: list[str]
    places: dict[str, list[int]]
    entries: dict[str, Suppression]
    identity: _Identity | None = field(default=None)


class LinesStore:
    """Keeps a list in a file of lines; each change writes the file anew beside it.

    Whether the file changed is looked up each time that a number is asked for, so an editor's
    change counts at once as well.

    Args:
        path: The file.
        read_number: Makes E.164 of the numbers in it.
        create: Whether it may be made.

    Raises:
        SuppressionsError: It can't be read or made, or a line is no phone number.
    """

    is_quick = True

    def __init__(self, path: str, read_number: Callable[[str], str], *, create: bool) -> None:
        self.shown = path
        # A link stays one: what it leads to is written anew.
        self._path = os.path.realpath(path)
        self._read_number = read_number
        self._turn = ForkLock()
        self._contents: _Contents | None = None
        if create:
            with self._translated("can't be made"):
                os.close(os.open(self._path, os.O_RDONLY | os.O_CREAT, 0o600))
        self._current()

    def among(self, numbers: Sequence[str]) -> set[str]:
        """Return those of some numbers that are on the list now."""
        entries = self._current().entries
        return {number for number in numbers if number in entries}

    def add(self, entries: Sequence[Suppression]) -> int:
        """Put numbers on the list, durably; one that is on it stays as it is."""
        with self._alone() as contents:
            new = {e.number: e for e in reversed(entries) if e.number not in contents.entries}
            if new:
                self._write([*contents.lines, *map(entry_line, reversed(new.values()))])
            return len(new)

    def remove(self, changes: Sequence[SuppressionChange]) -> int:
        """Take numbers off the list, durably, and return how many were on it."""
        with self._alone() as contents:
            lines = contents.lines.copy()
            found = {c.number: c for c in changes if c.number in contents.entries}
            for number, change in found.items():
                for place in contents.places[number]:
                    lines[place] = removed_line(change, contents.entries[number])
            if found:
                self._write(lines)
            return len(found)

    def count(self) -> int:
        """Return how many numbers are on the list."""
        return len(self._current().entries)

    def page(self, after: str, limit: int) -> list[Suppression]:
        """Return the next entries behind a number, in the order of numbers."""
        entries = self._current().entries
        return [entries[number] for number in sorted(n for n in entries if n > after)[:limit]]

    def changes(self, after: int, limit: int) -> list[tuple[int, SuppressionChange]]:
        """Return the next changes behind a place, in the order of the file."""
        found = [pair for line in self._current().lines if (pair := read_removed(line))]
        past = [change for pair in found for change in pair]
        now = [SuppressionChange(e.number, "added", e.since, e.why) for e in self._entries()]
        return list(enumerate([*past, *now], 1))[after : after + limit]

    def close(self) -> None:
        """Nothing is open between two calls."""

    def _entries(self) -> list[Suppression]:
        return list(self._current().entries.values())

    def _current(self) -> _Contents:
        """Return the file as it is now, read again if it is not the one that was read last."""
        with self._turn.lock, self._translated("can't be read"):
            contents, identity = self._contents, self._identify()
            if contents is None or contents.identity != identity:
                self._contents = contents = self._read(identity)
            return contents

    def _identify(self) -> _Identity:
        found = os.stat(self._path)
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    def _read(self, identity: _Identity) -> _Contents:
        try:
            text = Path(self._path).read_text("utf-8-sig")
        except UnicodeDecodeError:
            raise SuppressionsError(
                f"{self.shown} is no UTF-8 text; save it as UTF-8. Nothing was sent"
            ) from None
        contents = _Contents(text.splitlines(), {}, {}, identity)
        for place, line in enumerate(contents.lines):
            try:
                entry = read_entry(line, self._read_number)
            except SmsError as exc:
                raise unreadable(f"line {place + 1} of {self.shown}", line, exc) from None
            if entry is not None:
                contents.places.setdefault(entry.number, []).append(place)
                contents.entries.setdefault(entry.number, entry)
        return contents

    @contextmanager
    def _alone(self) -> Generator[_Contents]:
        """Keep all others from writing, in this process and elsewhere."""
        with self._translated("can't be written"):
            lock = FileLock.wait_for(f"{self._path}.lock", _PATIENCE)
        if lock is None:
            raise SuppressionsError(
                f"{self.shown} can't be written: another process has been writing it for "
                f"{_PATIENCE:.0f} seconds. The list is as it was"
            )
        try:
            yield self._current()
        finally:
            lock.release()

    def _write(self, lines: Sequence[str]) -> None:
        """Put another file in its place, whole and on the disk: a reader never sees half of it."""
        beside = f"{self._path}.{token_hex(4)}.new"
        with self._translated("can't be written"):
            try:
                mode = os.stat(self._path).st_mode & 0o777
                descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
                    file.writelines(f"{line}\n" for line in lines)
                    file.flush()
                    os.fsync(file.fileno())
                os.chmod(beside, mode)
                os.replace(beside, self._path)
            except BaseException:
                Path(beside).unlink(missing_ok=True)
                raise
            _sync_folder(os.path.dirname(self._path))

    @contextmanager
    def _translated(self, what: str) -> Generator[None]:
        try:
            yield
        except OSError as exc:
            raise SuppressionsError(
                f"the suppressed numbers in {self.shown} {what}: {exc.strerror}. Nothing was sent"
            ) from None


def _sync_folder(folder: str) -> None:
    if os.name == "nt":  # pragma: no cover - a folder can't be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
