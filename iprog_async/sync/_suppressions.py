"""The list of numbers that must not be texted, for synchronous code."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Literal, Self, TextIO

from iprog_async._core.inbound import Inbound
from iprog_async._providers.protocols import SmsProvider
from iprog_async._suppressions import suppressions as asynchronous
from iprog_async._suppressions.entries import Suppression, SuppressionChange
from iprog_async._suppressions.keywords import StopWords
from iprog_async._suppressions.suppressions import Imported
from iprog_async.sync._calls import SUPPRESSIONS
from iprog_async.sync._operations import WaitedFor


class Suppressions(WaitedFor):
    """Numbers that must not be texted: `iprog_async.Suppressions`, waited for instead of awaited.

    Any number of threads and processes may use one. Both kinds of clients obey it:
    `SmsClient(…, suppressions=…)` of `iprog_async.sync` takes it as it is, that of `iprog_async`
    its `asynchronous`. Each method raises `WrongLoopError` in a thread that runs an event loop.

    Args:
        suppressions: An open list; `open` opens one.
    """

    _called = SUPPRESSIONS

    def __init__(self, suppressions: asynchronous.Suppressions) -> None:
        self.asynchronous = suppressions
        """The same list, for asynchronous code."""

    @classmethod
    def open(
        cls,
        place: str | os.PathLike[str],
        *,
        region: str | SmsProvider | None = None,
        words: StopWords | None = None,
        create: bool = True,
    ) -> Self:
        """Open a list, or begin one; see `iprog_async.Suppressions.open`.

        Args:
            place: A file of lines, an SQLite file, or the `postgresql://` address of a journal.
            region: The region of national numbers, or a provider that knows its own.
            words: What people text to be taken off, or on again.
            create: Whether a file that is not there is made.

        Raises:
            ConfigurationError: A region is two letters; or the extra `postgres` is missing.
            SuppressionsError: It can't be opened, or has a line that is no phone number.
        """
        return cls(asynchronous.Suppressions.open(place, region=region, words=words, create=create))

    def add(self, number: str, *, why: str = "") -> bool:
        """Put a number on the list, durably; return whether it was not on it yet.

        Args:
            number: The number, as people write it.
            why: Why, for whoever reads the list.

        Raises:
            InvalidMessageError: It is no phone number.
            SuppressionsError: The list can't be written.
        """
        return self._call(self.asynchronous.add(number, why=why))

    def remove(self, number: str, *, why: str = "") -> bool:
        """Take a number off the list, and return whether it was on it.

        Args:
            number: The number, as people write it.
            why: Why, for whoever reads the changes.

        Raises:
            InvalidMessageError: It is no phone number.
            SuppressionsError: The list can't be written.
        """
        return self._call(self.asynchronous.remove(number, why=why))

    def contains(self, number: str) -> bool:
        """Return whether a number is on the list now.

        Raises:
            InvalidMessageError: It is no phone number.
            SuppressionsError: The list can't be read.
        """
        return self._call(self.asynchronous.contains(number))

    def count(self) -> int:
        """Return how many numbers are on the list.

        Raises:
            SuppressionsError: The list can't be read.
        """
        return self._call(self.asynchronous.count())

    def list(self) -> Iterator[Suppression]:
        """Iterate over the list, in the order of numbers.

        Raises:
            SuppressionsError: The list can't be read.
        """
        return self._each(self.asynchronous.list())

    def changes(self) -> Iterator[SuppressionChange]:
        """Iterate over what was put on the list and taken off it, with the time and why.

        Raises:
            SuppressionsError: The list can't be read.
        """
        return self._each(self.asynchronous.changes())

    def hear(self, inbound: Inbound) -> Literal["stop", "start"] | None:
        """Do what an incoming text asks for, and return what that was.

        Raises:
            SuppressionsError: The list can't be written.
        """
        return self._call(self.asynchronous.hear(inbound))

    def import_lines(self, lines: Iterable[str], *, why: str = "") -> Imported:
        """Put numbers on the list, one a line; all of them, or none if a line is no number.

        Args:
            lines: Numbers as people write them, or what `export` wrote.
            why: Why, where a line does not say.

        Raises:
            SuppressionsError: A line is no phone number, or the list can't be written.
        """
        # They are read here: they may come from what belongs to this thread.
        read = [*lines]
        return self._call(self.asynchronous.import_lines(read, why=why))

    def export(self, stream: TextIO) -> int:
        """Write the list, a number a line, with time and reason behind `#`; return how many.

        Raises:
            SuppressionsError: The list can't be read.
        """
        return self._call(self.asynchronous.export(stream))

    def close(self) -> None:
        """Close the list; twice is fine."""
        self.asynchronous.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self.asynchronous)


AnySuppressions = Suppressions | asynchronous.Suppressions
"""A list, in whichever of its two forms."""


def plain_list(given: AnySuppressions | None) -> asynchronous.Suppressions | None:
    """Return a list as a client of an event loop has it."""
    return given.asynchronous if isinstance(given, Suppressions) else given
