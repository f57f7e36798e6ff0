from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import httpx
import pytest
from attrs import evolve
from support.contract.iprog import IPROG

from iprog_async import HttpPool
from iprog_async.testing import ProviderContract


# Loading the system's certificates takes longer than most claims.
_VERIFY = ssl.create_default_context()

# The engine does not see where a token travels.
ONE_WAY = evolve(IPROG, variants={})


@asynccontextmanager
async def pool_over_own_client(**settings: Any) -> AsyncGenerator[HttpPool]:
    """Open a pool over an `httpx.AsyncClient` that the application brings."""
    async with (
        httpx.AsyncClient(verify=_VERIFY) as http,
        HttpPool(http=http, **settings) as pool,
    ):
        yield pool


class TestOwnClient(ProviderContract):
    """The contract, over an HTTP client that the application brings."""

    case = ONE_WAY
    open_pool = staticmethod(pool_over_own_client)


class TestAsyncioEngine(ProviderContract):
    """The contract, over the fast engine."""

    case = ONE_WAY
    open_pool = partial(HttpPool, engine="asyncio")

    @pytest.fixture(autouse=True)
    def _needs_its_parser(self) -> None:
        pytest.importorskip("httptools")
