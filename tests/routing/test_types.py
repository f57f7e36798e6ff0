"""What type checkers see; the functions are checked and never run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_type

from iprog_async import (
    Balance,
    DeliveryStatus,
    Failover,
    HttpPool,
    Receipt,
    RoundRobin,
    Routed,
    SmsClient,
    SmsProvider,
    SupportsBalance,
    SupportsBalances,
    SupportsStatus,
)
from iprog_async_providers import IprogProvider, UgsmsV1Provider


async def use_router(client: SmsClient[Failover]) -> None:
    """Call what several gateways can do together."""
    assert_type(await client.send("+639171234567", "Hi"), Receipt)
    assert_type(await client.status("iprog:1"), DeliveryStatus)
    assert_type(await client.wait("iprog:1"), DeliveryStatus)
    assert_type(await client.balance(), dict[str, Balance])
    assert_type(client.provider.members, Mapping[str, Any])


async def use_one(client: SmsClient[IprogProvider]) -> None:
    """See no change with one gateway."""
    assert_type(await client.balance(), Balance)


def build() -> None:
    """Routers take providers of any kind, routers too."""
    pool = HttpPool()
    a, b = IprogProvider("t"), UgsmsV1Provider("user", "pass")
    inner = RoundRobin(a, b, weights=[2, 1], name="inner")
    routed = Routed(lambda number: ("inner",), inner, region="PH")
    assert_type(SmsClient(Failover(a, b), pool=pool), SmsClient[Failover])
    assert_type(SmsClient(routed, pool=pool), SmsClient[Routed])


def one(provider: SupportsBalance) -> None:
    """Take a provider with one account."""


def many(provider: SupportsBalances) -> None:
    """Take a provider with several."""


def asks(provider: SupportsStatus) -> None:
    """Take a provider that tells a status."""


def protocols(a: Failover, b: IprogProvider) -> None:
    """Routers are providers, and what they tell is told apart."""
    one(b)
    many(a)
    asks(a)
    one(a)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a router's balance is one for each account
    many(b)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - one account has one balance


def test_routers_are_providers() -> None:
    """The runtime checks agree with the static ones."""
    router = Failover(IprogProvider("t"))
    provider: SmsProvider = router

    assert isinstance(provider, SupportsStatus)
    assert isinstance(provider, SupportsBalance)
