"""`iprog-async reminder`: its commands are functions of this module."""

from __future__ import annotations

from typing import Any

from cyclopts import App

from iprog_async.cli._base.command_table import COMMANDS
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.shared import AsJson, Url, open_client, text_from
from iprog_async.cli._options.times import WallClock
from iprog_async.cli._options.when import At, NeededAt, Tz, clock_of, later, shown
from iprog_async.cli._terminal.confirm import Yes, confirm, explain_outcome
from iprog_async.cli._terminal.output import echo, emit
from iprog_async.cli._terminal.plain import plain
from iprog_async.cli._vendor.operations import REMINDERS
from iprog_async.cli._vendor.protocols import Reminder


reminder = App(name="reminder", help=COMMANDS["reminder"].help)


@reminder.command
async def create(  # noqa: D417 - the shared options describe themselves
    to: str,
    text: str,
    /,
    *,
    at: NeededAt,
    tz: Tz = None,
    url: Url = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Have the gateway send a text later.

    Args:
        to: Phone number as people write it.
        text: What the phone shows; - reads it from stdin. A text that starts with a dash goes
            last, after --.
    """
    body = text_from(text)
    async with open_client(url) as client:
        gateway = REMINDERS.holder(client.provider)
        clock = clock_of(gateway, tz)
        when = later(at, clock)
        with explain_outcome("It may have been created", "Nothing was created"):
            made = await REMINDERS.of(gateway).create(to, body, when)
    _tell(made, clock, as_json=as_json)
    return ExitCode.OK


@reminder.command
async def get(  # noqa: D417 - the shared options describe themselves
    id: str,  # noqa: A002 - what the help calls it
    /,
    *,
    tz: Tz = None,
    url: Url = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Show a reminder.

    Args:
        id: Its id or ref, such as 42 or iprog:reminder:42.
    """
    async with open_client(url) as client:
        gateway = REMINDERS.holder(client.provider)
        clock = clock_of(gateway, tz)
        found = await REMINDERS.of(gateway).get(REMINDERS.id_of(id, gateway))
    _tell(found, clock, as_json=as_json)
    return ExitCode.OK


@reminder.command
async def update(  # noqa: D417 - the shared options describe themselves
    id: str,  # noqa: A002 - what the help calls it
    /,
    *,
    to: str | None = None,
    text: str | None = None,
    at: At = None,
    tz: Tz = None,
    url: Url = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Change a reminder; what is not given stays as it is.

    Args:
        id: Its id or ref, such as 42 or iprog:reminder:42.
        to: Phone number as people write it.
        text: What the phone shows; - reads it from stdin. One that starts with a dash is
            written --text='-5 % today'.
    """
    body = None if text is None else text_from(text)
    async with open_client(url) as client:
        gateway = REMINDERS.holder(client.provider)
        clock = clock_of(gateway, tz)
        when = None if at is None else later(at, clock)
        with explain_outcome("It may have been changed: look before you repeat it"):
            changed = await REMINDERS.of(gateway).update(
                REMINDERS.id_of(id, gateway), to=to, text=body, scheduled_at=when
            )
    _tell(changed, clock, as_json=as_json)
    return ExitCode.OK


@reminder.command
async def delete(  # noqa: D417 - the shared options describe themselves
    id: str,  # noqa: A002 - what the help calls it
    /,
    *,
    yes: Yes = False,
    url: Url = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Delete a reminder, so that it is not sent.

    Args:
        id: Its id or ref, such as 42 or iprog:reminder:42.
    """
    async with open_client(url) as client:
        desk = REMINDERS.of(client.provider)
        if not confirm(f"Delete the reminder {id}", yes=yes, as_json=as_json):
            return ExitCode.INTERRUPTED
        with explain_outcome("It may have been deleted: look before you repeat it"):
            await desk.delete(REMINDERS.id_of(id, client.provider))
    if as_json:
        emit({"id": id, "deleted": True})
    else:
        echo(f"Deleted the reminder {id}")
    return ExitCode.OK


def _tell(found: Reminder, clock: WallClock, *, as_json: bool) -> None:
    if as_json:
        emit(_data(found))
        return
    echo(
        f"Reminder {plain(found.id)} to {plain(found.phone_number)}: {plain(found.status)} for "
        f"{shown(found.scheduled_at, clock)}",
        f"  {plain(found.message)}",
    )


def _data(found: Reminder) -> dict[str, Any]:
    return {
        "id": found.id,
        "phone_number": found.phone_number,
        "message": found.message,
        "scheduled_at": found.scheduled_at.isoformat(),
        "status": found.status,
    }
