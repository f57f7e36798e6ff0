"""Two gateways, the first one dead: `python examples/failover.py` shows which took the text.

The second one is played by the sandbox, so nobody is texted.
"""

from __future__ import annotations

import asyncio

from iprog_async import Failover, SmsClient, provider_from_url
from iprog_async.sandbox import Sandbox
from iprog_async_providers import IprogProvider


# Nothing listens there. Each text tries it first, until it failed a few times in a row.
DEAD = IprogProvider("a-token", base_url="http://127.0.0.1:9")


async def main() -> None:
    """Send a text, and ask the gateway that took it whether it was delivered."""
    async with Sandbox(delivered_after=0) as sandbox:
        alive = provider_from_url(sandbox.address("infopromo"))
        async with SmsClient(Failover(DEAD, alive, region="PH")) as sms:
            receipt = await sms.send("0917 123 4567", "The pump has stopped.")
            status = await sms.wait(receipt)
            print(f"{receipt.provider} took it: {status.state}")


if __name__ == "__main__":
    asyncio.run(main())
