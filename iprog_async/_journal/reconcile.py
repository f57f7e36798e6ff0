"""Settling unknown outcomes by a gateway's own list of messages."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Set
from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from iprog_async._core.checks import Synchronous
from iprog_async._core.errors import ConfigurationError, UnsupportedError
from iprog_async._core.receipts import DeliveryStatus, Receipt
from iprog_async._core.schedules import check_aware
from iprog_async._core.segments import count_segments
from iprog_async._journal.contents import rows_of
from iprog_async._journal.rows import Row, Values, are_the_same, unpack_receipt
from iprog_async._journal.store import JournalStore


class ListedMessage(Protocol):
    """A message as a gateway lists it.

    If it has a `sent_at`, a `datetime` or ISO text, what was sent before the time that is looked
    from settles nothing: older servers list everything, whatever they are asked for.
    """

    @property
    def uid(self) -> str:
        """The gateway's id."""
        ...

    @property
    def to(self) -> str | None:
        """Recipient, in international digits."""
        ...

    @property
    def message(self) -> str | None:
        """The text."""
        ...

    @property
    def delivery_status(self) -> DeliveryStatus:
        """How far it has come."""
        ...


class MessageList(Protocol):
    """What lists messages."""

    def list(self, *, start: datetime | None = None) -> AsyncIterator[ListedMessage]:
        """Iterate over the messages since a time."""
        ...


@runtime_checkable
class SupportsMessageList(Protocol):
    """A provider that can list what the account sent."""

    @property
    def name(self) -> str:
        """Unique label of the account."""
        ...

    @property
    def messages(self) -> MessageList:
        """The account's messages."""
        ...


class HasProvider(Protocol):
    """A client."""

    @property
    def provider(self) -> object:
        """Its provider."""
        ...


@frozen(kw_only=True)
class Reconciliation:
    """What a look at the gateway's list brought.

    Args:
        settled: How many unknown messages it has; they are on record as accepted now.
        unknown: How many remain unknown.
        listed: How many messages the list had in all.
    """

    settled: int
    unknown: int
    listed: int


_Text = tuple[str, bytes]
"""Number and hash of a text."""


@frozen
class _Found:
    """What the list has of one text to one number.

    Args:
        receipt: What a message gets that is settled with it.
        is_since: Whether it was certainly sent since the time that was looked from.
    """

    receipt: Receipt
    is_since: bool


@frozen
class _Account:
    """What the journal and the list have of one text to one number.

    Args:
        waiting: Unknown when the look began, by row number.
        found: What the list has, by the gateway's id.
        unknown: Unknown before and after the list was read.
        others: What else may be on the list: claimed meanwhile, or accepted without an id.
        taken: Ids of what is on record as accepted.
    """

    waiting: dict[int, Row] = field(factory=dict[int, Row])
    found: dict[str, _Found] = field(factory=dict[str, _Found])
    unknown: list[Row] = field(factory=list[Row])
    others: list[Row] = field(factory=list[Row])
    taken: set[str] = field(factory=set[str])

    def settle(self, *, only_since: bool) -> list[tuple[Row, Values]]:
        """Return the unknown rows and the columns that they get, if all of them are found.

        Where there are several and the list has some, nobody can tell which.

        Args:
            only_since: Whether the list has older messages, so that the time of each counts.
        """
        free = [
            found.receipt
            for uid, found in self.found.items()
            if uid not in self.taken and (found.is_since or not only_since)
        ]
        if len(free) < len(self.unknown) + len(self.others):
            return []
        return [
            (row, row.as_accepted(receipt))
            for row, receipt in zip(self.unknown, free, strict=False)
        ]


_Accounts = dict[_Text, _Account]


async def reconcile(
    store: JournalStore,
    hash_text: Callable[[str], bytes],
    under_way: Set[tuple[str, str]],
    gateway: SupportsMessageList | HasProvider,
    start: datetime,
) -> Reconciliation:
    """Settle unknown rows by a gateway's list; see `Journal.reconcile`.

    The journal is read before the list, to know what to look for, and after it: a text that was
    sent meanwhile may be on the list, and must not be taken for another one.
    """
    check_aware(start, "start")
    provider = _lister(gateway)
    accounts, unknown = await _waiting(store, provider.name, under_way)
    if not accounts:
        return Reconciliation(settled=0, unknown=unknown, listed=0)
    listed = await _read_list(provider, accounts, hash_text, start)
    unknown = await _note_unknown(store, provider.name, under_way, accounts)
    await _note_taken(store, accounts)
    settled = [
        pair
        for account in accounts.values()
        for pair in account.settle(only_since=listed.has_older)
    ]
    if settled:
        rows, ended = zip(*settled, strict=True)
        error = await store.of_loop().settle(rows, ended)
        if error is not None:
            raise error
    return Reconciliation(settled=len(settled), unknown=unknown - len(settled), listed=listed.count)


def _lister(gateway: SupportsMessageList | HasProvider) -> SupportsMessageList:
    if isinstance(gateway, Synchronous):
        raise ConfigurationError(
            "here reconcile takes a client of iprog_async, and not one of iprog_async.sync: that "
            "one goes with the Journal of iprog_async.sync. Nothing was changed"
        )
    provider: object = getattr(gateway, "provider", gateway)
    if not isinstance(provider, SupportsMessageList):
        name = getattr(provider, "name", type(provider).__name__)
        raise UnsupportedError(f"{name} lists no messages, so nothing can be looked up there")
    return provider


async def _waiting(
    store: JournalStore, provider: str, under_way: Set[tuple[str, str]]
) -> tuple[_Accounts, int]:
    """Return what is unknown and may have been a provider's, and how much is unknown in all."""
    accounts: defaultdict[_Text, _Account] = defaultdict(_Account)
    count = 0
    async for row in rows_of(store, "claimed", "unknown"):
        count += 1
        if _may_be_of(row, provider) and (row.number, row.key) not in under_way:
            accounts[row.number, row.text_only_hash].waiting[row.id] = row
    return dict(accounts), count


def _may_be_of(row: Row, provider: str) -> bool:
    # A row that was left claimed does not say whom it was for.
    return row.provider in ("", provider)


async def _note_unknown(
    store: JournalStore, provider: str, under_way: Set[tuple[str, str]], accounts: _Accounts
) -> int:
    """Note what is unknown after the list was read, and return how much is in all."""
    count = 0
    async for row in rows_of(store, "claimed", "unknown"):
        count += 1
        account = accounts.get((row.number, row.text_only_hash))
        if account is None or not _may_be_of(row, provider):
            continue
        before = account.waiting.get(row.id)
        is_idle = (row.number, row.key) not in under_way
        if before is not None and is_idle and are_the_same([before], [row]):
            account.unknown.append(row)
        else:
            account.others.append(row)
    return count


async def _note_taken(store: JournalStore, accounts: _Accounts) -> None:
    async for row in rows_of(store, "accepted"):
        account = accounts.get((row.number, row.text_only_hash))
        if account is None:
            continue
        message_id = unpack_receipt(row).message_id
        if message_id is None:
            account.others.append(row)
        else:
            account.taken.add(message_id)


@frozen
class _Listed:
    """How many messages a list had, and whether any was older than it was asked for."""

    count: int
    has_older: bool


async def _read_list(
    provider: SupportsMessageList,
    accounts: _Accounts,
    hash_text: Callable[[str], bytes],
    start: datetime,
) -> _Listed:
    # The times of lists have no fractions of a second.
    start = start.replace(microsecond=0)
    numbers = {number for number, _ in accounts}
    count, has_older = 0, False
    async for item in provider.messages.list(start=start):
        count += 1
        earliest, latest = _span(getattr(item, "sent_at", None))
        if latest < start:
            has_older = True
            continue
        number = "+" + re.sub(r"\D", "", item.to or "")
        if number not in numbers or item.message is None:
            continue
        account = accounts.get((number, hash_text(item.message)))
        if account is not None:
            receipt = Receipt(
                provider.name,
                item.uid,
                item.to or "",
                count_segments(item.message).count,
                status=item.delivery_status,
            )
            account.found[item.uid] = _Found(receipt, earliest >= start)
    return _Listed(count, has_older)


# Of the world's clocks, those that are furthest ahead and behind.
_AHEAD, _BEHIND = timedelta(hours=14), timedelta(hours=-12)
_EVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def _span(sent_at: object) -> tuple[datetime, datetime]:
    """Return between which moments a message was sent: a time without a zone may be any zone's."""
    try:
        when = datetime.fromisoformat(sent_at) if isinstance(sent_at, str) else sent_at
        if not isinstance(when, datetime):
            return _EVER
        if when.utcoffset() is not None:
            return when, when
        return when.replace(tzinfo=timezone(_AHEAD)), when.replace(tzinfo=timezone(_BEHIND))
    except ValueError:
        return _EVER
