"""`iprog-async balance`."""

from __future__ import annotations

from iprog_async.cli import _show
from iprog_async.cli._exit import ExitCode
from iprog_async.cli._input import AsJson, Url, open_client
from iprog_async.cli._output import emit, say


async def balance(*, url: Url = None, as_json: AsJson = False) -> ExitCode:
    """Show what is left on the account."""
    async with open_client(url) as client:
        found = await client.balance()
        name = client.provider.name
    if as_json:
        emit(_show.balance_data(name, found))
    else:
        say(f"{name}: {_show.balance_words(found)}")
    return ExitCode.OK
