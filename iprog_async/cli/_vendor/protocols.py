"""The shapes of vendors' own operations, by which commands reach them without naming a vendor.

A provider of anybody's works with these commands as soon as its attributes have these shapes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Protocol, runtime_checkable


@runtime_checkable
class OtpDesk(Protocol):
    """`provider.otp`: one-time passwords that the gateway makes."""

    async def send(
        self,
        to: str,
        /,
        *,
        template: str | None,
        code_length: int | None,
        expires_in_minutes: int | None,
    ) -> OtpTicket:
        """Have a code made and texted."""
        ...

    async def verify(self, to: str, code: str, /) -> OtpCheck:
        """Check a code."""
        ...

    async def list(self) -> Sequence[OtpTicket]:
        """List the account's codes."""
        ...


@runtime_checkable
class ReminderDesk(Protocol):
    """`provider.reminders`: texts that the gateway sends later."""

    async def create(self, to: str, text: str, scheduled_at: datetime, /) -> Reminder:
        """Have a text sent later."""
        ...

    async def get(self, reminder: str, /) -> Reminder:
        """Read a reminder."""
        ...

    async def update(
        self,
        reminder: str,
        /,
        *,
        to: str | None,
        text: str | None,
        scheduled_at: datetime | None,
    ) -> Reminder:
        """Change a reminder; what is `None` stays."""
        ...

    async def delete(self, reminder: str, /) -> None:
        """Delete a reminder."""
        ...


@runtime_checkable
class CampaignDesk(Protocol):
    """`provider.campaigns`: one text for everyone in contact groups."""

    async def send(
        self,
        groups: Sequence[str],
        text: str,
        /,
        *,
        sender_id: str | None,
        schedule_at: datetime | None,
        options: Any,
    ) -> Campaign:
        """Send one text to groups."""
        ...

    async def get(self, campaign: str, /) -> Campaign:
        """Read a campaign."""
        ...


@runtime_checkable
class MessageDesk(Protocol):
    """`provider.messages`: what the account sent and received."""

    async def get(self, uid: str, /) -> StoredMessage:
        """Read one message."""
        ...

    def list(
        self,
        *,
        start: datetime | None,
        end: datetime | None,
        sms_type: str | None,
        direction: Literal["outgoing", "incoming"] | None,
    ) -> AsyncIterator[StoredMessage]:
        """Iterate over messages."""
        ...


@runtime_checkable
class GroupDesk(Protocol):
    """`provider.contacts.groups`."""

    async def create(self, name: str, /) -> ContactGroup:
        """Create a group."""
        ...

    async def show(self, group: str, /) -> ContactGroup:
        """Read a group."""
        ...

    async def update(self, group: str, name: str, /) -> None:
        """Rename a group."""
        ...

    async def delete(self, group: str, /) -> None:
        """Delete a group."""
        ...

    def list(self) -> AsyncIterator[ContactGroup]:
        """Iterate over the groups."""
        ...


@runtime_checkable
class ContactDesk(Protocol):
    """`provider.contacts`: numbers that the gateway keeps, in groups."""

    @property
    def groups(self) -> GroupDesk:
        """The groups."""
        ...

    async def store(self, group: str, phone: str, fields: Mapping[str, str] | None, /) -> Contact:
        """Add a number to a group."""
        ...

    async def search(self, group: str, contact: str, /) -> Contact:
        """Read a contact."""
        ...

    async def update(
        self, group: str, contact: str, phone: str, fields: Mapping[str, str] | None, /
    ) -> None:
        """Change a contact."""
        ...

    async def delete(self, group: str, contact: str, /) -> None:
        """Delete a contact."""
        ...

    def all(self, group: str, /) -> AsyncIterator[Contact]:
        """Iterate over a group's contacts."""
        ...


@runtime_checkable
class KeyDesk(Protocol):
    """`provider.keys`: the account's API key."""

    async def generate(self, expiry_days: int | None, /) -> ApiKey:
        """Have a key made."""
        ...

    async def regenerate(self, expiry_days: int | None, /) -> ApiKey:
        """Have the key replaced."""
        ...

    async def revoke(self) -> None:
        """Revoke the key."""
        ...


@runtime_checkable
class Detect(Protocol):
    """`provider.detect`."""

    def __call__(self, number: str, /) -> Awaitable[Network]:
        """Return which network a number belongs to."""
        ...


@runtime_checkable
class Me(Protocol):
    """`provider.me`."""

    def __call__(self) -> Awaitable[Mapping[str, object]]:
        """Return the account's record."""
        ...


class OtpTicket(Protocol):
    """A code that was sent."""

    @property
    def phone_number(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def confirmed(self) -> bool | None: ...


class OtpCheck(Protocol):
    """Whether a code was right."""

    @property
    def verified(self) -> bool: ...
    @property
    def message(self) -> str: ...


class Reminder(Protocol):
    """A text that is sent later."""

    @property
    def id(self) -> str: ...
    @property
    def phone_number(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def scheduled_at(self) -> datetime: ...
    @property
    def status(self) -> str: ...


class Campaign(Protocol):
    """A campaign; its `stats` has counts by name."""

    @property
    def uid(self) -> str | None: ...
    @property
    def name(self) -> str | None: ...
    @property
    def message(self) -> str | None: ...
    @property
    def status(self) -> str | None: ...
    @property
    def sms_type(self) -> str | None: ...
    @property
    def created_at(self) -> str | None: ...
    @property
    def start_at(self) -> str | None: ...
    @property
    def delivery_at(self) -> str | None: ...
    @property
    def stats(self) -> object: ...


class StoredMessage(Protocol):
    """A message as the gateway keeps it."""

    @property
    def uid(self) -> str: ...
    @property
    def to(self) -> str | None: ...
    @property
    def sender_id(self) -> str | None: ...
    @property
    def message(self) -> str | None: ...
    @property
    def word(self) -> str: ...
    @property
    def sms_type(self) -> str | None: ...
    @property
    def direction(self) -> str | None: ...
    @property
    def sms_count(self) -> int | None: ...
    @property
    def cost(self) -> Decimal | None: ...
    @property
    def sent_at(self) -> str | None: ...


class ContactGroup(Protocol):
    """A group of contacts."""

    @property
    def uid(self) -> str | None: ...
    @property
    def name(self) -> str: ...


class Contact(Protocol):
    """A number in a group."""

    @property
    def uid(self) -> str | None: ...
    @property
    def phone(self) -> str | None: ...
    @property
    def status(self) -> str | None: ...
    @property
    def custom_fields(self) -> Any: ...
    @property
    def fields(self) -> Mapping[str, object]: ...


class ApiKey(Protocol):
    """A key that was made."""

    @property
    def key(self) -> str: ...
    @property
    def expires_at(self) -> str: ...


class Network(Protocol):
    """Which network a number belongs to."""

    @property
    def network(self) -> str: ...
    @property
    def is_smart_tnt(self) -> bool: ...
