"""Single sends to a local gateway, 100 in flight: the SDK against the loop a user would write."""

from __future__ import annotations

import argparse
import asyncio

import httpx

from benchmarks._measure import Figure, fan_out, gateway, machine, race
from iprog_async import SmsClient
from iprog_async_providers import IprogProvider


CONCURRENCY = 100


async def measure(messages: int, rounds: int) -> dict[str, Figure]:
    """Return CPU time per message and rate of each contender."""
    with gateway() as base_url:
        url = f"{base_url}/api/v1/sms_messages"
        provider = IprogProvider("benchmark-token", base_url=base_url)
        # Without its pool timeout, which would fail most of a hundred requests at once.
        timeout = httpx.Timeout(60, pool=None)
        async with (
            SmsClient(provider, max_connections=CONCURRENCY) as sms,
            httpx.AsyncClient(timeout=timeout) as bare,
        ):

            async def sdk(count: int) -> None:
                await fan_out(
                    lambda number: sms.send(f"0917{number:07d}", "Hello"), count, CONCURRENCY
                )

            async def loop_on_httpx(count: int) -> None:
                async def send(number: int) -> None:
                    body = {
                        "api_token": "benchmark-token",
                        "phone_number": f"63917{number:07d}",
                        "message": "Hello",
                    }
                    answer = (await bare.post(url, json=body)).json()
                    assert answer["status"] == 200

                await fan_out(send, count, CONCURRENCY)

            return await race(
                {"iprog-async": sdk, "bare httpx": loop_on_httpx}, messages=messages, rounds=rounds
            )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1000, help="messages a round")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    figures = asyncio.run(measure(arguments.messages, arguments.rounds))
    bare = figures["bare httpx"].cpu_us
    print(machine())
    for name, figure in figures.items():
        print(
            f"{name:14} {figure.cpu_us:7.0f} us CPU a message   {figure.rate:6.0f} messages/s   "
            f"{bare / figure.cpu_us:5.1f} x less CPU than bare httpx"
        )


if __name__ == "__main__":
    main()
