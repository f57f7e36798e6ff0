from __future__ import annotations

import asyncio

import pytest
from support.engines.wire import BOTH, EngineName
from support.ugsms.wire import API_KEY, sent_answer

from iprog_async import HttpPool, Message, Rate, SmsClient
from iprog_async.testing import RawGateway, RawRequest, Reply
from iprog_async_providers.ugsms import UgsmsV1Provider, UgsmsV2Provider


pytest.importorskip("httptools")

RATE = Rate(5, 0.5)


def fullest_window(arrivals: list[float], per: float) -> int:
    """Return the most arrivals that any window of this length holds."""
    return max(sum(first <= each < first + per for each in arrivals) for first in arrivals)


class Arrivals:
    """A gateway's own clock: when each request came."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def __call__(self, _: RawRequest) -> Reply:
        """Accept a text."""
        self.times.append(asyncio.get_running_loop().time())
        answer = sent_answer(1)
        return Reply(200, answer.content, {"Content-Type": "application/json"})


@pytest.mark.slow
@pytest.mark.parametrize("engine", BOTH)
async def test_no_window_of_the_gateway_holds_more_than_the_rate(engine: EngineName) -> None:
    """Three windows' worth of UGSMS texts at once: by the server's clock the limit is exact."""
    arrivals = Arrivals()
    async with RawGateway(arrivals) as gateway:
        provider = UgsmsV2Provider(API_KEY, base_url=gateway.base_url, rate=RATE)
        async with SmsClient(provider, engine=engine) as client:
            await asyncio.gather(*(client.send("0701234567", f"Hi {n}") for n in range(13)))

    assert (13, 5) == (len(arrivals.times), fullest_window(arrivals.times, RATE.per))
    # Exact, and no slower than it has to be.
    assert arrivals.times[-1] - arrivals.times[0] < 4 * RATE.per


@pytest.mark.slow
async def test_clients_of_one_account_share_the_window() -> None:
    """A run and single texts, over two clients of one pool: the account has one limit."""
    arrivals = Arrivals()
    async with RawGateway(arrivals) as gateway, HttpPool(engine="asyncio") as pool:
        clients = [
            SmsClient(
                UgsmsV2Provider(API_KEY, base_url=gateway.base_url, rate=rate, max_batch=1),
                pool=pool,
            )
            for rate in (RATE, Rate(100, 0.5))
        ]
        messages = [Message("0701234567", f"Hi {n}") for n in range(5)]
        async with clients[1].send_many(messages) as run:
            await asyncio.gather(
                run.drain(), *(clients[0].send("0701234568", f"Ho {n}") for n in range(4))
            )

    assert 9 == len(arrivals.times)
    assert 5 >= fullest_window(arrivals.times, RATE.per)


def test_window_of_ugsms_is_the_documented_one() -> None:
    """60 requests in any 60 seconds, unless the user says otherwise."""
    providers = UgsmsV1Provider("user", "password"), UgsmsV2Provider(API_KEY)

    assert [Rate(60, 60.0)] * 2 == [provider.gateway.rate for provider in providers]
