"""The journal: what was claimed before sending and recorded after, so that a run can go on."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Self

from iprog_async._core.errors import ConfigurationError, SmsError
from iprog_async._core.messages import Message
from iprog_async._core.outcomes import Outcome
from iprog_async._core.phones import to_e164, to_region
from iprog_async._journal.contents import JournalContents
from iprog_async._journal.enqueuing.enqueue import Enqueued, Target
from iprog_async._journal.entries import JournalEntry, to_entry
from iprog_async._journal.forks import generation
from iprog_async._journal.keys import KeysUnderWay, check_key
from iprog_async._journal.places import open_store, postgres_store
from iprog_async._journal.postgres.address import is_address
from iprog_async._journal.reconcile import (
    HasProvider,
    Reconciliation,
    SupportsMessageList,
    reconcile,
)
from iprog_async._journal.resume_rules import ResumeRules
from iprog_async._journal.store import JournalStore
from iprog_async._journal.text_hash import TextHash
from iprog_async._journal.upkeep.settling import Settlement, check_idle, settle
from iprog_async._limits.shared import SharedLimits


logger = logging.getLogger("iprog_async")

_DAY = timedelta(days=1)


class Journal(JournalContents):
    """Makes a run resumable, and a single send idempotent by its key: a file, or a database.

    It holds phone numbers, which are personal data (the file's mode is 0600), and salted
    hashes of the texts; no text and no credential. Any number of processes of one machine can
    open a file, and of any number of machines a PostgreSQL database. One bulk run at a time can
    use a file, and single sends with a key beside it; a database serves several.
    Use it as a context manager, or `close` it.
    """

    def __init__(self, store: JournalStore, rules: ResumeRules) -> None:
        super().__init__(store)
        self.store = store
        """The rows; for this library's own use, like all down to `open`, and what follows it."""
        self.rules = rules
        """What the caller allows."""
        self.sending: dict[tuple[asyncio.AbstractEventLoop, str, str], asyncio.Task[Outcome]] = {}
        """The single sends that are under way, by event loop, number and key."""
        self.under_way = KeysUnderWay()
        """Number and key of the messages with a key that are being sent."""
        self._reported = ""
        self._forks = generation()
        self._open_again: Callable[[], Journal] | None = None
        self.text_hash = TextHash(store.salt)
        """Tells texts apart."""

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
        """Open a journal, or make one; one of an older release is brought up to date.

        The whole file is checked, which takes some seconds for a million messages; in a
        coroutine call it by `asyncio.to_thread`.

        Args:
            path: The SQLite file, or the address of a PostgreSQL database, such as
                `postgresql://user:password@host/database?schema=iprog_async`, in which
                `iprog-async journal init` made the tables.
            campaign: What it is about. A file has one: it is stored when the file is made, and has
                to match after; `None` takes whatever it is. A database has many: the one that is
                not there yet is made; `None` takes the only one.
            resend_unknown: Send again what an earlier run left unknown: better twice than
                never.
            allow_changed_text: Send a number another text than an earlier run did, or the same
                with another key, or none.
            allow_lost_records: Go on with a journal that lacks records, because SQLite's file
                `-wal` was lost, or rows are damaged. What it has and was not accepted is unknown
                from then on; who is not on record is sent, perhaps for the second time.
            wait: How many seconds a bulk run waits for one of another process to end, before it
                is refused. Single sends wait for no run, and in a database nobody does.

        Raises:
            ConfigurationError: It is an address, and the driver is missing.
            JournalError: The file is damaged, lacks records, is of another campaign, or no
                journal; or the database can't be reached or written, or has other tables than
                this release works with.
        """
        rules = ResumeRules(resend_unknown=resend_unknown, allow_changed_text=allow_changed_text)
        store = open_store(path, campaign, allow_lost_records=allow_lost_records, wait=wait)
        journal = cls(store, rules)
        place = path if is_address(path) else store.path
        # Not a partial, whose repr would show a password. That lost records are allowed was said of
        # what this opening found, which is unknown from now on; what is lost later was not meant.
        journal._open_again = lambda: cls.open(
            place,
            campaign=campaign,
            resend_unknown=resend_unknown,
            allow_changed_text=allow_changed_text,
            wait=wait,
        )
        return journal

    @classmethod
    async def open_aside(cls, path: str | os.PathLike[str], campaign: str | None = "") -> Journal:
        """Open a journal in a thread: checking a large file must not keep others from the loop."""
        opening: asyncio.Future[Journal] = asyncio.get_running_loop().run_in_executor(
            None, lambda: cls.open(path, campaign=campaign)
        )
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The thread goes on; nobody else would close what it opens.
            opening.add_done_callback(_close_late)
            raise

    def in_this_process(self) -> Journal:
        """Return the journal; where this process was forked off since it was opened, a new one.

        Raises:
            JournalError: As `open` does.
        """
        if self._open_again is None or self._forks == generation():
            return self
        return self._open_again()

    @property
    def path(self) -> str:
        """Where it is: an absolute path, or an address without its password."""
        return self.store.path

    async def begin_run(self) -> int:
        """Return the number of a new bulk run.

        Raises:
            JournalError: Another one uses the journal, or it can't be written.
        """
        return await self.store.begin_run()

    async def end_run(self, number: int) -> None:
        """Let another bulk run use the journal; it can when this returns."""
        if self.store.end_run(number):
            await self.store.run_ended(number)

    def forget_closed(self) -> None:
        """Let go of the single sends whose event loop is closed: nothing else ends them."""
        for identity in list(self.sending):
            loop, number, key = identity
            if loop.is_closed():
                self.under_way.forget_closed((number, key))
                self.sending.pop(identity, None)

    def report(self, problem: SmsError) -> None:
        """Log what keeps texts with a key from being sent: once, until it is another thing."""
        if problem.blame == "account" and str(problem) != self._reported:
            self._reported = str(problem)
            logger.error("the journal keeps texts with a key from being sent: %s", problem)

    async def reconcile(
        self, gateway: SupportsMessageList | HasProvider, *, start: datetime | None = None
    ) -> Reconciliation:
        """Settle the unknown messages that the gateway's list of messages has.

        A message is settled as accepted if the list has its very text for its number. That
        it is not there settles nothing: lists are late, have gaps and end somewhere.

        Args:
            gateway: A client, or its provider.
            start: From when on to look, as an aware `datetime`; since the journal was made
                if `None`. What was sent before the journal must not be taken for it.

        Raises:
            ConfigurationError: It is a client of `iprog_async.sync`.
            InvalidMessageError: `start` has no time zone.
            UnsupportedError: This provider lists no messages.
            ConnectionFailedError: It can't be reached; ask again.
            NoAnswerError: It gave no trustworthy answer; ask again.
            ProviderError: It refused to tell.
            JournalError: A run is using the journal, or it can't be written.
        """
        run = await self.begin_run()
        try:
            return await reconcile(
                self.store, self.hash, self.under_way, gateway, start or self.store.made_at
            )
        finally:
            await self.end_run(run)

    async def settle(
        self,
        number: str,
        *,
        outcome: Settlement,
        key: str | None = None,
        region: str | None = None,
    ) -> JournalEntry:
        """Put on record what a person has found out about an unknown text.

        Args:
            number: Whom it was for, as people write it.
            outcome: `"accepted"`: the gateway has it, and nobody sends it again. `"not_sent"`: it
                certainly never went out, and the next run, or a send with the key, sends it.
            key: The text's key; `None` takes the number's only unknown text.
            region: Two-letter region of a national number.

        Returns:
            What is on record now.

        Raises:
            InvalidMessageError: It is no phone number.
            JournalError: It is not unknown, it is on its way, several are, or the journal can't be
                written. Nothing was changed.
        """
        e164 = to_e164(number, to_region(region))
        run = await self.begin_run()
        try:
            return to_entry(await settle(self.store, self.under_way, e164, key, outcome))
        finally:
            await self.end_run(run)

    async def prune(self, *, older_than: timedelta) -> int:
        """Take the people out of what nobody has touched for a time; return how many texts it was.

        Number, key, id and words of a text go. A salted hash of number and key stays, with what
        became of the text, so that its repeat is not sent: it has the outcome that is left.

        Args:
            older_than: How long, in whole days; a run of the journal must not be going on.

        Raises:
            ConfigurationError: It is less than a day, or not a number of whole days.
            JournalError: A run is using the journal, or it can't be written.
        """
        if older_than < _DAY or older_than % _DAY:
            raise ConfigurationError(
                f"older_than is a day or more, in whole days, not {older_than}. Nothing was pruned"
            )
        run = await self.begin_run()
        try:
            return await self.store.prune(older_than.days)
        finally:
            await self.end_run(run)

    async def forget(self, number: str, *, region: str | None = None) -> int:
        """Take a person out of the journal; return how many texts it was.

        What stays is as for `prune`: no run and no send with one of these keys texts the person
        again, and a text that the journal does not know is sent. A file is written anew without
        the old bytes when the last process closes it.

        Args:
            number: Whom to forget, as people write it.
            region: Two-letter region of a national number.

        Raises:
            InvalidMessageError: It is no phone number.
            JournalError: A text for it is on its way, was sent in this very moment, or waits for
                workers; or a run is using the journal. Nothing was changed.
        """
        e164 = to_e164(number, to_region(region))
        run = await self.begin_run()
        try:
            rows = await self.store.rows_of(e164)
            await check_idle(self.store, self.under_way, e164, rows)
            return await self.store.forget(e164, rows)
        finally:
            await self.end_run(run)

    def limits(self) -> SharedLimits:
        """Return the limits of accounts that all processes with this journal share."""
        return SharedLimits(self.store.limits())

    async def enqueue(
        self,
        message: Message,
        *,
        connection: object,
        region: str | None = None,
        max_age: timedelta | None = None,
    ) -> Enqueued:
        """Put a text into the outbox, within the transaction that a connection of yours is in.

        It is sent a moment after the commit by an `OutboxSender`, and never after a rollback.

        Args:
            message: The text. Its `key` says, with the number, what is the same text once more:
                that one is not enqueued again.
            connection: An asynchronous one to the journal's database: psycopg's, asyncpg's, or
                SQLAlchemy's connection or session. One in autocommit commits at once.
            region: Two-letter region of a national number, such as `"PH"`; without it the number
                has its country code.
            max_age: Send it within this time from now, or not at all; whenever it can be if `None`,
                or by the message's own `not_after`.

        Raises:
            InvalidMessageError: It can't be sent as it is. Nothing was enqueued.
            UnsupportedError: It has `options`, which an outbox can't keep. Nothing was enqueued.
            ConfigurationError: The connection is of no known kind, or the journal is a file.
            JournalError: The connection leads to another database, lacks a right, or its
                transaction has failed already. Nothing was enqueued.
        """
        return await self._outbox().enqueue(message, connection, region, max_age)

    def enqueue_sync(
        self,
        message: Message,
        *,
        connection: object,
        region: str | None = None,
        max_age: timedelta | None = None,
    ) -> Enqueued:
        """Put a text into the outbox like `enqueue`, over a synchronous connection.

        Args:
            message: As for `enqueue`.
            connection: psycopg's, SQLAlchemy's connection or session, or Django's.
            region: As for `enqueue`.
            max_age: As for `enqueue`.

        Raises:
            SmsError: As for `enqueue`.
        """
        return self._outbox().enqueue_sync(message, connection, region, max_age)

    async def outcome_of(
        self, number: str, key: str, *, region: str | None = None
    ) -> JournalEntry | None:
        """Return what became of the text that a number was sent with a key.

        One that is enqueued, and that nobody has sent yet, is `waiting`.

        Args:
            number: The recipient, as people write it.
            key: The key of the text.
            region: Two-letter region of a national number.

        Returns:
            Its entry; `None` if nothing is on record of it.

        Raises:
            InvalidMessageError: It is no phone number, or no key that a journal can keep.
            JournalError: The journal can't be read.
        """
        e164, key = to_e164(number, to_region(region)), check_key(key)
        found = await self.store.look_up([(e164, key)], earlier=False)
        if rows := found.get((e164, key)):
            return to_entry(rows[0])
        if await self.store.is_enqueued(e164, key):
            return JournalEntry(e164, key, "waiting", "", None, "")
        return None

    def _outbox(self) -> Target:
        store = postgres_store(self.store, "an outbox")
        return Target(store.address.schema, store.campaign, sha256(store.salt).hexdigest())

    def hash(self, text: str) -> bytes:
        """Return the salted hash of a text."""
        return self.text_hash.of_text(text)

    def close(self) -> None:
        """Write what is waiting and close the file; twice is fine."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _close_late(opening: asyncio.Future[Journal]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
