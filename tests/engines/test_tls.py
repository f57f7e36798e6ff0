from __future__ import annotations

import ssl
from asyncio import StreamReader, StreamWriter

import pytest
from support.engines.tls import serving, trusting
from support.engines.wire import BODY, BOTH, NUMBER, OK, EngineName, client_of, outcome, server

from iprog_async import ConfigurationError, ConnectionFailedError
from iprog_async.testing import RawGateway


pytest.importorskip("httptools")


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize(
    ("shown", "trust", "why"),
    [
        (serving(), None, "certificate verify failed"),
        (serving("other.example"), trusting(), "certificate is not valid for '127.0.0.1'"),
        (serving(expired=True), trusting(), "certificate has expired"),
    ],
    ids=["unknown authority", "wrong host", "expired"],
)
async def test_certificate_that_is_not_good_is_certainly_not_sent(
    shown: ssl.SSLContext, trust: ssl.SSLContext | None, why: str, engine: EngineName
) -> None:
    """Credentials go to nobody who can't prove who they are."""
    async with (
        RawGateway(OK, tls=shown) as gateway,
        client_of(gateway.base_url, engine, verify=trust or True) as client,
    ):
        with pytest.raises(ConnectionFailedError, match=why):
            await client.send(NUMBER, "Hi")

    assert 0 == gateway.begun


@pytest.mark.parametrize("engine", BOTH)
async def test_plain_server_behind_a_https_address_is_certainly_not_sent(
    engine: EngineName,
) -> None:
    """Without TLS on the other side nothing is said."""
    async with RawGateway(OK) as gateway:
        address = gateway.base_url.replace("http://", "https://")
        async with client_of(address, engine) as client:
            assert "ConnectionFailedError" == await outcome(client)

    assert [] == gateway.requests


@pytest.mark.parametrize("engine", BOTH)
async def test_own_authority_and_client_certificate_are_used(engine: EngineName) -> None:
    """`verify=` takes whom to trust, and who we are."""
    shown = serving(asks_for_certificate=True)
    async with RawGateway(OK, tls=shown) as gateway:
        async with client_of(
            gateway.base_url, engine, verify=trusting(with_certificate=True)
        ) as client:
            assert "iSms-1" == await outcome(client)
        # TLS 1.3 refuses a missing certificate only after the request was on its way.
        async with client_of(gateway.base_url, engine, verify=trusting()) as client:
            assert "iSms-1" != await outcome(client)

    assert 1 == len(gateway.requests)


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("farewell", [True, False])
@pytest.mark.parametrize(
    ("body", "expected"), [(BODY, "iSms-1"), (BODY[:-1], "OutcomeUnknownError")]
)
async def test_answer_that_ends_with_an_encrypted_connection_counts_if_it_is_whole(
    body: bytes, expected: str, farewell: bool, engine: EngineName
) -> None:
    """Without a length anybody could cut an answer; half a JSON object proves nothing."""

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + body)
        if farewell:
            writer.close()
            await writer.wait_closed()
        await writer.drain()

    async with (
        server(serve, tls=serving()) as address,
        client_of(address, engine, verify=trusting()) as client,
    ):
        assert expected == await outcome(client)


@pytest.mark.parametrize("engine", BOTH)
async def test_http_1_is_agreed_upon(engine: EngineName) -> None:
    """A server that could speak HTTP/2 is told that we do not, whatever the context says."""
    server_side, client_side = serving(), trusting()
    server_side.set_alpn_protocols(["h2", "http/1.1"])
    client_side.set_alpn_protocols(["h2", "http/1.1"])
    agreed: list[str | None] = []

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        agreed.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
        await reader.read()

    async with (
        server(serve, tls=server_side) as address,
        client_of(address, engine, verify=client_side) as client,
    ):
        assert "iSms-1" == await outcome(client)

    assert ["http/1.1"] == agreed


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("verify", [False, "ca.pem", None])
def test_checking_can_not_be_turned_off(verify: object, engine: EngineName) -> None:
    """`verify=False` is an error that says what to write instead."""
    with pytest.raises(ConfigurationError, match=r"SSLContext.*create_default_context"):
        client_of("https://sms.example.test", engine, verify=verify)
