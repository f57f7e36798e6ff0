"""`iprog-async messages`: its commands are functions of this module."""

from __future__ import annotations

from typing import Any, Literal

from cyclopts import App

from iprog_async.cli._base.command_table import COMMANDS
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.limit import Limit, take, tell_of_more
from iprog_async.cli._options.shared import AsJson, Url, open_client
from iprog_async.cli._options.when import Tz, bound, clock_of
from iprog_async.cli._terminal.output import Column, echo, emit, say_table
from iprog_async.cli._terminal.plain import plain
from iprog_async.cli._vendor.operations import MESSAGES
from iprog_async.cli._vendor.protocols import StoredMessage


_LISTED = (
    Column("Uid"),
    Column("To"),
    Column("From"),
    Column("Status"),
    Column("Sent", wraps=True),
    Column("Text", wraps=True),
)

messages = App(name="messages", help=COMMANDS["messages"].help)


@messages.command(name="list")
async def list_messages(  # noqa: D417 - the shared options describe themselves
    *,
    start: str | None = None,
    end: str | None = None,
    sms_type: str | None = None,
    direction: Literal["outgoing", "incoming"] | None = None,
    limit: Limit = 100,
    tz: Tz = None,
    url: Url = None,
    as_json: AsJson = False,
) -> ExitCode:
    """List what the account sent and received, as the gateway keeps it.

    Args:
        start: The earliest time, such as "2026-11-01 00:00", or the first day.
        end: The latest time, or the last day.
        sms_type: Only this type, such as plain.
        direction: Only this direction.
    """
    async with open_client(url) as client:
        gateway = MESSAGES.holder(client.provider)
        clock = clock_of(gateway, tz)
        listed = MESSAGES.of(gateway).list(
            start=bound(start, clock, "--start"),
            end=bound(end, clock, "--end", last=True),
            sms_type=sms_type,
            direction=direction,
        )
        found = await take(listed, limit)
    if as_json:
        emit([_data(message) for message in found.items])
    elif found.items:
        say_table(_LISTED, [_cells(message) for message in found.items])
    else:
        echo("no messages")
    tell_of_more(found)
    return ExitCode.OK


@messages.command
async def show(uid: str, /, *, url: Url = None, as_json: AsJson = False) -> ExitCode:  # noqa: D417 - the shared options describe themselves
    """Show one message.

    Args:
        uid: The gateway's id, which messages list shows, or the ref that send printed.
    """
    async with open_client(url) as client:
        found = await MESSAGES.of(client.provider).get(MESSAGES.id_of(uid, client.provider))
    data = _data(found)
    if as_json:
        emit(data)
    else:
        echo(
            *(
                f"{name.replace('_', ' '):<9} {plain(value)}"
                for name, value in data.items()
                if value
            )
        )
    return ExitCode.OK


def _data(message: StoredMessage) -> dict[str, Any]:
    return {
        "uid": message.uid,
        "to": message.to,
        "sender_id": message.sender_id,
        "message": message.message,
        "status": message.word,
        "sms_type": message.sms_type,
        "direction": message.direction,
        "sms_count": message.sms_count,
        "cost": None if message.cost is None else str(message.cost),
        "sent_at": message.sent_at,
    }


def _cells(message: StoredMessage) -> tuple[str, ...]:
    told = (message.to, message.sender_id, message.word, message.sent_at, message.message)
    return tuple(plain(cell) for cell in (message.uid, *told))
