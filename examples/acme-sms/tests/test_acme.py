"""Acme as an app meets it: by its name, against the local sandbox."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from acme_sms import AcmeProvider
from iprog_async import (
    Balance,
    InsufficientCreditError,
    NotFoundError,
    ProviderError,
    RejectedError,
    SmsClient,
    UnsupportedError,
    provider_from_env,
    provider_from_url,
)
from iprog_async.sandbox import BLOCKED_WORD, FAILS_DELIVERY, REFUSED_RECIPIENT, Sandbox


NUMBER = "0917 123 4567"


def client(sandbox: Sandbox) -> SmsClient[AcmeProvider]:
    """Return a client of the sandbox's Acme."""
    return SmsClient.from_url(sandbox.address("acme"))


def test_a_text_is_sent_and_delivered(sms_sandbox: Sandbox) -> None:
    """Number and sender arrive as Acme takes them, and the receipt leads to the status."""

    async def main() -> tuple[str, Balance]:
        async with client(sms_sandbox) as sms:
            receipt = await sms.send(NUMBER, "Hello", sender_id="SHOP")
            return (await sms.wait(receipt)).state, await sms.balance()

    state, balance = asyncio.run(main())

    assert state == "delivered"
    assert (balance.amount, balance.unit) == (Decimal(999), "PHP")
    assert [(text.to, text.text, text.sender_id) for text in sms_sandbox.inbox] == [
        ("639171234567", "Hello", "SHOP")
    ]


def test_a_text_can_fail_to_be_delivered(sms_sandbox: Sandbox) -> None:
    """Accepted is one thing, delivered another."""

    async def main() -> str:
        async with client(sms_sandbox) as sms:
            return (await sms.wait(await sms.send(f"+63917123{FAILS_DELIVERY}", "Hello"))).state

    assert asyncio.run(main()) == "failed"


@pytest.mark.parametrize(
    ("number", "text", "credit", "error"),
    [
        (f"+63917123{REFUSED_RECIPIENT}", "Hello", 1, RejectedError),
        (NUMBER, f"Come to the {BLOCKED_WORD}", 1, RejectedError),
        (NUMBER, "Hello", 0, InsufficientCreditError),
    ],
)
def test_refusals_are_certain(
    sms_sandbox: Sandbox, number: str, text: str, credit: int, error: type[ProviderError]
) -> None:
    """Each row of the table is met, and nothing was sent."""
    sms_sandbox.set_credit("acme", credit)

    async def main() -> None:
        async with client(sms_sandbox) as sms:
            await sms.send(number, text)

    with pytest.raises(error):
        asyncio.run(main())
    assert sms_sandbox.inbox == []


def test_status_of_a_stranger(sms_sandbox: Sandbox) -> None:
    """A text that Acme does not know is not found."""

    async def main() -> None:
        async with client(sms_sandbox) as sms:
            await sms.status("acme:1")

    with pytest.raises(NotFoundError):
        asyncio.run(main())


def test_nothing_is_scheduled() -> None:
    """A text for later is refused, instead of being sent at once."""

    async def main() -> None:
        async with SmsClient(AcmeProvider("key")) as sms:
            await sms.send(NUMBER, "Hello", schedule_at=datetime(2030, 1, 1, tzinfo=UTC))

    with pytest.raises(UnsupportedError):
        asyncio.run(main())


def test_it_is_configured_like_any_other() -> None:
    """By its own variable or by an address; the key is never shown."""
    from_env = provider_from_env({"ACME_SMS_KEY": "k3y-k3y"})
    from_url = provider_from_url("acme://k3y-k3y@?name=shop&rate=60/min")

    assert isinstance(from_env, AcmeProvider)
    assert (from_env.name, from_url.name) == ("acme", "shop")
    assert "k3y" not in f"{from_env!r} {from_url!r}"
