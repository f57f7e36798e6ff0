"""`iprog-async status`."""

from __future__ import annotations

from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.shared import AsJson, Timeout, Url, Wait, open_client
from iprog_async.cli._terminal import show
from iprog_async.cli._terminal.output import echo, emit


async def status(  # noqa: D417 - the shared options describe themselves
    ref: str,
    /,
    *,
    wait: Wait = False,
    timeout: Timeout = 60.0,
    url: Url = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Show how far an accepted text has come; exit code 1 if its delivery failed.

    Args:
        ref: The reference that send printed, such as iprog:iSms-2Gf.
    """
    async with open_client(url) as client:
        if wait:
            found = await client.wait(ref, timeout=timeout)
        else:
            found = await client.status(ref)
    if as_json:
        emit({"ref": ref, **show.status_data(found)})
    else:
        echo(show.status_words(found))
    return show.status_code(found)
