"""The provider over an outbox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self
from weakref import WeakValueDictionary

from attrs import field, frozen

from iprog_async._core.errors import ConfigurationError
from iprog_async._core.messages import PreparedMessage
from iprog_async._core.outcomes import Outcome
from iprog_async._core.phones import to_e164
from iprog_async._core.receipts import Balance, DeliveryStatus
from iprog_async._providers.base import BaseProvider
from iprog_async._providers.protocols import Batching, Capabilities
from iprog_async._providers.url import SmsUrl
from iprog_async.testing._outbox.book import OutboxBook


BOOKS: WeakValueDictionary[str, OutboxBook] = WeakValueDictionary()
"""The outboxes of this process, by what their addresses name."""


@frozen(eq=False, slots=False)
class OutboxProvider(BaseProvider):
    """Sends into an `SmsOutbox`; it takes every sender ID, time and options that a gateway may.

    Args:
        book: Where the texts go.
        name: Label of this account; receipts carry it.
    """

    scheme: ClassVar[str] = "outbox"
    capabilities: ClassVar[Capabilities] = Capabilities(title="Outbox", scheduling="native")
    options_type: ClassVar[type[object] | None] = object

    _book: OutboxBook = field(repr=False)
    name: str = field(default="outbox", kw_only=True)

    @classmethod
    def from_url(cls, url: SmsUrl, /) -> Self:
        """Build the provider from the address of an outbox of this process."""
        book = BOOKS.get(url.credential())
        if book is None:
            raise ConfigurationError("this address is of an outbox of another test or process")
        return cls(book, **url.settings(name=str))

    @property
    def batching(self) -> Batching:
        """What one request may carry: as much as the gateways take."""
        return Batching(max_batch=100, max_scheduled=100)

    async def status(self, message_id: str, /) -> DeliveryStatus:
        """Return how far an accepted text has come, as the outbox was told to report.

        Raises:
            NotFoundError: There is no such text.
        """
        return self._book.status_of(message_id, self.name)

    async def balance(self) -> Balance:
        """Return what is left of the outbox's credit."""
        credit = self._book.credit
        return Balance(credit, "credits", f"{credit} credits")

    def _number(self, number: str) -> tuple[str, str]:
        e164 = to_e164(number, self._book.region)
        return e164, e164.removeprefix("+")

    async def _send(self, batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        return [self._book.take(prepared, self.name) for prepared in batch]
