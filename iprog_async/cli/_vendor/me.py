"""`iprog-async me`."""

from __future__ import annotations

from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.shared import AsJson, Url, open_client
from iprog_async.cli._terminal.output import echo, emit
from iprog_async.cli._terminal.plain import plain
from iprog_async.cli._vendor.operations import ME


async def me(*, url: Url = None, as_json: AsJson = False) -> ExitCode:
    """Show the account's record, with its secrets masked."""
    async with open_client(url) as client:
        record = dict(await ME.of(client.provider)())
    if as_json:
        emit(record)
    else:
        echo(*(f"{plain(name)}: {plain(value)}" for name, value in record.items()))
    return ExitCode.OK
