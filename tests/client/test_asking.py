"""Asking for a status, waiting for a final one, and asking for the balance."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.core.fakes import FakeProvider, TellingProvider

from iprog_async import (
    Balance,
    ConfigurationError,
    DeliveryState,
    DeliveryStatus,
    HttpPool,
    InvalidMessageError,
    Receipt,
    SmsClient,
    UnsupportedError,
    WaitTimeoutError,
)
from iprog_async._providers import registry
from iprog_async.testing import InstantClock


PENDING: list[DeliveryState] = ["pending"] * 9
RECEIPT = Receipt("fake", "id-0", "639171234567", 1)


def telling(*states: DeliveryState) -> tuple[SmsClient[TellingProvider], InstantClock]:
    """Return a client of a provider that tells these statuses, the last one for ever."""
    clock = InstantClock()
    provider = TellingProvider(states=list(states))
    return SmsClient(provider, pool=HttpPool(clock=clock)), clock


async def test_wait_asks_less_and_less_often_until_the_status_is_final() -> None:
    """The interval grows by half each time, up to a quarter of a minute."""
    client, clock = telling(*PENDING, "sent", "delivered")

    status = await client.wait(RECEIPT, timeout=600, interval=1)

    assert DeliveryStatus("delivered", "DELIVERED") == status
    assert [1, 1.5, 2.25, 3.375] == clock.sleeps[:4]
    assert 15 == clock.sleeps[-1] == max(clock.sleeps)


async def test_wait_keeps_to_a_long_interval() -> None:
    """Whoever asks once a minute is not made to ask more often."""
    client, clock = telling(*PENDING, "delivered")

    await client.wait(RECEIPT, timeout=6000, interval=60)

    assert {60} == set(clock.sleeps)


async def test_wait_gives_up_in_time_and_keeps_what_it_saw() -> None:
    """The error holds the receipt and the last status, and says not to send again."""
    client, clock = telling("pending")

    with pytest.raises(WaitTimeoutError, match="do not send it again") as caught:
        await client.wait("fake:id-0", timeout=10)

    assert DeliveryStatus("pending", "PENDING") == caught.value.last_status
    assert "fake:id-0" == caught.value.receipt
    assert 10 == clock.monotonic()


async def test_wait_asks_nothing_about_a_final_receipt() -> None:
    """What was final at acceptance stays so."""
    client, clock = telling("pending")
    receipt = Receipt("fake", "1", "x", 1, status=DeliveryStatus("failed", "Rejected"))

    assert receipt.status == await client.wait(receipt)
    assert [] == clock.sleeps


async def test_wait_without_any_answer_says_so() -> None:
    """A gateway that does not answer in time leaves no last status."""

    class Silent(TellingProvider):
        async def status(self, message_id: str, /) -> DeliveryStatus:
            await asyncio.Event().wait()
            raise AssertionError

    async with SmsClient(Silent(states=[])) as client:
        with pytest.raises(WaitTimeoutError, match="no status was seen") as caught:
            await client.wait(RECEIPT, timeout=0.001)

    assert caught.value.last_status is None


@pytest.mark.parametrize("interval", [0, -1, float("nan")])
async def test_wait_never_asks_in_a_busy_loop(interval: float) -> None:
    """An interval must be more than zero."""
    client, _ = telling("pending")

    with pytest.raises(ConfigurationError, match="interval"):
        await client.wait(RECEIPT, interval=interval)


async def test_status_of_another_providers_receipt_is_refused() -> None:
    """Ids of one gateway mean nothing to another."""
    client, _ = telling("pending")

    with pytest.raises(InvalidMessageError, match=r"'iprog'.*'fake'"):
        await client.status("iprog:iSms-1")


async def test_balance_is_the_providers() -> None:
    """A provider that tells a balance is asked for it."""
    client, _ = telling("pending")

    assert Balance(None, text="Unlimited") == await client.balance()


@pytest.mark.parametrize("operation", ["status", "wait", "balance"])
async def test_what_a_provider_lacks_is_unsupported(operation: str) -> None:
    """The error names the provider and those that can."""
    client: Any = SmsClient(FakeProvider())
    arguments = () if operation == "balance" else (RECEIPT,)

    with pytest.raises(UnsupportedError, match=r"fake has no (status|balance).*iprog"):
        await getattr(client, operation)(*arguments)


async def test_broken_plug_in_does_not_hide_what_is_unsupported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody else's broken adapter is another story."""

    def broken(name: str) -> None:
        raise ConfigurationError(name)

    monkeypatch.setattr(registry, "provider_type", broken)
    client: Any = SmsClient(FakeProvider())

    with pytest.raises(UnsupportedError, match="none"):
        await client.balance()
