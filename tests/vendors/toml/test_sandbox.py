"""The sandbox plays a described gateway by its own file."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from support.contract.toml import FILES

from iprog_async import (
    ConfigurationError,
    InsufficientCreditError,
    ProviderError,
    RejectedError,
    SmsClient,
)
from iprog_async.sandbox import BLOCKED_WORD, FAILS_DELIVERY, REFUSED_RECIPIENT, Sandbox
from iprog_async_providers import HttpProvider


@pytest.fixture(params=["acme.toml", "acme_form.toml", "acme_query.toml"])
def playing(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Play one of the files."""
    gateway = HttpProvider.sandbox_of(FILES / request.param)
    with Sandbox(gateways={"acme": gateway}, delivered_after=0) as sandbox:
        yield sandbox


async def test_a_described_gateway_can_be_played(playing: Sandbox) -> None:
    """A text arrives, its status and the balance are told, and each refusal is one."""
    playing.set_credit("acme", 2)

    async with SmsClient.from_url(playing.address("acme")) as sms:
        receipt = await sms.send("0917 123 4567", "Hi", sender_id="SHOP")
        failing = await sms.send(f"+63917123{FAILS_DELIVERY}", "Hi")
        states = [(await sms.status(each)).state for each in (receipt, failing)]
        balance = await sms.balance()
        refused: list[type[ProviderError]] = []
        for number, text in (
            (f"+63917123{REFUSED_RECIPIENT}", "Hi"),
            ("0917 123 4567", BLOCKED_WORD),
            ("0917 123 4567", "Hi"),
        ):
            with pytest.raises(ProviderError) as caught:
                await sms.send(number, text)
            refused.append(caught.type)

    assert [("639171234567", "Hi", "SHOP"), ("639171230000", "Hi", "")] == [
        (text.to, text.text, text.sender_id) for text in playing.inbox
    ]
    assert ["delivered", "failed"] == states
    assert Decimal(0) == balance.amount
    assert [RejectedError, RejectedError, InsufficientCreditError] == refused


def test_more_credentials_than_an_address_holds_are_refused(tmp_path: Path) -> None:
    """The sandbox's address carries its credentials, and there is room for two."""
    path = tmp_path / "acme.toml"
    text = (FILES / "acme.toml").read_text(encoding="utf-8")
    path.write_text(text.replace('"$ACME_SMS_KEY"', '"$A$B$C"'), encoding="utf-8")

    with pytest.raises(ConfigurationError, match="one or two credentials"):
        HttpProvider.sandbox_of(path)
