"""Contact groups and their contacts, which campaigns are sent to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from attrs import field, frozen

from iprog_async import InvalidMessageError
from iprog_async.adapter import (
    Effect,
    Id,
    Text,
    is_array,
    is_object,
    mask_keys,
    structure,
)
from iprog_async_providers.infopromo._answers import Envelope
from iprog_async_providers.infopromo._api import Api, to_wire_number
from iprog_async_providers.infopromo._options import segment
from iprog_async_providers.infopromo._pages import Page, iterate, read_page


@frozen
class ContactGroup:
    """A group of contacts.

    Args:
        uid: The gateway's id; `None` where it gave none.
        name: What it is called.
        raw: The parsed answer, with secrets masked.
    """

    uid: Id | None = None
    name: str = ""
    raw: object = field(default=None, repr=False, eq=False)


@frozen
class Contact:
    """A number in a group.

    Args:
        uid: The gateway's id; `None` where it gave none.
        phone: The number, as the gateway writes it.
        status: The gateway's word, such as `"subscribe"`.
        custom_fields: Further fields, as the gateway gives them.
        raw: The parsed answer, with secrets masked.
    """

    uid: Id | None = None
    phone: Text | None = None
    status: str | None = None
    custom_fields: Any = None
    raw: object = field(default=None, repr=False, eq=False)

    @property
    def fields(self) -> dict[str, str]:
        """The further fields by their tags, as `FIRST_NAME`; those of another shape left out."""
        given: object = self.custom_fields
        if is_object(given):
            return {tag: str(value) for tag, value in given.items()}
        entries = filter(is_object, given) if is_array(given) else ()
        return {str(entry["tag"]): str(entry["value"]) for entry in entries if _is_field(entry)}


class ContactGroups:
    """Creates, reads, renames and deletes groups."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def create(self, name: str) -> ContactGroup:
        """Create a group; never repeated by itself, twice would make two.

        Raises:
            InvalidMessageError: The name is empty.
            ConnectionFailedError: The gateway can't be reached; the request did not leave.
            OutcomeUnknownError: It may have been created.
            ProviderError: The gateway refused; nothing was created.
        """
        return await self._api.request(
            "POST",
            "/contacts",
            self._api.reader(lambda envelope: _made_group(envelope, name)),
            "create the contact group",
            {"name": _name(name)},
        )

    async def show(self, group: ContactGroup | str) -> ContactGroup:
        """Read a group.

        Raises:
            NotFoundError: The account has no such group.
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        return await self._api.request(
            "POST",
            f"{_path(group)}/show",
            self._api.reader(lambda envelope: _group(envelope.data)),
            "read the contact group",
            effect=Effect.READ,
        )

    async def update(self, group: ContactGroup | str, name: str) -> None:
        """Rename a group; what the answer holds differs between versions and is not read.

        Raises:
            NotFoundError: The account has no such group.
            ConnectionFailedError: The gateway can't be reached; the request did not leave.
            NoAnswerError: No trustworthy answer; doing it again does no harm.
            ProviderError: The gateway refused; nothing was changed.
        """
        await self._api.request(
            "PATCH",
            _path(group),
            self._api.reader(_ignore),
            "rename the contact group",
            {"name": _name(name)},
            effect=Effect.IDEMPOTENT,
        )

    async def delete(self, group: ContactGroup | str) -> None:
        """Delete a group and its contacts.

        Raises:
            NotFoundError: The account has no such group.
            ConnectionFailedError: The gateway can't be reached; the request did not leave.
            NoAnswerError: No trustworthy answer; doing it again does no harm.
            ProviderError: The gateway refused; nothing was changed.
        """
        await self._api.request(
            "DELETE",
            _path(group),
            self._api.reader(_ignore),
            "delete the contact group",
            effect=Effect.IDEMPOTENT,
            on_gone=_gone,
        )

    def list(self) -> AsyncIterator[ContactGroup]:
        """Iterate over the groups, a page of them with each request.

        Raises:
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """

        async def fetch(number: int) -> Page[ContactGroup]:
            return await self._api.request(
                "GET",
                "/contacts",
                self._api.reader(lambda envelope: read_page(envelope, _group)),
                "list the contact groups",
                query={"page": str(number)},
                effect=Effect.READ,
            )

        return iterate(fetch, self._api.gateway.name)


class Contacts:
    """Adds, reads, changes and deletes contacts; `groups` does the same for groups."""

    def __init__(self, api: Api) -> None:
        self._api = api

    @property
    def groups(self) -> ContactGroups:
        """The groups that contacts are in."""
        return ContactGroups(self._api)

    async def store(
        self, group: ContactGroup | str, phone: str, fields: Mapping[str, str] | None = None
    ) -> Contact:
        """Add a number to a group; never repeated by itself.

        Args:
            group: The group, or its uid.
            phone: Phone number as people write it.
            fields: Further fields by the tags of the group's settings, such as `FIRST_NAME`.

        Raises:
            InvalidMessageError: It is no phone number; nothing was stored.
            RejectedError: The number is in the group already, or a field is missing.
            ConnectionFailedError: The gateway can't be reached; the request did not leave.
            OutcomeUnknownError: It may have been stored.
            ProviderError: The gateway refused.
        """
        body = self._body(phone, fields)
        return await self._api.request(
            "POST",
            f"{_path(group)}/store",
            self._api.reader(lambda envelope: _made_contact(envelope, body["PHONE"])),
            "store the contact",
            body,
        )

    async def search(self, group: ContactGroup | str, contact: Contact | str) -> Contact:
        """Read a contact, by its uid.

        Raises:
            NotFoundError: The group has no such contact.
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        return await self._api.request(
            "POST",
            f"{_path(group)}/search/{_contact_segment(contact)}",
            self._api.reader(lambda envelope: _contact(envelope.data)),
            "read the contact",
            effect=Effect.READ,
        )

    async def update(
        self,
        group: ContactGroup | str,
        contact: Contact | str,
        phone: str,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        """Change a contact; the server demands the number even where it stays the same.

        Raises:
            InvalidMessageError: It is no phone number; nothing was changed.
            NotFoundError: The group has no such contact.
            ConnectionFailedError: The gateway can't be reached; the request did not leave.
            NoAnswerError: No trustworthy answer; doing it again does no harm.
            ProviderError: The gateway refused; nothing was changed.
        """
        await self._api.request(
            "PATCH",
            f"{_path(group)}/update/{_contact_segment(contact)}",
            self._api.reader(_ignore),
            "change the contact",
            self._body(phone, fields),
            effect=Effect.IDEMPOTENT,
        )

    async def delete(self, group: ContactGroup | str, contact: Contact | str) -> None:
        """Delete a contact.

        Raises:
            NotFoundError: The group has no such contact.
            ConnectionFailedError: The gateway can't be reached; the request did not leave.
            NoAnswerError: No trustworthy answer; doing it again does no harm.
            ProviderError: The gateway refused; nothing was changed.
        """
        await self._api.request(
            "DELETE",
            f"{_path(group)}/delete/{_contact_segment(contact)}",
            self._api.reader(_ignore),
            "delete the contact",
            effect=Effect.IDEMPOTENT,
            on_gone=_gone,
        )

    def all(self, group: ContactGroup | str) -> AsyncIterator[Contact]:
        """Iterate over a group's contacts, a page of them with each request.

        Raises:
            NotFoundError: The account has no such group.
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        path = f"{_path(group)}/all"

        async def fetch(number: int) -> Page[Contact]:
            return await self._api.request(
                "POST",
                path,
                self._api.reader(lambda envelope: read_page(envelope, _contact)),
                "list the contacts",
                query={"page": str(number)},
                effect=Effect.READ,
            )

        return iterate(fetch, self._api.gateway.name)

    def _body(self, phone: str, fields: Mapping[str, str] | None) -> dict[str, str]:
        tags = {tag.upper(): value for tag, value in (fields or {}).items()}
        return {**tags, "PHONE": to_wire_number(phone, self._api.region)[1]}


def _name(name: str) -> str:
    if not name.strip():
        raise InvalidMessageError("the contact group's name is empty")
    return name.strip()


def _path(group: ContactGroup | str) -> str:
    uid = group.uid if isinstance(group, ContactGroup) else group
    return f"/contacts/{segment(uid, 'contact group')}"


def _contact_segment(contact: Contact | str) -> str:
    return segment(contact.uid if isinstance(contact, Contact) else contact, "contact")


@frozen
class _GroupEntry:
    uid: Id
    name: str


@frozen
class _ContactEntry:
    uid: Id
    phone: Text
    status: str | None = None
    custom_fields: Any = None


def _is_field(entry: dict[str, Any]) -> bool:
    return entry.keys() >= {"tag", "value"}


def _group(data: object) -> ContactGroup:
    entry = structure(data, _GroupEntry)
    return ContactGroup(entry.uid, entry.name, mask_keys(data))


def _contact(data: object) -> Contact:
    entry = structure(data, _ContactEntry)
    return Contact(entry.uid, entry.phone, entry.status, entry.custom_fields, mask_keys(data))


def _made_group(envelope: Envelope, name: str) -> ContactGroup:
    """Read a new group: whatever its data is like, the envelope says that it was made."""
    if is_object(envelope.data) and envelope.data.get("uid"):
        return _group({"name": name, **envelope.data})
    return ContactGroup(None, name, envelope.raw)


def _made_contact(envelope: Envelope, phone: str) -> Contact:
    if is_object(envelope.data) and envelope.data.get("uid"):
        return _contact({"phone": phone, **envelope.data})
    return Contact(None, Text(phone), raw=envelope.raw)


def _ignore(_: Envelope) -> None:
    """Drop what the answer holds besides success."""


def _gone() -> None:
    """Stand for the answer of an earlier try, which had deleted it."""
