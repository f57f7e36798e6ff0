"""`iprog-async code`: its commands are functions of this module."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from cyclopts import App, Parameter

from iprog_async._client.client import SmsClient
from iprog_async._client.from_config import provider_from_env, provider_from_url
from iprog_async._journal.journal import Journal
from iprog_async.cli._base.command_table import COMMANDS
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.shared import AsJson, Url, text_from
from iprog_async.cli._terminal.output import echo, emit
from iprog_async.cli._terminal.plain import plain
from iprog_async.codes import Codes


_TEXT = "{code} is your code. It is valid for {minutes} minutes."

JournalOption = Annotated[
    str,
    Parameter(
        name="--journal",
        help="What keeps the code beside it until it is checked: a file, or a postgresql:// "
        "address. It is made where it is not there yet.",
    ),
]
Purpose = Annotated[
    str, Parameter(name="--purpose", help="What the code is for; it is valid for nothing else.")
]

code = App(name="code", help=COMMANDS["code"].help)


@code.command
async def send(  # noqa: D417 - the shared options describe themselves
    to: str,
    /,
    *,
    journal: JournalOption,
    text: str = _TEXT,
    purpose: Purpose = "login",
    url: Url = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Text a number its next code, through whichever gateway.

    Args:
        to: Phone number as people write it.
        text: What the phone shows, with {code} where the code goes.
    """
    async with _open(url, journal) as sms, Codes(sms, text=text) as codes:
        sent = await codes.send(to, purpose=purpose)
    if as_json:
        emit(
            {
                "to": sent.to,
                "purpose": sent.purpose,
                "expires_at": sent.expires_at.isoformat(),
                "ref": None if sent.receipt is None else sent.receipt.ref,
                "unknown": None if sent.unknown is None else str(sent.unknown),
            }
        )
    elif sent.unknown is None:
        echo(f"Sent a code to {plain(sent.to)}")
    else:
        echo(
            f"A code may have been sent to {plain(sent.to)}: {plain(str(sent.unknown))}",
            "If it arrives, it is the right one; ask for another when a minute is over",
        )
    return ExitCode.OK if sent.unknown is None else ExitCode.UNKNOWN


@code.command
async def verify(  # noqa: D417 - the shared options describe themselves
    to: str,
    typed: str,
    /,
    *,
    journal: JournalOption,
    purpose: Purpose = "login",
    url: Url = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Check the code that a person typed; exit code 1 if it is not the right one.

    Args:
        to: Phone number as people write it.
        typed: The code; - reads it from stdin, which no list of processes shows.
    """
    async with _open(url, journal) as sms, Codes(sms) as codes:
        check = await codes.verify(to, text_from(typed), purpose=purpose)
    if as_json:
        emit(
            {
                "verified": check.verified,
                "reason": check.reason,
                "tries_left": check.tries_left,
            }
        )
    else:
        echo("verified" if check else f"not verified: {check.reason}")
    return ExitCode.OK if check.verified else ExitCode.UNEXPECTED


@asynccontextmanager
async def _open(url: str | None, place: str) -> AsyncGenerator[SmsClient[Any]]:
    """Open the client of `--url`, or else of the environment, on a journal."""
    provider = provider_from_env() if url is None else provider_from_url(url)
    with await asyncio.to_thread(Journal.open, place, campaign=None) as journal:
        async with SmsClient(provider, journal=journal) as sms:
            yield sms
