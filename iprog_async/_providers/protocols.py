"""What every gateway adapter offers, and what some offer besides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, Protocol, Self, runtime_checkable

from attrs import field, frozen, validators

from iprog_async._core.messages import Message, PreparedMessage
from iprog_async._core.outcomes import Outcome
from iprog_async._core.receipts import Balance, DeliveryStatus
from iprog_async._core.schedules import EXACT
from iprog_async._http.calls import Call


@frozen(kw_only=True)
class Batching:
    """What one request of a gateway may carry.

    Args:
        max_batch: The most recipients of one request.
        mixed_texts: Whether messages of one request may differ in text.
        max_scheduled: The most recipients of one scheduled request.
        min_scheduled: The fewest recipients of one scheduled request.
    """

    max_batch: int = field(default=1, validator=validators.ge(1))
    mixed_texts: bool = False
    max_scheduled: int = field(default=1, validator=validators.ge(1))
    min_scheduled: int = field(default=1, validator=validators.ge(1))


Scheduling = Literal["native", "reminder", "none"]


@frozen(kw_only=True)
class Capabilities:
    """One row of the matrix of providers; what the code can tell by itself is not repeated here.

    Args:
        title: The gateway's name, for people.
        scheduling: How a text is sent later, if at all.
        operations: Names of the vendor's own operations: attributes of the provider.
        timezone: IANA name of the zone in which the gateway's users write times, `None` if
            there is no such one. An account's own setting is the attribute `timezone` of a
            provider, and goes before it.
        schedule_step: The steps in which the gateway keeps times, such as whole minutes; exact
            if zero. A time in between is rounded up: no text leaves too early.
    """

    title: str
    scheduling: Scheduling = "none"
    operations: tuple[str, ...] = ()
    timezone: str | None = None
    schedule_step: timedelta = EXACT


class SmsProvider(Protocol):
    """One gateway, as one account sees it; it knows the wire and touches no socket."""

    @property
    def name(self) -> str:
        """Unique label of this account, such as `"iprog"`; receipts carry it."""
        ...

    @property
    def batching(self) -> Batching:
        """What one request may carry."""
        ...

    def bind(self, call: Call, /) -> Self:
        """Return a copy that makes its calls through `call`; the original stays untouched."""
        ...

    def prepare(self, message: Message, /, index: int = 0) -> PreparedMessage:
        """Check a message and normalise its number, without any network.

        Raises:
            InvalidMessageError: It can't be sent as it is.
            UnsupportedError: It asks for something this gateway does not have.
        """
        ...

    async def submit(self, batch: Sequence[PreparedMessage], /) -> Sequence[Outcome]:
        """Send prepared messages in one request; one outcome each, in order.

        What goes wrong becomes an outcome; nothing is raised for it. In what travels (`wire`)
        all messages of a batch have equal text, sender, schedule and options unless
        `batching.mixed_texts`, and they have distinct recipients.
        """
        ...


@runtime_checkable
class SupportsStatus(SmsProvider, Protocol):
    """A provider that can tell how far a text has come."""

    async def status(self, message_id: str, /) -> DeliveryStatus:
        """Return the status of an accepted text, by the gateway's id."""
        ...


@runtime_checkable
class SupportsBalance(SmsProvider, Protocol):
    """A provider that can tell what is left on the account."""

    async def balance(self) -> Balance:
        """Return what is left on the account."""
        ...


@runtime_checkable
class SupportsBalances(SmsProvider, Protocol):
    """Several providers as one, which can tell what is left on the account of each."""

    async def balance(self) -> dict[str, Balance]:
        """Return what is left on each account, by the provider's name."""
        ...
