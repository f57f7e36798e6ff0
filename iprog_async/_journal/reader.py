"""Reading a journal beside the run that is using it."""

from __future__ import annotations

import os

from iprog_async._journal.contents import JournalContents
from iprog_async._journal.places import ClosablePages, open_pages


class JournalReader(JournalContents):
    """A journal as it was when this was opened, whatever a run does to it meanwhile.

    It needs no lock, and keeps nobody from using the journal; but one that stays open for long lets
    the files beside it grow, and keeps the next run from beginning; with PostgreSQL it keeps the
    server from reusing space. Use it as a context manager, or `close` it.
    """

    def __init__(self, snapshot: ClosablePages) -> None:
        super().__init__(snapshot)
        self._snapshot = snapshot

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, campaign: str | None = None) -> JournalReader:
        """Open a journal for reading; a file of an older release is brought up to date.

        A file is checked as a whole, which takes some seconds for a million messages; in a
        coroutine call it by `asyncio.to_thread`.

        Args:
            path: The file, or the `postgresql://` address; a standby will do.
            campaign: Which of the campaigns of an address; `None` takes the only one.

        Raises:
            ConfigurationError: It is an address, and the driver is missing.
            JournalError: It is not there, damaged, lacks records, or no journal.
        """
        return cls(open_pages(path, campaign))

    def close(self) -> None:
        """Close the file; twice is fine."""
        self._snapshot.close()

    def __enter__(self) -> JournalReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
