from __future__ import annotations

import asyncio
import os
import time

import httpx
import pytest
from support.waiting import LONG

from iprog_async import (
    ConfigurationError,
    ConnectionFailedError,
    HttpPool,
    NotFoundError,
    RejectedError,
    SmsClient,
    provider_from_url,
    provider_types,
)
from iprog_async.sandbox import Fault, Sandbox
from iprog_async.testing import InstantClock, OutboxMessage, SmsOutbox
from iprog_async_providers.iprog import IprogProvider


GLOBE = "+639171234567"


async def notify(number: str, text: str) -> str | None:
    """Send a text as an app does, with a client from the environment; return its reference."""
    async with SmsClient.from_env() as sms:
        return (await sms.send(number, text)).ref


@pytest.fixture
def _configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have credentials in the environment, as on a developer's machine."""
    monkeypatch.setenv("SMS_URL", "iprog://real-token@")
    monkeypatch.setenv("IPROG_SMS_API_TOKEN", "real-token")
    monkeypatch.setenv("UGSMS_USERNAME", "real-name")
    monkeypatch.setenv("UGSMS_PASSWORD", "real-password")


@pytest.mark.usefixtures("_configured")
async def test_an_app_that_reads_the_environment_is_tested_unchanged(sms_outbox: SmsOutbox) -> None:
    """`SmsClient.from_env()` leads to the outbox, whatever the machine is configured for."""
    assert "outbox:text-1" == await notify("0917 123 4567", "Hi")

    assert [OutboxMessage(GLOBE, "Hi")] == sms_outbox.messages


@pytest.mark.usefixtures("_configured", "sms_outbox")
def test_no_credential_is_left_in_the_environment() -> None:
    """Code that reads other gateways' variables finds none."""
    names = {name for cls in provider_types().values() for name in cls.env_names}

    assert {"IPROG_SMS_API_TOKEN", "UGSMS_PASSWORD"} <= names
    assert [] == [name for name in sorted(names) if name in os.environ]
    assert not any("real" in value for name, value in os.environ.items() if "SMS" in name)


async def test_the_address_of_an_outbox_is_as_good_as_any(sms_outbox: SmsOutbox) -> None:
    """Settings of the app may hold it, also as one of several gateways."""
    backup = SmsOutbox(name="back & up")
    sms_outbox.refuse(ConnectionFailedError)
    async with SmsClient.from_url(f"{sms_outbox.address} || {backup.address}") as sms:
        assert "back & up" == (await sms.send(GLOBE, "Hi")).provider
        assert "outbox" == (await sms.send(GLOBE, "Ho")).provider

    assert (["Ho"], ["Hi"]) == (
        [text.text for text in sms_outbox.messages],
        [text.text for text in backup.messages],
    )


@pytest.mark.usefixtures("sms_outbox")
def test_the_address_of_a_past_outbox_leads_nowhere() -> None:
    """A client kept from another test is told so, instead of sending into nothing."""
    address = SmsOutbox().address

    with pytest.raises(ConfigurationError, match="of another test"):
        provider_from_url(address)


def test_without_the_fixture_there_is_no_such_gateway() -> None:
    """Nobody can send into nowhere by mistake in production."""
    assert "outbox" not in provider_types()
    with pytest.raises(ConfigurationError, match="no provider 'outbox'"):
        provider_from_url("outbox://1@")


@pytest.mark.parametrize("fixture", ["sms_outbox", "sms_sandbox"])
@pytest.mark.parametrize("base_url", ["https://sms.example.com", "http://192.0.2.1:8080"])
async def test_nothing_reaches_another_machine(
    request: pytest.FixtureRequest, fixture: str, base_url: str
) -> None:
    """A client with credentials of its own fails before it connects, and says what to do."""
    request.getfixturevalue(fixture)
    reached: list[httpx.Request] = []

    def answer(found: httpx.Request) -> httpx.Response:
        reached.append(found)
        return httpx.Response(200)

    transport = httpx.MockTransport(answer)
    provider = IprogProvider("t0ken", base_url=base_url)
    async with (
        httpx.AsyncClient(transport=transport) as http,
        SmsClient(provider, http=http) as sms,
    ):
        with pytest.raises(ConfigurationError, match=r"lets nothing out.*from_env") as caught:
            await sms.send(GLOBE, "Hi")

    assert [] == reached
    assert "t0ken" not in str(caught.value)


async def test_clients_made_before_are_kept_in_too(request: pytest.FixtureRequest) -> None:
    """An app that makes its client when it is imported is no exception."""
    async with SmsClient(IprogProvider("t0ken", base_url="https://sms.example.com")) as sms:
        request.getfixturevalue("sms_outbox")
        with pytest.raises(ConfigurationError, match="lets nothing out"):
            await sms.send(GLOBE, "Hi")


async def test_this_machine_is_in_reach(sms_outbox: SmsOutbox, sms_sandbox: Sandbox) -> None:
    """The outbox and the sandbox can be used in one test."""
    assert sms_sandbox.url.replace("127.0.0.1", "localhost") != sms_sandbox.url
    here = sms_sandbox.base_url("iprog").replace("127.0.0.1", "localhost")
    async with SmsClient.from_url(sms_sandbox.address("iprog")) as sms:
        await sms.send(GLOBE, "Hi")
        await notify(GLOBE, "Ho")
    async with SmsClient(IprogProvider(sms_token(sms_sandbox), base_url=here)) as sms:
        await sms.send(GLOBE, "Ha")

    assert ["Hi", "Ha"] == [text.text for text in sms_sandbox.inbox]
    assert ["Ho"] == [text.text for text in sms_outbox.messages]


def sms_token(sandbox: Sandbox) -> str:
    """Return the token of the sandbox's account at IPROG."""
    return sandbox.address("iprog").removeprefix("iprog://").partition("@")[0]


@pytest.mark.parametrize(
    ("provider", "number"), [("iprog", GLOBE), ("infopromo", GLOBE), ("ugsms-v2", "+256772123456")]
)
def test_the_sandbox_serves_tests_without_a_loop(
    sms_sandbox: Sandbox, provider: str, number: str
) -> None:
    """Plain functions reach it, with a loop of their own or with any HTTP client."""

    async def main() -> str:
        async with SmsClient.from_url(sms_sandbox.address(provider)) as sms:
            return (await sms.send(number, "Hi")).provider

    assert provider == asyncio.run(main())
    (text,) = sms_sandbox.inbox
    assert "Hi" == text.text
    assert 200 == httpx.get(f"{sms_sandbox.url}/_sandbox/inbox", timeout=LONG).status_code


async def test_the_sandbox_delivers_at_once(sms_sandbox: Sandbox) -> None:
    """The first question about a text is answered with its end."""
    async with SmsClient.from_url(sms_sandbox.address("iprog")) as sms:
        assert "delivered" == (await sms.wait(await sms.send(GLOBE, "Hi"))).state
        sms_sandbox.state.delivered_after = 3600
        assert "pending" == (await sms.status(await sms.send(GLOBE, "Ho"))).state


@pytest.mark.parametrize("turn", ["first", "second"])
async def test_the_sandbox_is_new_for_each_test(sms_sandbox: Sandbox, turn: str) -> None:
    """Texts, faults, credit and delays of one test are gone in the next."""
    assert ([], [], 0) == (
        sms_sandbox.inbox,
        sms_sandbox.faults,
        sms_sandbox.state.delivered_after,
    )
    assert 1000 == sms_sandbox.state.credit_of("iprog")
    async with SmsClient.from_url(sms_sandbox.address("iprog")) as sms:
        await sms.send(GLOBE, turn)
    sms_sandbox.add_fault(Fault("*", "drop_before"))
    sms_sandbox.set_credit("iprog", 0)
    sms_sandbox.state.delivered_after = 60


async def test_retries_and_pauses_take_no_time(
    sms_sandbox: Sandbox, sms_clock: InstantClock
) -> None:
    """A minute that a gateway asks for passes at once, and can be seen on the clock."""
    limited = Fault("POST /iprog/*", "status", status=429, headers={"Retry-After": "45"})
    sms_sandbox.add_fault(limited)
    started = time.monotonic()
    async with SmsClient.from_url(sms_sandbox.address("iprog")) as sms:
        await sms.send(GLOBE, "Hi")

    assert time.monotonic() - started < 45 <= sms_clock.monotonic()
    assert 1 == len(sms_sandbox.inbox)


async def test_real_time_is_back_afterwards() -> None:
    """Without a fixture of the plug-in, clients wait on the real clock."""
    async with HttpPool() as pool:
        assert time.monotonic() == pytest.approx(pool.clock.monotonic(), abs=60)


async def test_the_virtual_clock_shows_the_real_date(sms_clock: InstantClock) -> None:
    """An app that schedules for tomorrow does not end up in the past."""
    async with HttpPool() as pool:
        assert time.time() == pytest.approx(pool.clock.now().timestamp(), abs=60)
        await pool.clock.sleep(3600)
    assert [3600] == sms_clock.sleeps


async def test_a_breaker_s_pause_can_be_let_pass(
    sms_outbox: SmsOutbox, sms_clock: InstantClock
) -> None:
    """Routers wait on the same clock as their members."""
    backup = SmsOutbox(name="backup")
    sms_outbox.refuse(ConnectionFailedError, times=5)
    async with SmsClient.from_url(f"{sms_outbox.address} || {backup.address}") as sms:
        names = [(await sms.send(GLOBE, f"{number}")).provider for number in range(6)]
        sms_clock.advance(31)
        names.append((await sms.send(GLOBE, "again")).provider)

    assert ["backup"] * 6 + ["outbox"] == names


async def test_refusals_and_missing_texts_are_typed(sms_outbox: SmsOutbox) -> None:
    """The provider of the fixture tells status and balance, for checkers and at run time."""
    sms_outbox.refuse(RejectedError)
    async with SmsClient(sms_outbox.provider) as sms:
        with pytest.raises(RejectedError):
            await sms.send(GLOBE, "Hi")
        with pytest.raises(NotFoundError):
            await sms.status("outbox:text-1")
        assert 1_000_000 == (await sms.balance()).amount
