"""What each vendor's gateway in the sandbox refuses is told of on the inbox page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.sandbox_toy import fetch

from iprog_async import AuthenticationError, InsufficientCreditError, RetryPolicy, SmsClient
from iprog_async.sandbox import Sandbox


TO = {
    "africastalking": "+254712345678",
    "egosms": "+256701234567",
    "iprog": "+639171234567",
    "infopromo": "+639171234567",
    "infopromo-http": "+639171234567",
    "semaphore": "+639171234567",
    "smsgate": "+639171234567",
    "ugsms-v1": "+256701234567",
    "ugsms-v2": "+256701234567",
}
# The others answer with a server error, which proves no refusal.
CERTAIN_OF_CREDIT = sorted(TO.keys() - {"semaphore", "smsgate"})


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """Run one sandbox of all gateways for the tests of this module."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    """Return a sandbox that is as if it had just been started."""
    running.clear()
    return running


def refused(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return what the page is told; asked over HTTP, for the answer went out before the note."""
    found: list[dict[str, Any]] = fetch("GET", f"{sandbox.url}/_sandbox/switches").json()["refused"]
    return found


@pytest.mark.parametrize("name", TO)
async def test_wrong_credentials_are_told_of(sandbox: Sandbox, name: str) -> None:
    """Credentials that the gateway does not know leave a trace, whatever its HTTP status."""
    address = sandbox.address(name).replace("sandbox-", "wrong-")
    async with SmsClient.from_url(address, retry=RetryPolicy.off()) as sms:
        with pytest.raises(AuthenticationError):
            await sms.send(TO[name], "hi")
    (found,) = refused(sandbox)
    assert name.partition("-")[0] == found["gateway"]
    assert found["reason"] == "refused" or found["status"] == 401


@pytest.mark.parametrize("name", CERTAIN_OF_CREDIT)
async def test_lack_of_credit_is_told_of(sandbox: Sandbox, name: str) -> None:
    """What the account can't pay for is told of with that reason."""
    prefix = name.partition("-")[0]
    sandbox.set_credit(prefix, 0)
    async with SmsClient.from_url(sandbox.address(name), retry=RetryPolicy.off()) as sms:
        with pytest.raises(InsufficientCreditError):
            await sms.send(TO[name], "hi")
    found = [(each["gateway"], each["reason"]) for each in refused(sandbox)]
    assert [(prefix, "out of credit")] == found
