from __future__ import annotations

from importlib import metadata
from typing import Any

import httpx
import pytest
from support.engines.wire import BOTH, OK, EngineName, client_of, outcome

from iprog_async import ConfigurationError, HttpPool
from iprog_async._engines.user_agent import default_user_agent
from iprog_async.testing import RawGateway


pytest.importorskip("httptools")


async def agents(engine: EngineName | None, **settings: Any) -> list[str | None]:
    """Return what two requests of a client call the program that asks."""
    async with (
        RawGateway(OK) as gateway,
        client_of(gateway.base_url, engine, **settings) as client,
    ):
        for _ in range(2):
            await outcome(client)
        return [request.headers.get("user-agent") for request in gateway.requests]


@pytest.mark.parametrize("engine", BOTH)
async def test_every_request_says_who_asks(engine: EngineName) -> None:
    """Walls in front of gateways answer 403 to a request that does not."""
    expected = f"iprog-async/{metadata.version('iprog-async')}"

    assert [expected] * 2 == await agents(engine)


@pytest.mark.parametrize("engine", BOTH)
async def test_the_name_can_be_set(engine: EngineName) -> None:
    """On a client with connections of its own, or on the pool."""
    assert ["shop/1.2 (ops@shop.example)"] * 2 == await agents(
        engine, user_agent="shop/1.2 (ops@shop.example)"
    )
    async with HttpPool(engine=engine, user_agent="pool/1") as pool:
        assert ["pool/1"] * 2 == await agents(None, pool=pool)


@pytest.mark.parametrize(
    ("own", "given", "expected"),
    [
        ({}, None, default_user_agent()),
        ({"User-Agent": "theirs/3"}, None, "theirs/3"),
        ({"User-Agent": "theirs/3"}, "shop/1", "shop/1"),
    ],
)
async def test_a_client_of_the_users_own_may_have_a_name(
    own: dict[str, str], given: str | None, expected: str
) -> None:
    """Its own goes before ours, and what is said to us before both; httpx's own says nothing."""
    async with httpx.AsyncClient(headers=own) as http:
        assert [expected] * 2 == await agents(None, http=http, user_agent=given)


@pytest.mark.parametrize("wrong", ["", " ", "a\nb", "käse/1", 7])
def test_name_that_no_header_can_carry_is_refused(wrong: Any) -> None:
    """It is found out as the client is made."""
    with pytest.raises(ConfigurationError, match="user_agent="):
        HttpPool(user_agent=wrong)


def test_name_belongs_to_a_pool_that_is_shared() -> None:
    """Two clients of one pool can't give it two names."""
    with pytest.raises(ConfigurationError, match="user_agent= belong to the pool"):
        client_of("https://sms.example.test", None, pool=HttpPool(), user_agent="shop/1")


def test_without_an_installation_there_is_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source folder still says its name."""

    def unknown(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "version", unknown)
    assert "iprog-async" == default_user_agent.__wrapped__()
