"""`iprog-async journal init` and `migrate`: the tables of a journal in PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import Annotated

from cyclopts import Parameter

from iprog_async._core.errors import InvalidMessageError
from iprog_async._journal.places import shown
from iprog_async._journal.postgres.address import PostgresAddress, is_address
from iprog_async._journal.postgres.migrations import done_in, printed
from iprog_async._journal.postgres.migrations import migrate as bring_up_to_date
from iprog_async._journal.postgres.schema import grants
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.shared import AsJson
from iprog_async.cli._terminal.output import echo, emit


_Print = Annotated[bool, Parameter(name="--print", negative="", show_default=False)]


async def init(  # noqa: D417 - the shared options describe themselves
    address: str,
    /,
    *,
    print_sql: _Print = False,
    grant: str | None = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Make the tables of a journal in a PostgreSQL database; twice is fine.

    Args:
        address: The database, such as "postgresql://user@host/database?schema=iprog_async". Leave
            the password to PGPASSWORD or ~/.pgpass: others see what a command line has.
        print_sql: Print the SQL, for somebody who may run it, and connect to nothing.
        grant: A role that gets the right to send with this journal, and no other right.
    """
    parsed = _parsed(address)
    if print_sql:
        echo(printed(parsed.schema) + _grants(parsed, grant))
        return ExitCode.OK
    return await _migrate(parsed, grant, as_json=as_json)


async def migrate(  # noqa: D417 - the shared options describe themselves
    address: str,
    /,
    *,
    print_sql: _Print = False,
    grant: str | None = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Bring the tables of a journal up to date after an update; texts may be sent meanwhile.

    Args:
        address: The database, as for init.
        print_sql: Print the SQL that is missing, for somebody who may run it, and change nothing.
        grant: A role that gets the right to send with this journal, and no other right.
    """
    parsed = _parsed(address)
    if print_sql:
        done = await asyncio.to_thread(done_in, parsed)
        echo(printed(parsed.schema, after=done) + _grants(parsed, grant))
        return ExitCode.OK
    return await _migrate(parsed, grant, as_json=as_json)


async def _migrate(address: PostgresAddress, grant: str | None, *, as_json: bool) -> ExitCode:
    done = await asyncio.to_thread(bring_up_to_date, address, grants_to=grant)
    if as_json:
        emit({"journal": address.shown, "version": done.version, "steps": done.steps})
    else:
        was = "brought up to date" if done.steps else "is up to date"
        echo(f"{address.shown} {was}: schema {address.schema}, version {done.version}")
    return ExitCode.OK


def _grants(address: PostgresAddress, role: str | None) -> str:
    return "" if role is None else grants(address.schema, role)


def _parsed(address: str) -> PostgresAddress:
    if not is_address(address):
        raise InvalidMessageError(
            f"'{shown(address)}' is no postgresql:// address: a file is made by the first run that "
            "has it as its --journal"
        )
    return PostgresAddress.parse(address)
