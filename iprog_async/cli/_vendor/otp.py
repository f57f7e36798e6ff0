"""`iprog-async otp`: its commands are functions of this module."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cyclopts import App

from iprog_async._core.sealed import MASK
from iprog_async.cli._base.command_table import COMMANDS
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.shared import AsJson, Url, open_client, text_from
from iprog_async.cli._options.times import WallClock
from iprog_async.cli._options.when import clock_of_gateway, shown
from iprog_async.cli._terminal.confirm import Show, explain_outcome
from iprog_async.cli._terminal.output import Column, echo, emit, say_table
from iprog_async.cli._terminal.plain import plain
from iprog_async.cli._vendor.operations import OTP
from iprog_async.cli._vendor.protocols import OtpTicket


_HOW_TO_SHOW = "The code is hidden; --show prints it"
_LISTED = (Column("Number"), Column("Code"), Column("Valid until", wraps=True))

otp = App(name="otp", help=COMMANDS["otp"].help)


@otp.command
async def send(  # noqa: D417 - the shared options describe themselves
    to: str,
    /,
    *,
    template: str | None = None,
    code_length: int | None = None,
    expires_in_minutes: int | None = None,
    show: Show = False,
    url: Url = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Have the gateway make a code and text it.

    Args:
        to: Phone number as people write it.
        template: What the phone shows, with :otp where the code goes.
        code_length: How many digits.
        expires_in_minutes: How long the code is valid.
    """
    async with open_client(url) as client:
        gateway = OTP.holder(client.provider)
        clock = clock_of_gateway(gateway)
        with explain_outcome("A code may have been sent", "No code was sent"):
            ticket = await OTP.of(gateway).send(
                to,
                template=template,
                code_length=code_length,
                expires_in_minutes=expires_in_minutes,
            )
    if as_json:
        emit(_data(ticket, show=show))
    else:
        until = f", valid until {_until(ticket, clock)}" if ticket.expires_at else ""
        echo(
            f"Sent a code to {plain(ticket.phone_number)}{until}",
            f"The code is {plain(ticket.code)}" if show else _HOW_TO_SHOW,
        )
    return ExitCode.OK


@otp.command
async def verify(  # noqa: D417 - the shared options describe themselves
    to: str, code: str, /, *, url: Url = None, as_json: AsJson = False
) -> ExitCode:
    """Check the code that a person typed; exit code 1 if it is not the right one.

    Args:
        to: Phone number as people write it.
        code: The code; - reads it from stdin, which no list of processes shows.
    """
    typed = text_from(code)
    async with open_client(url) as client:
        check = await OTP.of(client.provider).verify(to, typed)
    if as_json:
        emit({"verified": check.verified, "message": check.message})
    else:
        words = "verified" if check.verified else "not verified"
        echo(f"{words}: {plain(check.message)}" if check.message else words)
    return ExitCode.OK if check.verified else ExitCode.UNEXPECTED


@otp.command(name="list")
async def list_codes(*, show: Show = False, url: Url = None, as_json: AsJson = False) -> ExitCode:
    """List the codes of the account."""
    async with open_client(url) as client:
        gateway = OTP.holder(client.provider)
        clock = clock_of_gateway(gateway)
        tickets = await OTP.of(gateway).list()
    if as_json:
        emit([_data(ticket, show=show) for ticket in tickets])
    elif tickets:
        say_table(_LISTED, [_cells(ticket, clock, show=show) for ticket in tickets])
        if not show:
            echo("Codes are hidden; --show prints them")
    else:
        echo("no codes")
    return ExitCode.OK


def _data(ticket: OtpTicket, *, show: bool) -> dict[str, Any]:
    return {
        "phone_number": ticket.phone_number,
        "code": ticket.code if show else MASK,
        "shown": show,
        "expires_at": _iso(ticket.expires_at),
        "confirmed": ticket.confirmed,
    }


def _cells(ticket: OtpTicket, clock: WallClock, *, show: bool) -> tuple[str, ...]:
    code = plain(ticket.code) if show else MASK
    return plain(ticket.phone_number), code, _until(ticket, clock)


def _until(ticket: OtpTicket, clock: WallClock) -> str:
    return "?" if ticket.expires_at is None else shown(ticket.expires_at, clock)


def _iso(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat()
