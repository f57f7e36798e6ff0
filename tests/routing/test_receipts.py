from __future__ import annotations

import logging

import pytest
from support.routing.fakes import client, gateway, teller

from iprog_async import (
    Balance,
    Failover,
    InvalidMessageError,
    NoAnswerError,
    SmsClient,
    SmsProvider,
    UnsupportedError,
    WaitTimeoutError,
)


def nested() -> Failover:
    """Return a router with another one in it; `c` tells nothing."""
    return Failover(teller("a"), Failover(teller("b", "failed", 2), name="inner"), gateway("c"))


@pytest.mark.parametrize(("name", "state"), [("a", "delivered"), ("b", "failed")])
async def test_status_goes_to_the_member_that_accepted(name: str, state: str) -> None:
    """A receipt names the gateway to ask, however deep it is."""
    async with client(nested()) as sms:
        assert state == (await sms.status(f"{name}:1")).state
        assert state == (await sms.wait(f"{name}:1")).state
        assert state == (await sms.provider.status(f"{name}:1")).state


async def test_a_receipt_of_a_send_is_good_for_its_status() -> None:
    """What `send` returns is taken by `status` as it is."""
    async with client(nested()) as sms:
        receipt = await sms.send("+639171234567", "Hi")

        assert "delivered" == (await sms.status(receipt)).state


@pytest.mark.parametrize("name", ["x", "failover", "inner"])
async def test_a_receipt_of_nobody(name: str) -> None:
    """A name that is no gateway of the router is told, and nobody is asked."""
    async with client(nested()) as sms:
        with pytest.raises(InvalidMessageError, match=f"'{name}', which is no gateway"):
            await sms.status(f"{name}:1")


async def test_a_member_without_status() -> None:
    """A gateway that tells no status says so by its name."""
    async with client(nested()) as sms:
        with pytest.raises(UnsupportedError, match="c has no status"):
            await sms.status("c:1")


async def test_waiting_ends_in_time() -> None:
    """`wait` gives up as with one gateway."""
    async with client(Failover(teller("a", "pending"))) as sms:
        with pytest.raises(WaitTimeoutError):
            await sms.wait("a:1", timeout=5)


async def test_balance_is_one_for_each_account() -> None:
    """Every gateway that tells a balance has one under its name; others are left out."""
    sms: SmsClient[Failover] = client(nested())
    async with sms:
        assert {
            "a": Balance(None, text="1 left"),
            "b": Balance(None, text="2 left"),
        } == await sms.balance()


async def test_a_member_that_fails_hides_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """One that gives no balance now is left out, and the log says so."""
    router = Failover(teller("a", amount=NoAnswerError("a is silent")), teller("b"))
    sms: SmsClient[Failover] = client(router)
    async with sms:
        with caplog.at_level(logging.WARNING, "iprog_async"):
            found = await sms.balance()

    assert ["b"] == list(found)
    assert ["failover: no balance of a: a is silent"] == caplog.messages


async def test_if_all_fail_the_first_error_is_raised() -> None:
    """Nothing at all is an error, not an empty answer."""
    silent = [teller(name, amount=NoAnswerError(f"{name} is silent")) for name in "ab"]
    async with client(Failover(*silent)) as sms:
        with pytest.raises(NoAnswerError, match="a is silent"):
            await sms.balance()


@pytest.mark.parametrize("member", [gateway("a"), Failover(gateway("a"), name="inner")])
async def test_nobody_tells_a_balance(member: SmsProvider) -> None:
    """A router of gateways without balance has none either."""
    async with client(Failover(member)) as sms:
        with pytest.raises(UnsupportedError, match="no gateway of failover has a balance"):
            await sms.balance()
