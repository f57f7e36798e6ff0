from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from support.core.fakes import (
    NUMBER,
    TOKEN,
    FakeProvider,
    TellingProvider,
    Wire,
    accept,
    iprog_ok,
    lose,
    refusing,
    to_many,
)

from iprog_async import (
    Balance,
    ClientClosedError,
    ConfigurationError,
    DeliveryState,
    DeliveryStatus,
    HttpPool,
    InvalidMessageError,
    Journal,
    OutcomeUnknownError,
    Receipt,
    RejectedError,
    RetryPolicy,
    RunHaltedError,
    SmsClient,
    UnsupportedError,
    WaitTimeoutError,
    WrongLoopError,
)
from iprog_async._providers import registry
from iprog_async.testing import InstantClock, SmsOutbox
from iprog_async_providers.iprog import IprogProvider


PENDING: list[DeliveryState] = ["pending"] * 9
RECEIPT = Receipt("fake", "id-0", "639171234567", 1)


def telling(*states: DeliveryState) -> tuple[SmsClient[TellingProvider], InstantClock]:
    """Return a client of a provider that tells these statuses, the last one for ever."""
    clock = InstantClock()
    provider = TellingProvider(states=list(states))
    return SmsClient(provider, pool=HttpPool(clock=clock)), clock


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


@pytest.mark.parametrize("on_unknown", ["raise", "Resend", "retry", None])
async def test_unknown_outcome_is_not_repeated(on_unknown: Any) -> None:
    """Only the exact word repeats a text: a misspelt one must not text anyone twice."""
    provider = FakeProvider(send=lose)
    async with SmsClient(provider) as client:
        with pytest.raises(OutcomeUnknownError):
            await client.send(NUMBER, "Hi", on_unknown=on_unknown)

    assert 1 == len(provider.sent)


@pytest.mark.parametrize(("draw", "waits"), [(max, [0.5, 1.0]), (min, [0, 0])])
async def test_resend_goes_on_until_the_attempts_are_used_up(
    draw: Callable[[float, float], float], waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For an alarm twice is better than never; there is an end, and waits are drawn at random."""
    monkeypatch.setattr("random.uniform", draw)
    provider, clock = FakeProvider(send=lose), InstantClock()
    retry = RetryPolicy(attempts=3, base=0.5)
    async with SmsClient(provider, pool=HttpPool(clock=clock), retry=retry) as client:
        with pytest.raises(OutcomeUnknownError):
            await client.send(NUMBER, "Alarm", on_unknown="resend")

    assert 3 == len(provider.sent)
    assert waits == clock.sleeps


async def test_resend_ends_with_an_answer() -> None:
    """The first trustworthy answer is the result."""
    script = iter([lose, accept])

    async def send(batch: Any) -> Any:
        return await next(script)(batch)

    provider = FakeProvider(send=send)
    async with SmsClient(provider, pool=HttpPool(clock=InstantClock())) as client:
        receipt = await client.send(NUMBER, "Alarm", on_unknown="resend")

    assert ("fake:id-0", 2) == (receipt.ref, len(provider.sent))


async def _reset(batch: Any) -> Any:
    try:
        raise RejectedError("the connection was reset", provider="fake")
    except RejectedError as exc:
        raise OutcomeUnknownError("lost", provider="fake", reason="reset") from exc


async def test_resend_does_not_look_at_what_an_unknown_outcome_came_from() -> None:
    """An adapter may raise it from whatever error it likes: it is unknown all the same."""
    script = iter([_reset, _reset, accept])

    async def send(batch: Any) -> Any:
        return await next(script)(batch)

    provider = FakeProvider(send=send)
    async with SmsClient(provider, pool=HttpPool(clock=InstantClock())) as client:
        receipt = await client.send(NUMBER, "Alarm", on_unknown="resend")

    assert ("fake:id-0", 3) == (receipt.ref, len(provider.sent))


async def test_a_refused_resend_says_nothing_of_the_first_attempt() -> None:
    """A text that may be out is not called unsent because its second attempt was refused."""
    script = iter([lose, refusing()])

    async def send(batch: Any) -> Any:
        return await next(script)(batch)

    provider = FakeProvider(send=send)
    async with SmsClient(provider, pool=HttpPool(clock=InstantClock())) as client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.send(NUMBER, "Alarm", on_unknown="resend")
    assert ["it was to be sent again, and that attempt was not sent: refused"] == getattr(
        caught.value, "__notes__", []
    )


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
