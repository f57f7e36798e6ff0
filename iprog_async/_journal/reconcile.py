"""Settling unknown outcomes by a gateway's own list of messages."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Set
from datetime import datetime
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from iprog_async._core.checks import Synchronous
from iprog_async._core.errors import ConfigurationError, UnsupportedError
from iprog_async._core.receipts import DeliveryStatus, Receipt
from iprog_async._core.schedules import check_aware
from iprog_async._core.segments import count_segments
from iprog_async._journal.contents import rows_of
from iprog_async._journal.rows import Row, Values, unpack_receipt
from iprog_async._journal.store import JournalStore


class ListedMessage(Protocol):
    """A message as a gateway lists it."""

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
class _Account:
    """What the journal and the list have of one text to one number."""

    unknown: list[Row] = field(factory=list[Row])
    taken: set[str] = field(factory=set[str])
    nameless: list[Row] = field(factory=list[Row])
    found: dict[str, Receipt] = field(factory=dict[str, Receipt])

    def settle(self) -> list[tuple[Row, Values]]:
        """Return the unknown rows and the columns that they get, if all of them are found.

        Where there are several and the list has some, nobody can tell which; where an
        accepted message has no id, one of the found ones is its own.
        """
        free = [receipt for uid, receipt in self.found.items() if uid not in self.taken]
        if len(free) < len(self.unknown) + len(self.nameless):
            return []
        return [
            (row, row.as_accepted(receipt))
            for row, receipt in zip(self.unknown, free, strict=False)
        ]


async def reconcile(
    store: JournalStore,
    hash_text: Callable[[str], bytes],
    under_way: Set[tuple[str, str]],
    gateway: SupportsMessageList | HasProvider,
    start: datetime,
) -> Reconciliation:
    """Settle unknown rows by a gateway's list; see `Journal.reconcile`."""
    check_aware(start, "start")
    provider = _lister(gateway)
    accounts, unknown = await _unknown_rows(store, provider.name, under_way)
    listed = 0
    if accounts:
        await _note_taken(store, accounts)
        listed = await _read_list(provider, accounts, hash_text, start)
    settled = [pair for account in accounts.values() for pair in account.settle()]
    if settled:
        rows, ended = zip(*settled, strict=True)
        error = await store.of_loop().settle(rows, ended)
        if error is not None:
            raise error
    return Reconciliation(settled=len(settled), unknown=unknown - len(settled), listed=listed)


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


async def _unknown_rows(
    store: JournalStore, provider: str, under_way: Set[tuple[str, str]]
) -> tuple[dict[_Text, _Account], int]:
    accounts: defaultdict[_Text, _Account] = defaultdict(_Account)
    count = 0
    async for row in rows_of(store, "claimed", "unknown"):
        count += 1
        # A row that was left claimed does not say whom it was for.
        if row.provider in ("", provider) and (row.number, row.key) not in under_way:
            accounts[row.number, row.text_only_hash].unknown.append(row)
    return dict(accounts), count


async def _note_taken(store: JournalStore, accounts: dict[_Text, _Account]) -> None:
    async for row in rows_of(store, "accepted"):
        account = accounts.get((row.number, row.text_only_hash))
        if account is None:
            continue
        message_id = unpack_receipt(row).message_id
        if message_id is None:
            account.nameless.append(row)
        else:
            account.taken.add(message_id)


async def _read_list(
    provider: SupportsMessageList,
    accounts: dict[_Text, _Account],
    hash_text: Callable[[str], bytes],
    start: datetime,
) -> int:
    numbers = {number for number, _ in accounts}
    listed = 0
    async for item in provider.messages.list(start=start):
        listed += 1
        number = "+" + re.sub(r"\D", "", item.to or "")
        if number not in numbers or item.message is None:
            continue
        account = accounts.get((number, hash_text(item.message)))
        if account is not None:
            account.found[item.uid] = Receipt(
                provider.name,
                item.uid,
                item.to or "",
                count_segments(item.message).count,
                status=item.delivery_status,
            )
    return listed
