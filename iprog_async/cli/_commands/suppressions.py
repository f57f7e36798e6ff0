"""`iprog-async suppressions`: its commands are functions of this module."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from cyclopts import App, Parameter

from iprog_async._core.errors import InvalidMessageError
from iprog_async._suppressions.entries import Suppression
from iprog_async._suppressions.suppressions import Suppressions
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.shared import AsJson, text_of_file
from iprog_async.cli._terminal.output import echo, emit
from iprog_async.cli._terminal.secret_file import SecretFile


suppressions = App(
    name="suppressions", help="Change, show or copy a list of numbers that must not be texted."
)

_Region = Annotated[
    str | None,
    Parameter(
        name="--region",
        show_default=False,
        help="Region of numbers without a country code, such as PH.",
    ),
]
_Why = Annotated[str, Parameter(name="--why", help="Why, for whoever reads the list.")]


@suppressions.command
async def add(  # noqa: D417 - the shared options describe themselves
    file: str, number: str, /, *, why: _Why = "", region: _Region = None, as_json: AsJson = False
) -> ExitCode:
    """Put a number on a list, so that nobody who obeys the list texts it.

    Args:
        file: The list: a file, made if it is not there, or the postgresql:// address of a journal.
        number: The number, as people write it.
    """
    async with _opened(file, region, create=True) as opened:
        e164 = opened.read_number(number)
        is_new = await opened.add(e164, why=why)
    _say(e164, "added" if is_new else "known", as_json=as_json)
    return ExitCode.OK


@suppressions.command
async def remove(  # noqa: D417 - the shared options describe themselves
    file: str, number: str, /, *, why: _Why = "", region: _Region = None, as_json: AsJson = False
) -> ExitCode:
    """Take a number off a list: it may be texted again.

    Args:
        file: The list: a file, or the postgresql:// address of a journal.
        number: The number, as people write it.
    """
    async with _opened(file, region) as opened:
        e164 = opened.read_number(number)
        was_on = await opened.remove(e164, why=why)
    _say(e164, "removed" if was_on else "unknown", as_json=as_json)
    return ExitCode.OK


@suppressions.command(name="list")
async def list_(  # noqa: D417 - the shared options describe themselves
    file: str,
    /,
    *,
    changes: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    region: _Region = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Show the numbers of a list, since when and why each is on it.

    Args:
        file: The list: a file, or the postgresql:// address of a journal.
        changes: Show what was put on it and taken off it instead, with the time.
    """
    async with _opened(file, region) as opened:
        rows = [row async for row in (_changes(opened) if changes else _entries(opened))]
    if as_json:
        emit(rows)
    else:
        echo(*("  ".join(str(cell) for cell in row.values() if cell) for row in rows))
    return ExitCode.OK


@suppressions.command
async def export(  # noqa: D417 - the shared options describe themselves
    file: str,
    /,
    *,
    output: Annotated[str | None, Parameter(name=["--output", "-o"])] = None,
    region: _Region = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Write a list, a number a line with time and reason behind a #; import reads it.

    Args:
        file: The list: a file, or the postgresql:// address of a journal.
        output: A new file to write to, instead of stdout.
    """
    if as_json and output is None:
        raise InvalidMessageError("--json tells about the export: say with --output where it goes")
    lines = io.StringIO()
    async with _opened(file, region) as opened:
        count = await opened.export(lines)
    if output is None:
        sys.stdout.write(lines.getvalue())
        return ExitCode.OK
    with SecretFile(output) as kept:
        kept.write(lines.getvalue().removesuffix("\n"))
    if kept.problem:
        raise InvalidMessageError(f"--output: {kept.problem}")
    if as_json:
        emit({"numbers": count, "output": output})
    else:
        echo(f"wrote {_numbers(count)} to {output}")
    return ExitCode.OK


@suppressions.command(name="import")
async def import_(  # noqa: D417 - the shared options describe themselves
    file: str,
    source: str,
    /,
    *,
    why: _Why = "",
    region: _Region = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Put the numbers of a file on a list: all of them, or none if a line is no number.

    Args:
        file: The list: a file, made if it is not there, or the postgresql:// address of a journal.
        source: A file with a number a line, and comments behind a #; - reads stdin.
    """
    lines = text_of_file(source).splitlines()
    async with _opened(file, region, create=True) as opened:
        done = await opened.import_lines(lines, why=why)
    if as_json:
        emit({"added": done.added, "known": done.known})
    else:
        echo(f"added {done.added} of {_numbers(done.added + done.known)}")
    return ExitCode.OK


@asynccontextmanager
async def _opened(
    file: str, region: str | None, *, create: bool = False
) -> AsyncGenerator[Suppressions]:
    # A large file of lines takes a moment.
    with await asyncio.to_thread(Suppressions.open, file, region=region, create=create) as opened:
        yield opened


async def _entries(opened: Suppressions) -> AsyncGenerator[dict[str, Any]]:
    async for entry in opened.list():
        yield {"number": entry.number, "since": _time_of(entry), "why": entry.why}


async def _changes(opened: Suppressions) -> AsyncGenerator[dict[str, Any]]:
    async for each in opened.changes():
        at = None if each.at is None else each.at.isoformat(timespec="seconds")
        yield {"at": at, "change": each.change, "number": each.number, "why": each.why}


def _time_of(entry: Suppression) -> str | None:
    return None if entry.since is None else entry.since.isoformat(timespec="seconds")


def _numbers(count: int) -> str:
    return "1 number" if count == 1 else f"{count} numbers"


_WORDS = {
    "added": "added",
    "known": "on the list already, and stays as it is",
    "removed": "removed",
    "unknown": "not on the list",
}


def _say(number: str, became: str, *, as_json: bool) -> None:
    if as_json:
        emit({"number": number, "changed": became in ("added", "removed")})
    else:
        echo(f"{number}: {_WORDS[became]}")
