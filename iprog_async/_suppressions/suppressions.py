"""The list of numbers that must not be texted, as applications hold it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal, Self, TextIO

from attrs import evolve, frozen

from iprog_async._core.errors import InvalidMessageError, SmsError
from iprog_async._core.inbound import Inbound
from iprog_async._core.sealed import seal
from iprog_async._providers.protocols import SmsProvider
from iprog_async._suppressions.entries import Suppression, SuppressionChange
from iprog_async._suppressions.keywords import StopWords
from iprog_async._suppressions.lookups import Lookups
from iprog_async._suppressions.places import ReadNumber, number_reader, open_store
from iprog_async._suppressions.store import SuppressionStore
from iprog_async._suppressions.written_lines import entry_line, read_entry, unreadable


logger = logging.getLogger("iprog_async.inbound")

_PAGE = 1000
_LONGEST_WORD = 40


@frozen
class Imported:
    """What an import did.

    Args:
        added: How many numbers were put on the list.
        known: How many were on it already.
    """

    added: int
    known: int


class Suppressions:
    """Numbers that must not be texted; `SmsClient(…, suppressions=…)` obeys it.

    Any number of tasks, threads and processes may use it at once. Each text is looked up right
    before it is claimed, in what is on the disk or in the database then: once `add` has returned,
    no client that was given the list begins to text the number, in this process or another.

    `Suppressions.open` makes one.
    """

    def __init__(
        self,
        store: SuppressionStore,
        read_number: ReadNumber,
        words: StopWords,
        place: str | os.PathLike[str],
    ) -> None:
        self._store = store
        self._place = seal(place) if isinstance(place, str) else place
        self._read_number = read_number
        self._lookups = Lookups(store.among)
        self.words = words
        """The words that a text is compared with by `hear`."""

    @classmethod
    def open(
        cls,
        place: str | os.PathLike[str],
        *,
        region: str | SmsProvider | None = None,
        words: StopWords | None = None,
        create: bool = True,
    ) -> Self:
        """Open a list, or begin one.

        Args:
            place: The path of a file: one of lines, a number each, if it is one or its name ends
                like `.txt`, and else SQLite's. Or the `postgresql://` address of a journal.
            region: The region of national numbers, such as `"PH"`, or a provider that knows its
                own; without one each number has its country code.
            words: What people text to be taken off, or on again; those of all languages that are
                known here if `None`.
            create: Whether a file that is not there is made.

        Raises:
            ConfigurationError: A region is two letters; or the extra `postgres` is missing.
            SuppressionsError: It can't be opened, or has a line that is no phone number.
        """
        read_number = number_reader(region)
        store = open_store(place, read_number, create=create)
        return cls(store, read_number, words or StopWords.of(), place)

    @property
    def is_quick(self) -> bool:
        """Whether a look into the list takes microseconds."""
        return self._store.is_quick

    @property
    def place(self) -> str | os.PathLike[str]:
        """Where it is, as it was given; an address may hold a password."""
        return self._place

    def read_number(self, number: str) -> str:
        """Return a number as the list has it, as E.164.

        Raises:
            InvalidMessageError: It is no phone number.
        """
        return self._read_number(number)

    async def add(self, number: str, *, why: str = "") -> bool:
        """Put a number on the list, durably; one that is on it stays as it is.

        Args:
            number: The number, as people write it.
            why: Why, for whoever reads the list.

        Returns:
            Whether it was not on it yet.

        Raises:
            InvalidMessageError: It is no phone number.
            SuppressionsError: The list can't be written.
        """
        entry = Suppression(self._read_number(number), _now(), why)
        return bool(await asyncio.to_thread(self._store.add, [entry]))

    async def remove(self, number: str, *, why: str = "") -> bool:
        """Take a number off the list, and return whether it was on it.

        Args:
            number: The number, as people write it.
            why: Why, for whoever reads the changes.

        Raises:
            InvalidMessageError: It is no phone number.
            SuppressionsError: The list can't be written.
        """
        change = SuppressionChange(self._read_number(number), "removed", _now(), why)
        return bool(await asyncio.to_thread(self._store.remove, [change]))

    async def contains(self, number: str) -> bool:
        """Return whether a number is on the list now.

        Raises:
            InvalidMessageError: It is no phone number.
            SuppressionsError: The list can't be read.
        """
        return bool(await self.among([self._read_number(number)]))

    async def among(self, numbers: Sequence[str]) -> set[str]:
        """Return those of some numbers that are on the list now.

        Args:
            numbers: As E.164.

        Raises:
            SuppressionsError: The list can't be read.
        """
        if self._store.is_quick:
            return self._store.among(numbers)
        return await self._lookups.among(numbers)

    async def count(self) -> int:
        """Return how many numbers are on the list.

        Raises:
            SuppressionsError: The list can't be read.
        """
        return await asyncio.to_thread(self._store.count)

    async def list(self) -> AsyncIterator[Suppression]:
        """Iterate over the list, in the order of numbers.

        Raises:
            SuppressionsError: The list can't be read.
        """
        after = ""
        while page := await asyncio.to_thread(self._store.page, after, _PAGE):
            for entry in page:
                yield entry
            after = page[-1].number

    async def changes(self) -> AsyncIterator[SuppressionChange]:
        """Iterate over what was put on the list and taken off it, with the time and why.

        In the order in which it happened; in a file of lines, what was taken off comes first.

        Raises:
            SuppressionsError: The list can't be read.
        """
        after = 0
        while page := await asyncio.to_thread(self._store.changes, after, _PAGE):
            for _, change in page:
                yield change
            after = page[-1][0]

    async def hear(self, inbound: Inbound) -> Literal["stop", "start"] | None:
        """Do what an incoming text asks for, and return what that was.

        A text that is one of the stop words puts its sender on the list, one that is a start word
        takes it off; any other changes nothing. So does one from a sender that is no number to the
        list, such as a short code; the log tells of it, without the sender.

        Raises:
            SuppressionsError: The list can't be written.
        """
        wish = self.words.meaning(inbound.text)
        if wish is None:
            return None
        try:
            sender = self._read_number(inbound.sender)
        except InvalidMessageError:
            logger.warning(
                "a %s through %s changed nothing: the list of suppressed numbers can't read its "
                "sender as a phone number; to read national ones, give the list a region=",
                wish.upper(),
                inbound.gateway or "a gateway",
            )
            return None
        why = inbound.text.strip()[:_LONGEST_WORD]
        if wish == "stop":
            await self.add(sender, why=why)
        else:
            await self.remove(sender, why=why)
        return wish

    async def import_lines(self, lines: Iterable[str], *, why: str = "") -> Imported:
        """Put numbers on the list, one a line; all of them, or none if a line is no number.

        Args:
            lines: Numbers as people write them, with comments behind `#`; what `export` wrote
                keeps its times and reasons.
            why: Why, where a line does not say.

        Raises:
            SuppressionsError: A line is no phone number, or the list can't be written.
        """
        found = self._read_lines(lines)
        now = _now()
        entries = [evolve(e, since=e.since or now, why=e.why or why) for e in found]
        added = 0
        for start in range(0, len(entries), _PAGE):
            added += await asyncio.to_thread(self._store.add, entries[start : start + _PAGE])
        return Imported(added, len(entries) - added)

    async def export(self, stream: TextIO) -> int:
        """Write the list, a number a line, with time and reason behind `#`; return how many.

        Raises:
            SuppressionsError: The list can't be read.
        """
        count = 0
        async for entry in self.list():
            stream.write(f"{entry_line(entry)}\n")
            count += 1
        return count

    def close(self) -> None:
        """Close the list; twice is fine."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Suppressions({self._store.shown!r})"

    def _read_lines(self, lines: Iterable[str]) -> Sequence[Suppression]:
        entries: dict[str, Suppression] = {}
        for place, line in enumerate(lines, 1):
            try:
                entry = read_entry(line, self._read_number)
            except SmsError as exc:
                raise unreadable(f"line {place}", line, exc) from None
            if entry is not None:
                entries.setdefault(entry.number, entry)
        return [*entries.values()]


def _now() -> datetime:
    return datetime.now(UTC)
