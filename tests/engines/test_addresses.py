from __future__ import annotations

import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from typing import Any

import httpx
import pytest
from support.engines.wire import BOTH, NUMBER, OK, EngineName, client_of, outcome, server, whole
from support.waiting import LONG

from iprog_async import (
    ConfigurationError,
    ConnectionFailedError,
    SmsClient,
)
from iprog_async._engines.asyncio_engine import AsyncioEngine
from iprog_async._engines.base import Engine, Failure, RequestProgress, WireReply, WireRequest
from iprog_async._engines.http1_request import RequestWriter
from iprog_async._engines.httpx_engine import TransportEngine
from iprog_async._engines.trust import default_ssl_context
from iprog_async.testing import RawGateway
from iprog_async_providers import IprogProvider


pytest.importorskip("httptools")

JSON = (("Content-Type", "application/json"),)


def make(engine: EngineName) -> Engine:
    """Return an engine without a client around it."""
    kind = AsyncioEngine if engine == "asyncio" else TransportEngine
    return kind(default_ssl_context())


async def exchange(engine: EngineName, request: WireRequest) -> WireReply | Failure:
    """Make one request with an engine of its own."""
    made = make(engine)
    try:
        async with asyncio.timeout(LONG):
            return await made.exchange(request, RequestProgress(), 0, 60.0)
    finally:
        await made.aclose()


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize(
    ("method", "path", "content", "target", "length"),
    [
        ("POST", "/api/v1/send", b"{}", "/api/v1/send", "2"),
        ("POST", "/a?token=x%2By&text=a+b", b"", "/a?token=x%2By&text=a+b", "0"),
        ("GET", "/a?b=/c%3Fd", b"", "/a?b=/c%3Fd", None),
        ("GET", "/a?", b"", "/a?", None),
        ("DELETE", "/a", b"{}", "/a", "2"),
        ("DELETE", "/a", b"", "/a", None),
        ("PATCH", "/a b/ñ", b"", "/a%20b/%C3%B1", "0"),
        ("GET", "", b"", "/", None),
    ],
)
async def test_request_is_written_as_the_other_engine_does(
    method: str, path: str, content: bytes, target: str, length: str | None, engine: EngineName
) -> None:
    """Method, target, host and length are the same, whichever engine moves them."""
    async with RawGateway(OK) as gateway:
        url = f"{gateway.base_url}{path}"
        result = await exchange(engine, WireRequest(method, url, JSON, content, "?" in path))

    assert isinstance(result, WireReply)
    (request,) = gateway.requests
    assert (method, target, content) == (request.method, request.target, request.body)
    assert {
        "host": f"127.0.0.1:{gateway.port}",
        "content-type": "application/json",
        **({"content-length": length} if length is not None else {}),
    } == dict(request.headers)


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "field"),
    [
        ("http://sms.example.test/a", "sms.example.test", 80, False, b"sms.example.test"),
        ("https://SMS.Example.test:443/a", "sms.example.test", 443, True, b"sms.example.test"),
        ("http://sms.example.test:8080/a", "sms.example.test", 8080, False,
         b"sms.example.test:8080"),
        ("https://[2001:db8::1]:8443/a", "2001:db8::1", 8443, True, b"[2001:db8::1]:8443"),
        ("https://[2001:db8::1]/a", "2001:db8::1", 443, True, b"[2001:db8::1]"),
        ("https://büro.example/a", "xn--bro-hoa.example", 443, True, b"xn--bro-hoa.example"),
        ("https://user:secret@sms.example.test/a", "sms.example.test", 443, True,
         b"sms.example.test"),
    ],
)  # fmt: skip
def test_address_tells_host_port_and_host_field(
    url: str, host: str, port: int, tls: bool, field: bytes
) -> None:
    """Names in other scripts go out in ASCII, a usual port is left out, a password is never in."""
    origin, message = RequestWriter().write(WireRequest("GET", url, (), b""))

    assert (host, port, tls) == (origin.host, origin.port, origin.tls)
    assert b"GET /a HTTP/1.1\r\nHost: %s\r\n\r\n" % field == message


@pytest.mark.parametrize("engine", BOTH)
async def test_ipv6_gateway_is_reached(engine: EngineName) -> None:
    """An address in brackets leads to where it says."""

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heads.append(head)
        writer.write(whole(1))
        await reader.read()

    heads: list[bytes] = []
    try:
        async with server(serve, host="::1") as address, client_of(address, engine) as client:
            assert "iSms-1" == await outcome(client)
    except OSError:
        pytest.skip("this machine has no IPv6")

    assert f"host: {address.removeprefix('http://')}\r\n".encode() in heads[0].lower()


@pytest.mark.parametrize("engine", BOTH)
async def test_path_of_the_base_url_comes_first(engine: EngineName) -> None:
    """A gateway may live below a path, as the sandbox's do."""
    async with (
        RawGateway(OK) as gateway,
        client_of(f"{gateway.base_url}/below/here", engine) as client,
    ):
        await outcome(client)

    assert "/below/here/api/v1/sms_messages" == gateway.requests[0].target


SMUGGLED = "x\r\nX-Smuggled: 1"


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/a", (("X-Key", SMUGGLED),)),
        ("POST", "/a", (("X-Key", "x\n y"),)),
        ("POST", "/a", (("X-Key", "x\0y"),)),
        ("POST", "/a", ((SMUGGLED, "x"),)),
        ("POST", "/a", (("X-Key", "ключ"),)),
        ("GET /b HTTP/1.1\r\nX: y\r\n\r\nGET", "/a", ()),
        ("POST", f"/{SMUGGLED}", ()),
        ("POST", f"/a?b={SMUGGLED}", ()),
    ],
)
async def test_nothing_is_smuggled_into_a_request(
    method: str, path: str, headers: tuple[tuple[str, str], ...], engine: EngineName
) -> None:
    """A line break in a value makes no further line of the request, and shows no value."""
    async with RawGateway(OK) as gateway:
        request = WireRequest(method, gateway.base_url + path, headers, b"{}", "?" in path)
        result = await exchange(engine, request)

    assert isinstance(result, Failure)
    assert 0 == gateway.begun


def test_error_of_a_header_field_shows_no_value() -> None:
    """What can't be written may be a credential."""
    with pytest.raises(ValueError, match="a line break in a header field") as caught:
        RequestWriter().write(WireRequest("GET", "http://a", (("X-Key", "secret\n"),), b""))

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("HEAD", "http://127.0.0.1/a"),
        ("CONNECT", "http://127.0.0.1/a"),
        ("GET", "ftp://127.0.0.1/a"),
        ("GET", "http:///a"),
        ("GET", "http://[::1/a"),
        ("GET", "http://127.0.0.1:x/a"),
        ("GET", "http://127.0.0.1:99999/a"),
        ("GET", "http://" + "a" * 70 + ".example/a"),
        ("GET", "http://a\u200d.example/a"),
        ("GET", "http://127.0.0.1/a?b=ñ"),
        ("GET", "http://127.0.0.1/a?b=c d"),
    ],
)
async def test_request_that_can_not_be_made_has_certainly_not_left(method: str, url: str) -> None:
    """What can't be written, or leads nowhere, ends in a value that says so."""
    result = await exchange("asyncio", WireRequest(method, url, (), b"", "?" in url))

    assert isinstance(result, Failure)
    assert not result.may_have_left
    assert result.unusable or not url.startswith("ftp")


async def test_address_that_a_hook_breaks_is_no_trouble_of_the_network() -> None:
    """What can't be opened now can't be later: it is a matter of settings, and tried once."""
    seen: list[httpx.Request] = []

    async def break_address(request: httpx.Request) -> None:
        seen.append(request)
        request.url = httpx.URL("ftp://sms.example.test")

    async with (
        httpx.AsyncClient(event_hooks={"request": [break_address]}) as http,
        SmsClient(IprogProvider("token"), http=http) as client,
    ):
        with pytest.raises(ConfigurationError, match="Nothing was sent; check the base_url"):
            await client.send(NUMBER, "Hi")

    assert 1 == len(seen)


@pytest.mark.parametrize("engine", BOTH)
async def test_name_that_nobody_knows_is_certainly_not_sent(
    engine: EngineName, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an address of the host there is nothing to write to."""

    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    async with client_of("http://sms.example.test", engine) as client:
        with pytest.raises(ConnectionFailedError, match="not known"):
            await client.send(NUMBER, "Hi")


async def test_connection_that_takes_too_long_is_certainly_not_sent() -> None:
    """Connecting has a limit of its own, and a text that met it has not left."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        engine = AsyncioEngine(default_ssl_context())
        progress = RequestProgress()
        request = WireRequest("POST", f"http://127.0.0.1:{port}/a", (), b"")
        result = await engine.exchange(request, progress, 0, 0.05)
        await engine.aclose()
        for filler in fillers:
            filler.close()

    assert isinstance(result, Failure)
    assert "no connection within 0.05 s" == result.reason
    assert not progress.may_have_left
