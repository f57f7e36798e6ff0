from __future__ import annotations

from pathlib import Path

import pytest
from support.engines.proxy import clear_environment, forward_proxy
from support.engines.tls import serving, trusting
from support.engines.wire import BOTH, NUMBER, OK, EngineName, client_of, outcome

from iprog_async import ConfigurationError, ConnectionFailedError, Journal
from iprog_async._engines.proxies import proxy_for
from iprog_async.testing import RawGateway


pytest.importorskip("httptools")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave no proxy in the environment."""
    clear_environment(monkeypatch)


async def test_plain_gateway_is_reached_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default engine gives the proxy the whole address, and the proxy passes it on."""
    async with forward_proxy() as proxy, RawGateway(OK) as gateway:
        monkeypatch.setenv("http_proxy", proxy.address)
        async with client_of(gateway.base_url, "httpx") as client:
            assert "iSms-1" == await outcome(client)

    assert [f"{gateway.base_url}/api/v1/sms_messages"] == proxy.forwarded
    assert ["/api/v1/sms_messages"] == [request.target for request in gateway.requests]


async def test_encrypted_gateway_is_reached_through_a_tunnel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The proxy of an encrypted gateway sees its host and port, and no request."""
    async with forward_proxy() as proxy, RawGateway(OK, tls=serving()) as gateway:
        monkeypatch.setenv("https_proxy", proxy.address)
        async with client_of(gateway.base_url, "httpx", verify=trusting()) as client:
            seen = [await outcome(client) for _ in range(2)]

    assert (["iSms-1"] * 2, [], [f"127.0.0.1:{gateway.port}"]) == (
        seen,
        proxy.forwarded,
        proxy.tunnels,
    )


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
async def test_fast_engine_refuses_to_go_past_a_proxy(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Who names a proxy wants nothing to go past it: no client is made, and the error says why."""
    async with forward_proxy() as proxy, RawGateway(OK) as gateway:
        monkeypatch.setenv(name, proxy.address)
        with pytest.raises(ConfigurationError, match=r"engine='httpx'.*NO_PROXY") as caught:
            client_of(gateway.base_url, "asyncio")

    assert str(caught.value).startswith(f"{name} in the environment names a proxy")
    assert not caught.value.may_have_been_sent
    assert (0, []) == (gateway.connections, proxy.forwarded)


@pytest.mark.parametrize(
    ("name", "listing"),
    [("http_proxy", "no_proxy"), ("HTTP_PROXY", "NO_PROXY"), ("all_proxy", "no_proxy")],
)
async def test_proxy_that_is_not_reached_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, listing: str
) -> None:
    """Who can't reach the proxy is told which variable names it, and not to doubt the gateway."""
    async with RawGateway(OK) as gateway:
        monkeypatch.setenv(name, "http://somebody:S3CRET@127.0.0.1:9")
        async with client_of(gateway.base_url, "httpx") as client:
            with pytest.raises(ConnectionFailedError) as caught:
                await client.send(NUMBER, "Hi")

    words = str(caught.value)
    assert f": through the proxy that {name} names: ConnectError: " in words
    assert words.endswith(f"check that proxy, or put the gateway's host into {listing}")
    assert ("S3CRET" in words, "base_url" in words, 0) == (False, False, gateway.connections)


async def test_refusal_is_on_record_as_not_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A text with a key goes out once the environment is fixed, though it was claimed before."""
    async with RawGateway(OK) as gateway:
        with Journal.open(tmp_path / "june.db") as journal:
            async with client_of(gateway.base_url, "asyncio", journal=journal) as client:
                monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
                with pytest.raises(ConfigurationError):
                    await client.send(NUMBER, "Hi", key="order 1")
                monkeypatch.delenv("http_proxy")
                receipt = await client.send(NUMBER, "Hi", key="order 1")

    assert ("iSms-1", 1) == (receipt.message_id, len(gateway.requests))


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize(
    "listed", ["127.0.0.1", "127.0.0.1:{port}", "other.example, 127.0.0.1", "*"]
)
async def test_host_in_no_proxy_is_reached_directly(
    monkeypatch: pytest.MonkeyPatch, listed: str, engine: EngineName
) -> None:
    """`NO_PROXY` is obeyed by both engines."""
    async with RawGateway(OK) as gateway:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv("no_proxy", listed.format(port=gateway.port))
        async with client_of(gateway.base_url, engine) as client:
            assert "iSms-1" == await outcome(client)


@pytest.mark.parametrize(
    ("origin", "no_proxy", "expected"),
    [
        ("https://sms.example.test", "", "http://secure:1"),
        ("http://sms.example.test", "", "http://plain:1"),
        ("https://sms.example.test", "example.test", None),
        ("https://sms.example.test:8443", "sms.example.test:8443", None),
        ("https://sms.example.test:8443", "sms.example.test:9443", "http://secure:1"),
        ("https://[::1]:8443", "::1", None),
        ("https://[::1]:8443", "[::1]", None),
        ("https://notexample.test", "example.test", "http://secure:1"),
    ],
)
def test_proxy_of_an_address(
    monkeypatch: pytest.MonkeyPatch, origin: str, no_proxy: str, expected: str | None
) -> None:
    """The scheme chooses the proxy; hosts and domains of `NO_PROXY` have none."""
    monkeypatch.setenv("http_proxy", "plain:1")
    monkeypatch.setenv("https_proxy", "http://secure:1")
    monkeypatch.setenv("no_proxy", no_proxy)

    proxy = proxy_for(origin)

    assert expected == (None if proxy is None else proxy.url)
