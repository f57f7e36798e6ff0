"""Reading a journal beside the run that is using it."""

from __future__ import annotations

import os

from iprog_async._journal.contents import JournalContents
from iprog_async._journal.sqlite.snapshot import Snapshot, open_snapshot


class JournalReader(JournalContents):
    """A journal as it was when this was opened, whatever a run does to it meanwhile.

    It needs no lock, and keeps nobody from using the journal; but one that stays open for long lets
    the files beside it grow, and keeps the next run from beginning. Use it as a context manager,
    or `close` it.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(snapshot)
        self._snapshot = snapshot

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> JournalReader:
        """Open a journal for reading; one of an older release is brought up to date.

        The whole file is checked, which takes some seconds for a million messages; in a
        coroutine call it by `asyncio.to_thread`.

        Raises:
            JournalError: It is not there, damaged, lacks records, or no journal.
        """
        return cls(open_snapshot(os.fsdecode(path)))

    def close(self) -> None:
        """Close the file; twice is fine."""
        self._snapshot.close()

    def __enter__(self) -> JournalReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
