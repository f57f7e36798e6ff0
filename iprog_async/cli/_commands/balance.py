"""`iprog-async balance`."""

from __future__ import annotations

from iprog_async._core.receipts import Balance
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.shared import AsJson, Url, open_client
from iprog_async.cli._terminal import show
from iprog_async.cli._terminal.output import echo, emit


async def balance(*, url: Url = None, as_json: AsJson = False) -> ExitCode:
    """Show what is left on the account."""
    async with open_client(url) as client:
        found = await client.balance()
        told = show.balances_of(client.provider.name, found)
        accounts = {name: told.get(name) for name in show.members_of(client.provider)}
    if as_json:
        data = [show.balance_data(*one) for one in accounts.items()]
        emit(data[0] if isinstance(found, Balance) else data)
    else:
        echo(*(f"{account}: {_words(left)}" for account, left in accounts.items()))
    return ExitCode.OK


def _words(left: Balance | None) -> str:
    # Of several gateways, one that can't say is no reason to hide what the others said.
    return "not told" if left is None else show.balance_words(left)
