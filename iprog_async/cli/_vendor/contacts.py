"""`iprog-async contacts`: its commands are functions of this module."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from iprog_async._core.errors import InvalidMessageError
from iprog_async.cli._base.command_table import COMMANDS
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.limit import Limit, take, tell_of_more
from iprog_async.cli._options.shared import AsJson, Url, open_client, pairs
from iprog_async.cli._terminal.confirm import Yes, confirm, explain_outcome
from iprog_async.cli._terminal.output import Column, echo, emit, say_table
from iprog_async.cli._terminal.plain import plain
from iprog_async.cli._vendor.contact_groups import groups
from iprog_async.cli._vendor.operations import CONTACTS
from iprog_async.cli._vendor.protocols import Contact


Fields = Annotated[
    tuple[str, ...],
    Parameter(
        name="--field",
        negative="",
        show_default=False,
        help="A further field of the contact, such as FIRST_NAME=Ada; can be given again.",
    ),
]
_LISTED = (Column("Uid"), Column("Number"), Column("Status"), Column("Fields", wraps=True))

contacts = App(name="contacts", help=COMMANDS["contacts"].help)
contacts.command(groups)


@contacts.command(name="list")
async def list_contacts(  # noqa: D417 - the shared options describe themselves
    group: str, /, *, limit: Limit = 100, url: Url = None, as_json: AsJson = False
) -> ExitCode:
    """List the contacts of a group.

    Args:
        group: Uid of the group.
    """
    async with open_client(url) as client:
        found = await take(CONTACTS.of(client.provider).all(group), limit)
    if as_json:
        emit([_data(contact) for contact in found.items])
    elif found.items:
        say_table(_LISTED, [_cells(contact) for contact in found.items])
    else:
        echo("no contacts")
    tell_of_more(found)
    return ExitCode.OK


@contacts.command
async def add(  # noqa: D417 - the shared options describe themselves
    group: str,
    phone: str,
    /,
    *,
    fields: Fields = (),
    url: Url = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Add a number to a group.

    Args:
        group: Uid of the group.
        phone: Phone number as people write it.
    """
    tags = _tags(fields)
    async with open_client(url) as client:
        desk = CONTACTS.of(client.provider)
        with explain_outcome("It may have been added", "Nothing was added"):
            made = await desk.store(group, phone, tags)
    _tell(made, "Added contact", as_json=as_json)
    return ExitCode.OK


@contacts.command
async def show(  # noqa: D417 - the shared options describe themselves
    group: str, contact: str, /, *, url: Url = None, as_json: AsJson = False
) -> ExitCode:
    """Show a contact.

    Args:
        group: Uid of the group.
        contact: Uid of the contact.
    """
    async with open_client(url) as client:
        found = await CONTACTS.of(client.provider).search(group, contact)
    _tell(found, "Contact", as_json=as_json)
    return ExitCode.OK


@contacts.command
async def update(  # noqa: D417 - the shared options describe themselves
    group: str,
    contact: str,
    phone: str,
    /,
    *,
    fields: Fields = (),
    url: Url = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Change a contact.

    Args:
        group: Uid of the group.
        contact: Uid of the contact.
        phone: Its phone number, which has to be given even if it stays the same.
    """
    tags = _tags(fields)
    async with open_client(url) as client:
        with explain_outcome("It may have been changed: look before you repeat it"):
            await CONTACTS.of(client.provider).update(group, contact, phone, tags)
    if as_json:
        emit({"group": group, "uid": contact, "phone": phone, "fields": tags})
    else:
        echo(f"Changed contact {contact}")
    return ExitCode.OK


@contacts.command
async def delete(  # noqa: D417 - the shared options describe themselves
    group: str, contact: str, /, *, yes: Yes = False, url: Url = None, as_json: AsJson = False
) -> ExitCode:
    """Delete a contact.

    Args:
        group: Uid of the group.
        contact: Uid of the contact.
    """
    async with open_client(url) as client:
        desk = CONTACTS.of(client.provider)
        if not confirm(f"Delete the contact {contact}", yes=yes, as_json=as_json):
            return ExitCode.INTERRUPTED
        with explain_outcome("It may have been deleted: look before you repeat it"):
            await desk.delete(group, contact)
    if as_json:
        emit({"group": group, "uid": contact, "deleted": True})
    else:
        echo(f"Deleted contact {contact}")
    return ExitCode.OK


def _tags(fields: tuple[str, ...]) -> dict[str, str]:
    tags = pairs(fields, "--field", "FIRST_NAME=Ada")
    if any(tag.upper() == "PHONE" for tag in tags):
        raise InvalidMessageError("--field PHONE: the number is an argument, not a field")
    return tags


def _tell(contact: Contact, what: str, *, as_json: bool) -> None:
    if as_json:
        emit(_data(contact))
        return
    known = (contact.phone, contact.status, _fields(contact))
    uid = plain(contact.uid or "(the gateway gave no uid)")
    echo(f"{what} {uid}: {', '.join(plain(value) for value in known if value)}")


def _data(contact: Contact) -> dict[str, Any]:
    return {
        "uid": contact.uid,
        "phone": contact.phone,
        "status": contact.status,
        "custom_fields": contact.custom_fields,
    }


def _cells(contact: Contact) -> tuple[str, ...]:
    known = (contact.uid, contact.phone, contact.status, _fields(contact))
    return tuple(plain(cell) for cell in known)


def _fields(contact: Contact) -> object:
    """Return the further fields as people write them; as they are, where they have no names."""
    named = ", ".join(f"{tag}={value}" for tag, value in contact.fields.items())
    return named or contact.custom_fields or None
