"""What the journal needs of whatever keeps its rows: an SQLite file, or a PostgreSQL database.

Three statements carry all safety, whoever else is at the same rows:

- a **claim** is durable before the request leaves, and goes only to a row that nobody has claimed
  and nobody has sent: of several that ask for it, one gets it;
- a **record** of an outcome goes only to a row that this very attempt has claimed;
- a **release** does, too, and only for what certainly did not leave.

A claim never ends by itself. One without a record is an unknown outcome, for everybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from attrs import define, frozen

from iprog_async._core.errors import Blame, JournalError, SmsError
from iprog_async._journal.contents import Pages
from iprog_async._journal.resume_rules import ResumeRules
from iprog_async._journal.rows import Row, Values
from iprog_async._limits.count_stores import CountStore
from iprog_async._limits.store import LimitStore


Identity = tuple[str, str | None]
"""Number and key of a message."""

CLAIM_SECONDS = 10.0
"""A claim that was asked for longer ago is not used any more, but released.

So a laptop that slept, or a container that was stopped, does not text people at night.
"""


class ClaimLostError(JournalError):
    """Somebody else has claimed the message meanwhile, or sent it: nothing left from here.

    Args:
        number: The number, as E.164.
        key: The message's key.
    """

    healable = True
    # The others of its request have nothing to do with it, and go without it.
    blame: Blame = "recipient"

    def __init__(self, number: str, key: str | None) -> None:
        super().__init__(
            f"the text for {number} with the key {key!r} was taken by another sender of this "
            "journal at the same time; this one was not sent. Look the key up to see what became "
            "of it"
        )
        self.number, self.key = number, key

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.number, self.key)


class UnwritableError(JournalError):
    """The journal takes nothing more from this process, and still says all that is on record."""


def being_sent(number: str) -> JournalError:
    """Return what is raised where a person's rows were written while they were to be removed."""
    error = JournalError(
        f"a text for {number} was being sent at this moment; nothing was changed, try again"
    )
    error.blame = "message"
    return error


@define(eq=False)
class OwnRun:
    """A bulk run of this process: it goes on until it ends, or its event loop is closed.

    Where a loop is closed with a run in it, nothing ends the run but the garbage collector, at any
    time: somebody else may be at a run by then.

    Args:
        loop: Where it goes on.
        number: Its number, as soon as it has one.
    """

    loop: asyncio.AbstractEventLoop
    number: int = 0

    @property
    def was_left(self) -> bool:
        """Whether nothing of it goes on."""
        return self.loop.is_closed()


@frozen
class Bookmark:
    """Which page of a gateway's list is to be read next; only a hint, as lists move.

    Args:
        provider: Whose list.
        page: Which page, from 1.
    """

    provider: str
    page: int


class StoreQueue(Protocol):
    """Takes what one event loop has to write, and hands it in together.

    What is handed in is written in order, whether or not anybody waits for it. Errors are results,
    not exceptions: nobody has to ask for them.
    """

    def claim(self, rows: Sequence[Row], rules: ResumeRules) -> asyncio.Future[SmsError | None]:
        """Claim the rows of one request, all of them or none.

        What was looked up may be hours old: nothing is claimed of which the rules say now that
        others have sent it, or have sent its number another text.

        Args:
            rows: The rows.
            rules: What a run may send.

        Returns:
            What is done when they are claimed and survive a power cut; its result is the error if
            they are not: a `ClaimLostError` if somebody else has one of them. Then nothing may
            leave.
        """
        ...

    def claim_new(self, row: Row) -> asyncio.Future[Row | SmsError | None]:
        """Claim the row of a message with a key, if nothing is on record of it.

        Returns:
            What is done when that is settled; its result is `None` if it is claimed, the row that
            is on record, or the error.
        """
        ...

    def release(self, rows: Sequence[Row]) -> asyncio.Future[JournalError | None]:
        """Put on record that claimed messages certainly did not leave, and wait."""
        ...

    def record(
        self, rows: Sequence[Row], ended: Sequence[Values]
    ) -> asyncio.Future[JournalError | None]:
        """Put the outcomes of claimed messages on record.

        Args:
            rows: The claimed rows.
            ended: The columns that each gets.

        Returns:
            What is done when they are on record. Others may wait for it, too: shield it.
        """
        ...

    def settle(
        self, rows: Sequence[Row], ended: Sequence[Values]
    ) -> asyncio.Future[JournalError | None]:
        """Put on record what became of messages that were unknown, durably."""
        ...


class JournalStore(Pages, Protocol):
    """Keeps a journal's rows."""

    @property
    def path(self) -> str:
        """What names it in errors: a path, or an address without its password."""
        ...

    @property
    def salt(self) -> bytes:
        """What texts are hashed with."""
        ...

    @property
    def made_at(self) -> datetime:
        """When it was made."""
        ...

    @property
    def has_earlier_rows(self) -> bool:
        """Whether there were rows before the present run began."""
        ...

    @property
    def may_have_rows_of_others(self) -> bool:
        """Whether there may be rows of other runs by now, also of those that began later."""
        ...

    def new_id(self) -> int:
        """Return the number of a new row; rows are listed in their order."""
        ...

    def of_loop(self) -> StoreQueue:
        """Return where the running event loop hands in what it writes."""
        ...

    async def begin_run(self) -> int:
        """Give a bulk run its number, which is more than 0.

        A run of this process whose event loop was closed has ended.

        Raises:
            JournalError: Another run is at it, or it can't be put on record.
        """
        ...

    def end_run(self, number: int) -> bool:
        """Let another bulk run begin, once what this one has handed in can't change what it has.

        The garbage collector may call it, between any two lines of anybody.

        Args:
            number: Which run ends. It changes nothing if that one has ended already.

        Returns:
            Whether `run_ended` tells when another one can begin; else it can, or will in a moment.
        """
        ...

    async def run_ended(self, number: int | None = None) -> None:
        """Wait until another bulk run can begin, after `end_run`.

        Args:
            number: Which run has ended; any, if it is `None`.
        """
        ...

    async def look_up(
        self,
        identities: Iterable[Identity],
        *,
        earlier: bool,
        whatever_key: bool = False,
        since: bool = False,
    ) -> Mapping[Identity, list[Row]]:
        """Return the rows of many messages, by number and key; what has none is left out.

        Args:
            identities: Numbers and keys of the messages.
            earlier: Look for other messages of these numbers in earlier runs, too: those
                without key are found by `None` for the key, and where a message without key
                is looked for, those with a key as well. A bulk run does.
            whatever_key: Look for those with a key in any case.
            since: Look for what others have sent these numbers since the run began, too.
        """
        ...

    async def is_enqueued(self, number: str, key: str) -> bool:
        """Return whether a text is in the outbox; a store without one has none."""
        ...

    async def wait_for_end(self, row: Row, is_under_way: Callable[[], bool]) -> Row:
        """Wait for a message that somebody else has claimed to come to its outcome.

        Args:
            row: The claimed row, as it was found.
            is_under_way: Whether another sender of this process is at it, if this opening of the
                journal has the claim; once it is not, what became of it was handed in.

        Returns:
            What is on record then; it is still claimed if nobody is at it any more, or it took
            too long. Then its outcome is unknown.
        """
        ...

    async def rows_of(self, number: str) -> list[Row]:
        """Return all rows of a number, in order."""
        ...

    async def is_live(self, row: Row) -> bool:
        """Return whether the process that claimed a row last has the journal open."""
        ...

    async def unfinished(self, after: int) -> list[Row]:
        """Return the next accepted rows after one whose delivery is not final, in order."""
        ...

    async def rows(self, numbers: Sequence[int]) -> list[Row]:
        """Return rows by their numbers; those that are gone are left out."""
        ...

    async def note_deliveries(
        self, changes: Sequence[tuple[Row, Values]], bookmark: Bookmark | None = None
    ) -> None:
        """Put on record how far accepted texts have come.

        A row that somebody else has changed since it was read stays as it is.

        Args:
            changes: Accepted rows as they were read, and the columns that each gets.
            bookmark: Where to go on, for a later process.
        """
        ...

    async def bookmark(self, provider: str) -> int:
        """Return which page of a gateway's list is to be read next; 1 if none was noted."""
        ...

    async def prune(self, days: int) -> int:
        """Take the people out of rows that nobody has written for so many days.

        A claim that somebody may still use stays.

        Returns:
            How many rows.
        """
        ...

    async def forget(self, number: str, rows: Sequence[Row]) -> int:
        """Take a person out of the rows of a number, and out of what others' errors say.

        Args:
            number: As E.164.
            rows: All rows of it, as they were read; nobody was at any of them.

        Returns:
            How many rows.

        Raises:
            JournalError: A row was written since, texts for the number wait to be sent, or it
                can't be written. Nothing was changed.
        """
        ...

    def counts_of_texts(self, now: Callable[[], float] | None) -> CountStore:
        """Return where it is counted how many texts a number gets; open once for each event loop.

        Args:
            now: What tells the time, in seconds since 1970; the store's own clock if `None`.
        """
        ...

    def limits(self) -> LimitStore:
        """Return where the processes that use this journal keep what they share of an account."""
        ...

    def close(self) -> None:
        """Write what is waiting and close it; twice is fine."""
        ...
