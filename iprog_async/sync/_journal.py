"""The journal, for synchronous code: what is in it, and what people do to it by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import IO, Any, Protocol, Self

from iprog_async._core.checks import Synchronous
from iprog_async._core.errors import ConfigurationError
from iprog_async._core.messages import Message
from iprog_async._journal import journal as asynchronous
from iprog_async._journal.enqueuing.enqueue import Enqueued
from iprog_async._journal.entries import ExportFormat, JournalEntry
from iprog_async._journal.forks import generation
from iprog_async._journal.reconcile import Reconciliation
from iprog_async._journal.upkeep.settling import Settlement
from iprog_async.sync._calls import JOURNAL, call
from iprog_async.sync._open_client import OpenClient
from iprog_async.sync._operations import WaitedFor


class HasClient(Protocol):
    """A client for synchronous code."""

    def here(self) -> OpenClient[Any]:
        """Return the client as this process has it."""
        ...


class Journal(WaitedFor):
    """A journal: `iprog_async.Journal`, waited for instead of awaited.

    `SmsClient` of `iprog_async.sync` takes it as it is, in `journal=` and in `follow`. Any number
    of threads may use one, and a process that is forked off opens it anew. Each method but `open`,
    `enqueue` and `close` raises `WrongLoopError` in a thread that runs an event loop.

    Args:
        journal: An open journal; `open` opens one.
    """

    _called = JOURNAL

    def __init__(self, journal: asynchronous.Journal) -> None:
        self._given = journal
        # By how often this process was forked off. None is dropped: the parent's are its own.
        self._opened = {generation(): journal}

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        campaign: str | None = "",
        resend_unknown: bool = False,
        allow_changed_text: bool = False,
        allow_lost_records: bool = False,
        wait: float = 0.0,
    ) -> Self:
        """Open a journal, or make one; see `iprog_async.Journal.open`.

        Args:
            path: The SQLite file, or the address of a PostgreSQL database.
            campaign: What it is about.
            resend_unknown: Send again what an earlier run left unknown.
            allow_changed_text: Send a number another text than an earlier run did.
            allow_lost_records: Go on with a journal that lacks records.
            wait: How many seconds a bulk run waits for one of another process to end.

        Raises:
            ConfigurationError: It is an address, and the driver is missing.
            JournalError: The file is damaged, lacks records, is of another campaign, or no
                journal; or the database can't be reached or written, or has other tables than
                this release works with.
        """
        return cls(
            asynchronous.Journal.open(
                path,
                campaign=campaign,
                resend_unknown=resend_unknown,
                allow_changed_text=allow_changed_text,
                allow_lost_records=allow_lost_records,
                wait=wait,
            )
        )

    @property
    def asynchronous(self) -> asynchronous.Journal:
        """The same journal for asynchronous code, as this process has it."""
        here = generation()
        found = self._opened.get(here)
        if found is None:
            made = self._given.in_this_process()
            # One step: of two threads that come first, both have the same one.
            found = self._opened.setdefault(here, made)
            if found is not made:
                made.close()
        return found

    @property
    def path(self) -> str:
        """Where it is: an absolute path, or an address without its password."""
        return self._given.path

    def settle(
        self,
        number: str,
        *,
        outcome: Settlement,
        key: str | None = None,
        region: str | None = None,
    ) -> JournalEntry:
        """Put on record what a person has found out about an unknown text; return what it says now.

        Args:
            number: Whom it was for, as people write it.
            outcome: `"accepted"`: the gateway has it. `"not_sent"`: it certainly never went out.
            key: The text's key; `None` takes the number's only unknown text.
            region: Two-letter region of a national number.

        Raises:
            InvalidMessageError: It is no phone number.
            JournalError: It is not unknown, it is on its way, several are, or the journal can't be
                written. Nothing was changed.
        """
        return self._call(self.asynchronous.settle(number, outcome=outcome, key=key, region=region))

    def prune(self, *, older_than: timedelta) -> int:
        """Take the people out of what nobody has touched for a time; return how many texts it was.

        Args:
            older_than: How long, in whole days.

        Raises:
            ConfigurationError: It is less than a day, or not a number of whole days.
            JournalError: A run is using the journal, or it can't be written.
        """
        return self._call(self.asynchronous.prune(older_than=older_than))

    def forget(self, number: str, *, region: str | None = None) -> int:
        """Take a person out of the journal; return how many texts it was.

        Args:
            number: Whom to forget, as people write it.
            region: Two-letter region of a national number.

        Raises:
            InvalidMessageError: It is no phone number.
            JournalError: A text for it is on its way, was sent in this very moment, or waits for
                workers; or a run is using the journal. Nothing was changed.
        """
        return self._call(self.asynchronous.forget(number, region=region))

    def reconcile(self, gateway: HasClient, *, start: datetime | None = None) -> Reconciliation:
        """Settle the unknown messages that the gateway's list of messages has.

        Args:
            gateway: A client of `iprog_async.sync`.
            start: From when on to look, as an aware `datetime`; since the journal was made
                if `None`.

        Raises:
            ConfigurationError: It is a client of `iprog_async`.
            InvalidMessageError: `start` has no time zone.
            UnsupportedError: This provider lists no messages.
            ConnectionFailedError: It can't be reached; ask again.
            NoAnswerError: It gave no trustworthy answer; ask again.
            ProviderError: It refused to tell.
            JournalError: A run is using the journal, or it can't be written.
        """
        if not isinstance(gateway, Synchronous):
            raise ConfigurationError(
                "here reconcile takes a client of iprog_async.sync: one of iprog_async goes with "
                "the journal's .asynchronous. Nothing was changed"
            )
        here = gateway.here()
        return call(here.thread, self.asynchronous.reconcile(here.client, start=start))

    def enqueue(
        self,
        message: Message,
        *,
        connection: object,
        region: str | None = None,
        max_age: timedelta | None = None,
    ) -> Enqueued:
        """Put a text into the outbox, within the transaction that a connection of yours is in.

        Args:
            message: The text, with its key.
            connection: psycopg's, SQLAlchemy's connection or session, or Django's.
            region: Two-letter region of a national number.
            max_age: Send it within this time from now, or not at all; whenever it can be if `None`,
                or by the message's own `not_after`.

        Raises:
            InvalidMessageError: It can't be sent as it is. Nothing was enqueued.
            UnsupportedError: It has `options`, which an outbox can't keep. Nothing was enqueued.
            ConfigurationError: The connection is of no known kind, or the journal is a file.
            JournalError: The connection leads to another database, lacks a right, or its
                transaction has failed already. Nothing was enqueued.
        """
        return self.asynchronous.enqueue_sync(
            message, connection=connection, region=region, max_age=max_age
        )

    def outcome_of(
        self, number: str, key: str, *, region: str | None = None
    ) -> JournalEntry | None:
        """Return what became of the text that a number was sent with a key; `None` if nobody knows.

        Args:
            number: The recipient, as people write it.
            key: The key of the text.
            region: Two-letter region of a national number.

        Raises:
            InvalidMessageError: It is no phone number, or no key that a journal can keep.
            JournalError: The journal can't be read.
        """
        return self._call(self.asynchronous.outcome_of(number, key, region=region))

    def counts(self) -> dict[str, int]:
        """Return how many messages are `accepted`, `not_sent`, `unknown` and `waiting`.

        Raises:
            JournalError: The journal can't be read.
        """
        return self._call(self.asynchronous.counts())

    def deliveries(self) -> dict[str, int]:
        """Return how many of the accepted messages are `delivered`, `sent`, `failed` and `pending`.

        Raises:
            JournalError: The journal can't be read.
        """
        return self._call(self.asynchronous.deliveries())

    def unknown(self) -> Iterator[JournalEntry]:
        """Iterate over the messages of which nobody knows whether they went out.

        Raises:
            JournalError: The journal can't be read.
        """
        return self._each(self.asynchronous.unknown())

    def failed(self) -> Iterator[JournalEntry]:
        """Iterate over the accepted messages that failed at the gateway.

        Raises:
            JournalError: The journal can't be read.
        """
        return self._each(self.asynchronous.failed())

    def entries(self) -> Iterator[JournalEntry]:
        """Iterate over all messages, in the order in which they were first claimed.

        Raises:
            JournalError: The journal can't be read.
        """
        return self._each(self.asynchronous.entries())

    def export(
        self,
        file: IO[str],
        *,
        format: ExportFormat = "csv",  # noqa: A002 - the word users know
        failed_only: bool = False,
    ) -> int:
        """Write all messages to a text file, a line each; return their number.

        Args:
            file: A file open for writing text; for CSV with `newline=""`.
            format: `"csv"` or `"jsonl"`.
            failed_only: Write those only that were accepted and failed at the gateway.

        Raises:
            ConfigurationError: There is no such format.
            JournalError: The journal can't be read.
        """
        return self._call(self.asynchronous.export(file, format=format, failed_only=failed_only))

    def close(self) -> None:
        """Write what is waiting and close the journal in this process; twice is fine."""
        opened = self._opened.get(generation())
        if opened is not None:
            opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


AnyJournal = Journal | asynchronous.Journal | str | os.PathLike[str]
"""A journal in whichever of its two forms, or its path or address."""


def plain_journal(given: AnyJournal | None) -> asynchronous.Journal | str | os.PathLike[str] | None:
    """Return a journal as a client of an event loop has it."""
    return given.asynchronous if isinstance(given, Journal) else given
