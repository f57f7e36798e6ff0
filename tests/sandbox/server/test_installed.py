from collections.abc import Iterator

import pytest

from iprog_async import SmsClient, provider_from_url, provider_types
from iprog_async.sandbox import Sandbox


@pytest.fixture(scope="module")
def only_iprog() -> None:
    """Leave every installed provider installed, unlike in the other modules."""


@pytest.fixture(scope="module")
def everyone() -> Iterator[Sandbox]:
    """Run a sandbox that plays all installed providers."""
    with Sandbox() as sandbox:
        yield sandbox


def test_every_gateway_is_played(everyone: Sandbox) -> None:
    """Each installed provider that brings a gateway along is played."""
    with_gateway = [name for name, cls in provider_types().items() if cls.sandbox() is not None]
    assert with_gateway == list(everyone.providers)
    assert {"iprog", "infopromo", "ugsms-v1"} <= {*everyone.providers}


@pytest.mark.parametrize("name", provider_types())
async def test_address_finds_the_gateway(everyone: Sandbox, name: str) -> None:
    """A text sent through the address of a provider is in the inbox of its gateway."""
    if name not in everyone.providers:
        pytest.skip("runs on hosts of many vendors and has no gateway of its own")
    everyone.clear()
    async with SmsClient(provider_from_url(everyone.address(name))) as sms:
        to = "+256772123456" if name.startswith("ugsms") else "+639171234567"
        receipt = await sms.send(to, "hi")
    assert [receipt.message_id] == [text.message_id for text in everyone.inbox]
