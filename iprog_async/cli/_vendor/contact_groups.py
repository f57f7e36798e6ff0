"""`iprog-async contacts groups`: its commands are functions of this module."""

from __future__ import annotations

from typing import Any

from cyclopts import App

from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.limit import Limit, take, tell_of_more
from iprog_async.cli._options.shared import AsJson, Url, open_client
from iprog_async.cli._terminal.confirm import Yes, confirm, explain_outcome
from iprog_async.cli._terminal.output import Column, echo, emit, say_table
from iprog_async.cli._terminal.plain import plain
from iprog_async.cli._vendor.operations import CONTACTS
from iprog_async.cli._vendor.protocols import ContactGroup


_LISTED = (Column("Uid"), Column("Name", wraps=True))

groups = App(name="groups", help="List, create, rename and delete contact groups.")


@groups.command(name="list")
async def list_groups(*, limit: Limit = 100, url: Url = None, as_json: AsJson = False) -> ExitCode:
    """List the groups."""
    async with open_client(url) as client:
        found = await take(CONTACTS.of(client.provider).groups.list(), limit)
    if as_json:
        emit([_data(group) for group in found.items])
    elif found.items:
        say_table(_LISTED, [(plain(group.uid), plain(group.name)) for group in found.items])
    else:
        echo("no groups")
    tell_of_more(found)
    return ExitCode.OK


@groups.command
async def create(name: str, /, *, url: Url = None, as_json: AsJson = False) -> ExitCode:  # noqa: D417 - the shared options describe themselves
    """Create a group.

    Args:
        name: What it is called.
    """
    async with open_client(url) as client:
        desk = CONTACTS.of(client.provider).groups
        with explain_outcome("It may have been created", "Nothing was created"):
            made = await desk.create(name)
    _tell(made, "Created group", as_json=as_json)
    return ExitCode.OK


@groups.command
async def show(group: str, /, *, url: Url = None, as_json: AsJson = False) -> ExitCode:  # noqa: D417 - the shared options describe themselves
    """Show a group.

    Args:
        group: Its uid.
    """
    async with open_client(url) as client:
        found = await CONTACTS.of(client.provider).groups.show(group)
    _tell(found, "Group", as_json=as_json)
    return ExitCode.OK


@groups.command
async def rename(  # noqa: D417 - the shared options describe themselves
    group: str, name: str, /, *, url: Url = None, as_json: AsJson = False
) -> ExitCode:
    """Give a group another name.

    Args:
        group: Its uid.
        name: What it is to be called.
    """
    async with open_client(url) as client:
        with explain_outcome("It may have been renamed: look before you repeat it"):
            await CONTACTS.of(client.provider).groups.update(group, name)
    if as_json:
        emit({"uid": group, "name": name})
    else:
        echo(f"Renamed group {group}: {name}")
    return ExitCode.OK


@groups.command
async def delete(  # noqa: D417 - the shared options describe themselves
    group: str, /, *, yes: Yes = False, url: Url = None, as_json: AsJson = False
) -> ExitCode:
    """Delete a group and its contacts.

    Args:
        group: Its uid.
    """
    async with open_client(url) as client:
        desk = CONTACTS.of(client.provider).groups
        if not confirm(f"Delete the group {group} and its contacts", yes=yes, as_json=as_json):
            return ExitCode.INTERRUPTED
        with explain_outcome("It may have been deleted: look before you repeat it"):
            await desk.delete(group)
    if as_json:
        emit({"uid": group, "deleted": True})
    else:
        echo(f"Deleted group {group}")
    return ExitCode.OK


def _tell(group: ContactGroup, what: str, *, as_json: bool) -> None:
    if as_json:
        emit(_data(group))
    else:
        echo(f"{what} {plain(group.uid or '(the gateway gave no uid)')}: {plain(group.name)}")


def _data(group: ContactGroup) -> dict[str, Any]:
    return {"uid": group.uid, "name": group.name}
