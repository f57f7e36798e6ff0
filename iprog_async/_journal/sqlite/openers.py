"""Who has a journal open, of all processes of this machine, and the gate they go through.

Opening and closing are done by one at a time, who holds the gate. Each that has opened the journal
holds a lock of its own from then on, which the system drops when its process ends: so whoever is
at the gate knows whether it is alone, and everybody can know whether the one that claimed a
message is still there. Process ids say neither: they are given out again.

The lock is taken as the last step of opening, and released as the first of closing. So one that is
still held, because the system ends a process step by step, is of somebody who was killed between
the two, and never of one that broke off in the midst of either.
"""

from __future__ import annotations

import os
import re

from attrs import define, field

from iprog_async._core.errors import JournalError
from iprog_async._journal.sqlite.file_lock import FileLock, holder_of, is_held
from iprog_async._journal.store import OwnRun


# Seconds. The first one to open a journal checks all of it, two seconds for a million messages.
_PATIENCE = 300.0
_SOON = 10.0
# An older release holds the gate until it ends, and doesn't sign it. Somebody else may be about to
# sign it at one look, and not at several.
_LOOK = 0.5
_UNSIGNED_LOOKS = 6


def gate_of(path: str) -> FileLock:
    """Wait for the gate of a journal, to open it.

    Raises:
        JournalError: Somebody else does not come out.
        OSError: The system has no locks for it.
    """
    holder: int | None = None
    unsigned = 0
    for _ in range(max(1, round(_PATIENCE / _LOOK))):
        gate = FileLock.wait_for(_path_of_gate(path), _LOOK)
        if gate is not None:
            return gate
        holder = holder_of(_path_of_gate(path))
        unsigned = unsigned + 1 if holder is None else 0
        if unsigned == _UNSIGNED_LOOKS:
            raise JournalError(
                f"the journal {path} is in use by a process with an older release of this "
                "library, which keeps it to itself: end that process, or let it end, and open the "
                "journal once more. Nothing was sent"
            )
    who = "another process" if holder is None else f"another process, {holder}"
    raise JournalError(
        f"the journal {path} is being opened or closed by {who}, which does not come "
        "to an end, or was stopped by a signal: let it go on, or end it. Nothing was sent"
    )


def gate_to_leave(path: str) -> FileLock | None:
    """Wait a moment for the gate, to close a journal; `None` if somebody else does not come out.

    Raises:
        OSError: The system has no locks for it.
    """
    return FileLock.wait_for(_path_of_gate(path), _SOON)


def enter(path: str, opener: int) -> FileLock:
    """Take the lock of one that has opened a journal; whoever calls holds the gate.

    Raises:
        JournalError: Somebody else has it: the number was given out twice.
        OSError: The system has no locks for it.
    """
    lock = FileLock.take(_path_of_opener(path, opener))
    if lock is None:
        raise JournalError(f"the journal {path} has two openers of the number {opener}")
    return lock


def is_open(path: str) -> bool:
    """Return whether anybody has a journal open; whoever calls holds the gate.

    What others left behind when they were killed is removed.

    Raises:
        OSError: The system does not say.
    """
    folder, name = os.path.split(path)
    lock_of_opener = re.compile(re.escape(os.path.basename(_path_of_opener(name, 0))[:-1]) + r"\d+")
    found = [entry for entry in os.listdir(folder) if lock_of_opener.fullmatch(entry)]
    # All of them are looked at: those that nobody holds are removed.
    held = [is_held(os.path.join(folder, entry)) for entry in found]
    return any(held)


def is_there(path: str, opener: int) -> bool:
    """Return whether one that had opened a journal still has it open, as far as can be seen now.

    Where that can't be seen, it has: whoever asks waits, or leaves its messages alone, and asks
    again.
    """
    try:
        gate = FileLock.take(_path_of_gate(path))
        if gate is None:
            # Somebody else is asking at this moment.
            return True
        try:
            return is_held(_path_of_opener(path, opener))
        finally:
            gate.release()
    except OSError:
        # As where this process has no file descriptor left for the moment.
        return True


@define(eq=False)
class LockedRun(OwnRun):
    """A run that has the file.

    Args:
        lock: What keeps other runs out.
    """

    lock: FileLock = field(kw_only=True)


def lock_of_run(path: str) -> FileLock | None:
    """Take the lock of a journal's bulk run; `None` if another run has it.

    Raises:
        JournalError: The system has no locks for it.
    """
    try:
        return FileLock.take(f"{path}.lock-run")
    except OSError as exc:
        raise JournalError(
            f"the journal {path} can't be used for a run: {exc.strerror or exc}. Nothing was sent"
        ) from None


def _path_of_gate(path: str) -> str:
    return f"{path}.lock"


def _path_of_opener(path: str, opener: int) -> str:
    return f"{path}.lock-{opener}"
