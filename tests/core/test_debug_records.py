from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import httpx
import pytest

from iprog_async import HttpPool, SmsClient, SmsError
from iprog_async.testing import RawGateway, Reply
from iprog_async.testing._contract.secret_finder import leaks, trapped_logs
from iprog_async_providers import UgsmsV1Provider


TOKEN, NUMBER, TEXT = "t0k/en+S3cr=et", "0701234567", "Your parcel: 3 boxes & more"


@asynccontextmanager
async def own_client() -> AsyncGenerator[HttpPool]:
    """Open a pool over a client of the application: that one logs every address."""
    async with httpx.AsyncClient(trust_env=False) as http, HttpPool(http=http) as pool:
        yield pool


@pytest.mark.parametrize("open_pool", [HttpPool, partial(HttpPool, engine="asyncio"), own_client])
async def test_a_query_is_in_no_debug_record(
    open_pool: Callable[[], AbstractAsyncContextManager[HttpPool]],
) -> None:
    """Where all of a send is in the address, and asyncio tells of every step of the loop."""
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0
    with trapped_logs() as trap:
        async with RawGateway(Reply(500)) as gateway, open_pool() as pool:
            provider = UgsmsV1Provider(
                "shop", TOKEN, credentials_in="query", base_url=gateway.base_url
            )
            with pytest.raises(SmsError):
                await SmsClient(provider, pool=pool).send(NUMBER, TEXT)
            query = gateway.requests[0].target

    assert leaks([query], [NUMBER, TEXT, TOKEN]) == [query]
    assert any("took" in text for text in trap.shown)
    assert leaks(trap.shown, [NUMBER, "+256701234567", TEXT, TOKEN]) == []


@pytest.mark.parametrize("open_pool", [HttpPool, partial(HttpPool, engine="asyncio"), own_client])
async def test_what_an_answer_says_of_a_credential_is_in_no_debug_record(
    open_pool: Callable[[], AbstractAsyncContextManager[HttpPool]],
) -> None:
    """A gateway may repeat anything in its header fields, and httpcore tells of each."""
    token = "t0ken0f8characters0rm0re"
    with trapped_logs() as trap:
        async with RawGateway(Reply(500, headers={"X-Key": token})) as gateway, open_pool() as pool:
            provider = UgsmsV1Provider("shop", token, base_url=gateway.base_url)
            with pytest.raises(SmsError):
                await SmsClient(provider, pool=pool).send(NUMBER, TEXT)

    assert leaks(trap.shown, [token]) == []
