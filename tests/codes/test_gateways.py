"""The same two calls over real gateways' protocols, and over IPROG's own codes."""

from __future__ import annotations

from typing import Any

import pytest
from support.codes import another, code_in

from iprog_async import ConfigurationError, Failover, NoAnswerError, SmsClient, provider_from_url
from iprog_async.codes import Codes
from iprog_async.sandbox import Fault, Sandbox
from iprog_async.sync import Codes as SyncCodes
from iprog_async.sync import SmsClient as SyncSmsClient


GATEWAYS = {
    "iprog": "0917 123 4567",
    "infopromo": "+639171234567",
    "infopromo-http": "+639171234567",
    "ugsms-v1": "0772 123 456",
    "ugsms-v2": "0772 123 456",
}


async def log_in(sms: SmsClient[Any], sandbox: Sandbox, number: str, **settings: Any) -> None:
    """Ask for a code, guess wrong, and type what the phone shows."""
    codes = Codes(sms, text="Your code for the shop is {code}", **settings)
    sent = await codes.send(number)
    code = code_in(sandbox.inbox[-1].text)
    assert "Your code for the shop is " + code == sandbox.inbox[-1].text
    assert sent.unknown is None
    assert not await codes.verify(number, another(code))
    assert await codes.verify(number, code)
    assert not await codes.verify(number, code)


@pytest.mark.parametrize(("name", "number"), GATEWAYS.items())
async def test_every_gateway_logs_in(sms_sandbox: Sandbox, name: str, number: str) -> None:
    """A login needs nothing of a gateway but that it sends texts."""
    async with SmsClient.from_url(sms_sandbox.address(name)) as sms:
        await log_in(sms, sms_sandbox, number)


async def test_a_failover_logs_in(sms_sandbox: Sandbox) -> None:
    """Where the first gateway refuses, the code that the second one sent is the right one."""
    sms_sandbox.set_credit("iprog", 0)
    members = [provider_from_url(sms_sandbox.address(name)) for name in ("iprog", "infopromo")]
    async with SmsClient(Failover(*members, region="PH")) as sms:
        await log_in(sms, sms_sandbox, "0917 123 4567")


async def test_iprog_makes_codes_itself(sms_sandbox: Sandbox) -> None:
    """Its own codes are behind the same calls, and let in once as well."""
    async with SmsClient.from_url(sms_sandbox.address("iprog")) as sms:
        await log_in(sms, sms_sandbox, "0917 123 4567", made_by="gateway", length=5)


async def test_a_gateway_knows_no_purposes(sms_sandbox: Sandbox) -> None:
    """It would take the code of one purpose for any other, so that none can be given."""
    async with SmsClient.from_url(sms_sandbox.address("iprog")) as sms:
        codes = Codes(sms, made_by="gateway")
        for asked in (
            codes.send("0917 123 4567", purpose="pay"),
            codes.verify("0917 123 4567", "123456", purpose="pay"),
        ):
            with pytest.raises(ConfigurationError, match="by its number alone"):
                await asked

    assert [] == sms_sandbox.inbox


async def test_a_gateway_that_does_not_answer_knows_no_code(sms_sandbox: Sandbox) -> None:
    """Whether a code is right is then not known, which is told as such; the try is spent."""
    async with SmsClient.from_url(sms_sandbox.address("iprog")) as sms:
        codes = Codes(sms, made_by="gateway")
        await codes.send("0917 123 4567")
        code = code_in(sms_sandbox.inbox[-1].text)
        sms_sandbox.add_fault(Fault("*", "drop_before"))
        with pytest.raises(NoAnswerError):
            await codes.verify("0917 123 4567", code)
        check = await codes.verify("0917 123 4567", another(code))

    assert 3 == check.tries_left


def test_synchronous_code_logs_in(sms_sandbox: Sandbox) -> None:
    """The same two calls, waited for."""
    with SyncSmsClient.from_url(sms_sandbox.address("iprog")) as sms:
        codes = SyncCodes(sms)
        codes.send("0917 123 4567")
        code = code_in(sms_sandbox.inbox[-1].text)

        assert not codes.verify("0917 123 4567", another(code))
        assert codes.verify("0917 123 4567", code)
        assert not codes.verify("0917 123 4567", code)


async def test_the_clients_sender_id_is_enough(sms_sandbox: Sandbox) -> None:
    """A gateway that sends nothing without one reads numbers all the same, to send and to check."""
    address = sms_sandbox.address("infopromo").replace("sender_id=Sandbox&", "")
    async with SmsClient.from_url(address, sender_id="ACME") as sms:
        await log_in(sms, sms_sandbox, "+639171234567")
