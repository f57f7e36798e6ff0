"""What a gateway tells of incoming texts, for the providers that can read it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from attrs import define, field

from iprog_async._core.errors import ConfigurationError, InvalidMessageError
from iprog_async._core.inbound import Inbound
from iprog_async._core.phones import to_sender


@runtime_checkable
class SupportsInboundPush(Protocol):
    """A provider whose gateway posts incoming texts to an address of yours."""

    @property
    def name(self) -> str:
        """Unique label of this account."""
        ...

    def read_push(self, fields: Mapping[str, object], /) -> Sequence[Inbound]:
        """Return the texts in what the gateway posted.

        Args:
            fields: The JSON object or the form.

        Raises:
            UnclearAnswer: It is nothing that the gateway posts.
        """
        ...


def sender_of(written: str, region: str | None = None) -> str:
    """Return where an incoming text came from: as E.164, or as it is written if it is no number.

    Args:
        written: What the gateway says.
        region: The region of national numbers.
    """
    try:
        return to_sender(written, region)
    except InvalidMessageError:
        return written.strip()


_OVERLAP = timedelta(days=1)
"""How far back a list is read again: clocks differ, and what came late has an earlier time."""


@define
class ReceivedCursor:
    """How far a gateway's list of received texts was read; `dump` and `load` keep it.

    A text counts as read once the next one is asked for, so that one that was being handled when
    the process ended comes again. A gateway may list texts in any order, and late.

    Args:
        since: When the list was last read to its end.
        ids: The texts of the last day before that, and what was read since.
    """

    since: datetime | None = None
    ids: set[str] = field(factory=set[str])

    @classmethod
    def load(cls, dumped: str | None) -> ReceivedCursor:
        """Return a cursor that was kept; a new one without any.

        Raises:
            ConfigurationError: It is no cursor.
        """
        if not dumped:
            return cls()
        try:
            since, ids = json.loads(dumped)
            return cls(None if since is None else datetime.fromisoformat(since), set(ids))
        except (ValueError, TypeError):
            raise ConfigurationError("this is no cursor that ReceivedCursor.dump gave") from None

    def dump(self) -> str:
        """Return it as text, to be kept."""
        since = None if self.since is None else self.since.isoformat()
        return json.dumps([since, sorted(self.ids)])


@define
class ReceivedReading:
    """One time that a gateway's list of received texts is read.

    Args:
        cursor: How far it was read before.
        now: When this began.
    """

    cursor: ReceivedCursor
    now: datetime
    _listed: set[str] = field(factory=set[str], init=False)

    @property
    def start(self) -> datetime | None:
        """The earliest time to ask for; none the first time."""
        since = self.cursor.since
        return None if since is None else since - _OVERLAP

    def is_new(self, id_: str) -> bool:
        """Return whether a text that is listed was not read before."""
        self._listed.add(id_)
        return id_ not in self.cursor.ids

    def passed(self, id_: str) -> None:
        """Note that a text was read."""
        self.cursor.ids.add(id_)

    def end(self) -> None:
        """Note that the list was read to its end: what it does not list will not come again."""
        self.cursor.ids &= self._listed
        self.cursor.since = self.now


@runtime_checkable
class SupportsReceived(Protocol):
    """A provider whose gateway lists the texts that it received."""

    def received(self, cursor: ReceivedCursor | None = None, /) -> AsyncIterator[Inbound]:
        """Iterate over the texts that came since the cursor was used last, oldest first.

        Args:
            cursor: How far the list was read; from its beginning without one.

        Raises:
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        ...
