"""`iprog-async detect`."""

from __future__ import annotations

from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.shared import AsJson, Url, open_client
from iprog_async.cli._terminal.output import echo, emit
from iprog_async.cli._terminal.plain import plain
from iprog_async.cli._vendor.operations import DETECT


async def detect(number: str, /, *, url: Url = None, as_json: AsJson = False) -> ExitCode:  # noqa: D417 - the shared options describe themselves
    """Show which mobile network a number belongs to.

    Args:
        number: Phone number as people write it.
    """
    async with open_client(url) as client:
        found = await DETECT.of(client.provider)(number)
    if as_json:
        emit({"number": number, "network": found.network, "is_smart_tnt": found.is_smart_tnt})
    else:
        shared = " (refuses shared sender names)" if found.is_smart_tnt else ""
        echo(f"{number}: {plain(found.network)}{shared}")
    return ExitCode.OK
