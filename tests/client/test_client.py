from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from support.core.fakes import NUMBER, TOKEN, FakeProvider, Wire, iprog_ok, refusing, to_many
from support.core.misbehaving import await_cancelled

from iprog_async import (
    ClientClosedError,
    ConfigurationError,
    HttpPool,
    InvalidMessageError,
    Journal,
    OutcomeUnknownError,
    RejectedError,
    RetryPolicy,
    RunHaltedError,
    SmsClient,
    WrongLoopError,
)
from iprog_async.testing import SmsOutbox
from iprog_async_providers.iprog import IprogProvider


async def test_accepted_text_gives_its_receipt() -> None:
    """The receipt has the gateway's id and our own count of segments."""
    wire = Wire(iprog_ok)
    async with wire.client() as client:
        receipt = await client.send("0917 123 4567", "x" * 161)

    assert ("iprog:iSms-1", "639171234567", 2) == (receipt.ref, receipt.to, receipt.segments)
    assert [{"api_token": TOKEN, "phone_number": "639171234567", "message": "x" * 161}] == (
        wire.bodies()
    )


async def test_everything_of_a_message_reaches_the_adapter(tmp_path: Path) -> None:
    """Options and key are passed on."""
    outbox, options = SmsOutbox(), object()
    with Journal.open(tmp_path / "texts.db") as journal:
        async with SmsClient(outbox.provider, journal=journal) as client:
            await client.send(NUMBER, "Hi", key="order-1", options=options)

    (text,) = outbox.messages
    assert ("order-1", options) == (text.key, text.options)


async def test_key_without_a_journal() -> None:
    """A key that nothing would keep is refused before any network, with the way out."""
    wire = Wire(iprog_ok)
    async with wire.client() as client:
        with pytest.raises(ConfigurationError, match=r"journal on the client.*Nothing was sent"):
            await client.send(NUMBER, "Hi", key="order-1")

    assert [] == wire.requests


async def test_refused_text_raises_the_refusal() -> None:
    """A certain refusal is raised as it is."""
    async with SmsClient(FakeProvider(send=refusing())) as client:
        with pytest.raises(RejectedError):
            await client.send(NUMBER, "Hi")


async def test_bad_message_never_reaches_the_network() -> None:
    """A number that is none is refused before anything is sent."""
    provider = FakeProvider()
    async with SmsClient(provider) as client:
        with pytest.raises(InvalidMessageError):
            await client.send("nobody", "Hi")

    assert [] == provider.sent


async def test_half_a_character_anywhere_never_reaches_the_network() -> None:
    """A request that can't be written down is certainly not sent, and says so."""
    wire = Wire(iprog_ok)
    async with wire.client() as client:
        with pytest.raises(InvalidMessageError, match="half a character"):
            await client.provider.otp.send(NUMBER, template=":otp \ud83d")

    assert [] == wire.requests


@pytest.mark.parametrize(
    "given",
    [
        {"pool": True, "http": True},
        {"pool": True, "engine": "httpx"},
        {"http": True, "engine": "httpx"},
        {"pool": True, "max_connections": 5},
        {"pool": True, "verify": False},
        {"http": True, "verify": False},
        {"verify": False},
        {"verify": "ca.pem"},
        {"engine": "carrier pigeon"},
        {"max_connections": 0},
        {"timeout": 0},
        {"timeout": float("nan")},
        {"deadline": -1},
    ],
)
async def test_arguments_that_exclude_one_another(given: dict[str, Any]) -> None:
    """What can't all be obeyed is refused, never half-obeyed."""
    if "pool" in given:
        given = {**given, "pool": HttpPool()}
    if "http" in given:
        given = {**given, "http": httpx.AsyncClient()}

    with pytest.raises(ConfigurationError):
        SmsClient(FakeProvider(), **given)


def test_client_from_an_address_and_from_the_environment() -> None:
    """Both forms take further settings of the client."""
    by_url = SmsClient.from_url("iprog://T0KEN@?name=shop", timeout=5)
    by_env = SmsClient.from_env({"IPROG_SMS_API_TOKEN": "T0KEN"}, timeout=5)

    assert ("shop", "iprog") == (by_url.provider.name, by_env.provider.name)


async def test_closed_client_sends_nothing() -> None:
    """After closing, every operation says so, vendor's own included; closing again is fine."""
    wire = Wire(iprog_ok)
    client = wire.client()
    await client.aclose()
    await client.aclose()

    for attempt in (
        client.send(NUMBER, "Hi"),
        client.balance(),
        client.status("iprog:1"),
        client.provider.otp.send(NUMBER),
        client.__aenter__(),
    ):
        with pytest.raises(ClientClosedError):
            await attempt
    with pytest.raises(ClientClosedError):
        client.send_many(to_many(1))
    assert [] == wire.requests
    assert not wire.pool.closed


async def test_closed_pool_is_not_entered() -> None:
    """A pool that was closed is not used again."""
    pool = HttpPool()
    async with pool:
        pass
    await pool.aclose()

    with pytest.raises(ClientClosedError):
        await pool.__aenter__()
    with pytest.raises(ClientClosedError):
        await SmsClient(IprogProvider(TOKEN), pool=pool).send(NUMBER, "Hi")


async def test_bulk_run_under_way_halts_when_the_client_is_closed() -> None:
    """What was not sent yet is certainly not sent."""
    wire = Wire(iprog_ok)
    async with wire.client() as client, client.send_many(to_many(3), concurrency=1) as run:
        await client.aclose()
        with pytest.raises(RunHaltedError, match="closed"):
            await run.drain()

    assert [] == wire.requests
    assert 3 == run.counts.not_sent


def test_second_event_loop_is_refused() -> None:
    """Connections live on the loop they were made on; the error says what to do."""
    client = Wire(iprog_ok).client()
    asyncio.run(_send(client))

    with pytest.raises(WrongLoopError, match="one client per loop"):
        asyncio.run(_send(client))


async def _send(client: SmsClient[IprogProvider]) -> None:
    await client.send(NUMBER, "Hi")


async def test_one_provider_and_one_pool_serve_two_clients() -> None:
    """The adapter stays untouched, and closing one client leaves the pool to the other."""
    provider = IprogProvider(TOKEN)
    wire = Wire(iprog_ok)
    first, second = SmsClient(provider, pool=wire.pool), SmsClient(provider, pool=wire.pool)

    await first.send(NUMBER, "Hi")
    await first.aclose()
    receipt = await second.send(NUMBER, "Hi")

    assert "iprog:iSms-1" == receipt.ref
    with pytest.raises(ConfigurationError, match="not bound"):
        await provider.balance()


async def test_users_own_httpx_client_keeps_its_hooks_and_stays_open() -> None:
    """Event hooks see every request; one that reads the answer does no harm."""
    seen: list[str] = []

    async def on_request(request: httpx.Request) -> None:
        seen.append(request.method)

    async def on_response(response: httpx.Response) -> None:
        seen.append((await response.aread()).decode()[:8])

    def gzipped(request: httpx.Request) -> httpx.Response:
        assert "gzip" == request.headers["Accept-Encoding"]
        return iprog_ok(request)

    http = httpx.AsyncClient(
        transport=httpx.MockTransport(gzipped),
        event_hooks={"request": [on_request], "response": [on_response]},
        follow_redirects=True,
    )
    async with SmsClient(IprogProvider(TOKEN), http=http) as client:
        await client.send(NUMBER, "Hi")

    assert ["POST", '{"status'] == seen
    assert not http.is_closed
    await http.aclose()


@pytest.mark.parametrize("hook", ["request", "response"])
async def test_hook_that_awaits_what_was_cancelled_cancels_nobody(hook: str) -> None:
    """The caller has an error that says what it means for the text, and no `CancelledError`."""

    async def cancelled(_: object) -> None:
        await await_cancelled()

    wire = Wire(iprog_ok)
    wire.http.event_hooks = {hook: [cancelled]}
    async with wire.client(retry=RetryPolicy(attempts=1)) as client:
        with pytest.raises(OutcomeUnknownError):
            await client.send(NUMBER, "Hi")


async def test_redirects_are_never_followed() -> None:
    """A POST would become a GET elsewhere; the refusal says to check the address."""
    wire = Wire(httpx.Response(301, headers={"Location": "https://elsewhere.example"}))
    wire.http.follow_redirects = True
    async with wire.client() as client:
        with pytest.raises(RejectedError, match="redirects are never followed"):
            await client.send(NUMBER, "Hi")

    assert 1 == len(wire.requests)


@respx.mock
async def test_respx_in_a_users_test_intercepts_a_default_client() -> None:
    """A user's mocks work, so that no test texts people by accident."""
    route = respx.post("https://www.iprogsms.com/api/v1/sms_messages").mock(side_effect=iprog_ok)

    async with SmsClient(IprogProvider(TOKEN)) as client:
        receipt = await client.send(NUMBER, "Hi")

    assert "iprog:iSms-1" == receipt.ref
    assert 1 == route.call_count
