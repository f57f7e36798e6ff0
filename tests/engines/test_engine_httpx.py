from __future__ import annotations

import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx
import pytest
from support.core.fakes import NUMBER, TOKEN, Wire

from iprog_async import (
    ConfigurationError,
    ConnectionFailedError,
    HttpPool,
    OutcomeUnknownError,
    RetryPolicy,
    SmsClient,
)
from iprog_async._engines import httpx_engine
from iprog_async._engines.base import MAX_BODY, Failure, RequestProgress, WireReply, WireRequest
from iprog_async._engines.httpx_engine import TransportEngine
from iprog_async._engines.httpx_trace import Trace, words
from iprog_async._engines.trust import default_ssl_context
from iprog_async.testing import Behaviour, InstantClock, RawGateway, RawRequest, Reply, drip
from iprog_async.testing._loop_time import jumping_time
from iprog_async_providers.iprog import IprogProvider


BODY = b'{"status": 200, "message_id": "iSms-1"}'


def client_of(base_url: str, **settings: Any) -> SmsClient[IprogProvider]:
    """Return a client that tries once."""
    provider = IprogProvider(TOKEN, base_url=base_url)
    return SmsClient(provider, retry=RetryPolicy.off(), **settings)


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave no proxy in the environment."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Stream(httpx.AsyncByteStream):
    """A body that comes in chunks, and counts how many were taken."""

    def __init__(self, chunk: bytes, count: int) -> None:
        self._chunk, self._count = chunk, count
        self.taken = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self._count):
            self.taken += 1
            yield self._chunk

    async def aclose(self) -> None:
        """Note that it was closed."""
        self.closed = True


class SyncStream(httpx.SyncByteStream):
    """A body that can't be read in asyncio."""

    def __iter__(self) -> Iterator[bytes]:
        yield BODY


def streamed(stream: Any, **headers: str) -> httpx.Response:
    """Return an answer with a body of its own making."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(200, headers=named, stream=stream)


async def reason(reply: httpx.Response) -> str:
    """Return why an answer made the outcome unknown."""
    wire = Wire(reply)
    async with wire.client() as client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.send(NUMBER, "Hi")
    return caught.value.reason


async def test_body_that_says_it_is_huge_is_not_read() -> None:
    """100 MB are refused by their length alone."""
    stream = Stream(b" " * 1024, 100 * 1024)

    assert "104857600 bytes long" in await reason(streamed(stream, Content_Length="104857600"))
    assert (0, True) == (stream.taken, stream.closed)


async def test_body_that_turns_out_huge_is_left() -> None:
    """Where no length is given, reading stops at the limit."""
    stream = Stream(b" " * 65536, 1600)

    assert "longer than" in await reason(streamed(stream))
    assert (MAX_BODY // 65536 + 1, True) == (stream.taken, stream.closed)


async def test_compressed_bomb_is_left() -> None:
    """What unpacks to more than the limit is not unpacked to the end."""
    bomb = gzip.compress(b" " * 50 * 1024 * 1024)

    assert "longer than" in await reason(streamed(Stream(bomb, 1), Content_Encoding="gzip"))


async def test_bomb_unpacked_by_a_hook_of_the_user_is_refused_too() -> None:
    """Also a body that was read before us has its limit."""
    wire = Wire(httpx.Response(200, content=b" " * (MAX_BODY + 1)))
    async with wire.client() as client:
        with pytest.raises(OutcomeUnknownError, match="longer than"):
            await client.send(NUMBER, "Hi")


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(BODY, mtime=0)),
        ("GZIP", gzip.compress(BODY, mtime=0)),
        ("identity", BODY),
        ("deflate", zlib.compress(BODY)),
        ("", BODY),
    ],
)
async def test_usual_compressions_are_read(coding: str, body: bytes) -> None:
    """Gzip and deflate are understood, asked for or not."""
    wire = Wire(streamed(Stream(body, 1), Content_Encoding=coding))
    async with wire.client() as client:
        assert "iprog:iSms-1" == (await client.send(NUMBER, "Hi")).ref


@pytest.mark.parametrize(
    ("coding", "body", "why"),
    [
        ("gzip", gzip.compress(BODY, mtime=0)[:-9], "cut short"),
        ("gzip", BODY, "damaged"),
        ("br", BODY, "not asked for"),
        ("gzip, gzip", BODY, "not asked for"),
    ],
)
async def test_broken_compression_is_unclear(coding: str, body: bytes, why: str) -> None:
    """What can't be unpacked proves nothing."""
    assert why in await reason(streamed(Stream(body, 1), Content_Encoding=coding))


async def test_transport_of_the_wrong_kind_is_unclear() -> None:
    """A body that only threads can read is an error with a reason."""
    assert "AssertionError in the HTTP client" == await reason(streamed(SyncStream()))


async def test_connection_is_kept_and_used_again(no_proxies: None) -> None:
    """One after another, texts share a connection."""
    async with RawGateway(Reply(200, BODY)) as gateway, client_of(gateway.base_url) as client:
        for number in range(3):
            await client.send(NUMBER, f"Hi {number}")

    assert (1, 3) == (gateway.connections, len(gateway.requests))


async def test_no_proxy_and_no_redirect_and_no_default_header(no_proxies: None) -> None:
    """What goes out is what the adapter said, what HTTP needs, and who asks."""
    async with RawGateway(Reply(200, BODY)) as gateway, client_of(gateway.base_url) as client:
        await client.send(NUMBER, "Hi")

    expected = {"host", "accept", "content-type", "content-length", "user-agent"}
    assert expected == set(gateway.requests[0].headers)


@pytest.mark.parametrize("name", ["http_proxy", "all_proxy"])
async def test_proxy_of_the_environment_is_used(
    no_proxies: None, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """As everywhere, `HTTP_PROXY` decides the way; the request carries the whole address."""
    async with RawGateway(Reply(200, BODY)) as proxy:
        monkeypatch.setenv(name, proxy.base_url.removeprefix("http://"))
        async with client_of("http://sms.example.test") as client:
            await client.send(NUMBER, "Hi")

    assert "http://sms.example.test/api/v1/sms_messages" == proxy.requests[0].target


async def test_proxy_that_refuses_the_tunnel_has_sent_nothing(
    no_proxies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CONNECT is no text: what fails before the tunnel stands is certainly not sent."""
    async with RawGateway(Reply(403)) as proxy:
        monkeypatch.setenv("https_proxy", proxy.base_url)
        async with client_of("https://sms.example.test") as client:
            with pytest.raises(ConnectionFailedError, match="did not leave"):
                await client.send(NUMBER, "Hi")

    assert ["CONNECT"] == [request.method for request in proxy.requests]


@pytest.mark.parametrize("proxy", ["gopher://127.0.0.1:1", "socks5://127.0.0.1:1", "http://a b"])
async def test_proxy_that_can_not_be_used_has_sent_nothing(
    no_proxies: None, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    """A wrong proxy that is named while a client is in use is a setting to fix, and no retry."""
    async with client_of("http://sms.example.test") as client:
        monkeypatch.setenv("http_proxy", proxy)
        with pytest.raises(ConfigurationError, match="http_proxy"):
            await client.send(NUMBER, "Hi")


async def test_drip_ends_at_the_timeout(no_proxies: None) -> None:
    """An answer that comes byte by byte does not outlast the attempt."""
    slow = drip(Reply(200, b" " * 1_000_000))
    with jumping_time() as jump:
        async with RawGateway(slow) as gateway, client_of(gateway.base_url, timeout=30) as client:
            sending = asyncio.create_task(client.send(NUMBER, "Hi"))
            await gateway.until(lambda seen: len(seen.requests) == 1)
            for _ in range(3):
                jump(10)
                # A byte comes in.
                await asyncio.sleep(0.003)
            with pytest.raises(OutcomeUnknownError, match=r"within 30 s"):
                await sending


@pytest.mark.parametrize(
    ("events", "may_have_left"),
    [
        ([], True),
        ([("connection.connect_tcp.started", b"")], False),
        ([("socks.setup_socks5_connection.started", b"")], False),
        ([("connection.connect_tcp.started", b""), ("proxy.start_tls.started", b"")], False),
        (
            [
                ("connection.connect_tcp.started", b""),
                ("http11.send_request_headers.started", b"POST"),
            ],
            True,
        ),
        (
            [
                ("connection.connect_tcp.started", b""),
                ("http11.send_request_headers.started", b"CONNECT"),
            ],
            False,
        ),
        (
            [
                ("connection.connect_tcp.started", b""),
                ("http11.send_request_headers.started", b"CONNECT"),
                ("http11.send_request_headers.started", b"POST"),
                ("http11.send_request_headers.started", b"CONNECT"),
            ],
            True,
        ),
    ],
)
async def test_progress_follows_what_httpcore_tells(
    events: list[tuple[str, bytes]], may_have_left: bool
) -> None:
    """Nothing known is pessimistic; connecting is certain; headers of the request are not."""
    progress = RequestProgress()
    trace = Trace(progress)

    for event, method in events:
        info: Mapping[str, object] = {
            "request": httpx.Request(method.decode() or "GET", "http://a")
        }
        if method:
            info = {"request": type("Request", (), {"method": method})()}
        await trace(event, info)

    assert may_have_left == progress.may_have_left


@pytest.mark.parametrize("url", ["http://[", "http://a:b", "http://a", "http://a?x=/"])
async def test_engine_returns_failures_and_raises_nothing(no_proxies: None, url: str) -> None:
    """Whatever the address, an exchange ends in a value."""
    engine = TransportEngine(default_ssl_context())
    request = WireRequest("GET", url, (), b"")

    result = await engine.exchange(request, RequestProgress(), 0, 0.5)
    await engine.aclose()

    assert isinstance(result, Failure)
    assert not result.may_have_left


async def test_concurrent_texts_use_as_many_connections_as_allowed(no_proxies: None) -> None:
    """Slots are spread over shards, and never more are under way than allowed."""
    all_are_there = asyncio.Event()

    async def answer_all(request: RawRequest, writer: asyncio.StreamWriter) -> bool:
        if request.under_way == 25:
            all_are_there.set()
        await all_are_there.wait()
        reply = Reply(200, BODY)
        writer.write(reply.head() + reply.body)
        return True

    together = Behaviour("together", answer_all)
    async with RawGateway(together) as gateway, HttpPool(max_connections=25) as pool:
        client = SmsClient(IprogProvider(TOKEN, base_url=gateway.base_url), pool=pool)
        await asyncio.gather(*(client.send(NUMBER, f"Hi {n}") for n in range(100)))

    assert 25 == gateway.connections == max(request.under_way for request in gateway.requests)


class OldTransport(httpx.AsyncBaseTransport):
    """A transport that answers, and can't be closed without trouble."""

    def __init__(self) -> None:
        self.closed = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, unless it was told not to."""
        if request.method == "HANG":
            await asyncio.Event().wait()
        return httpx.Response(200, stream=Stream(BODY, 1))

    async def aclose(self) -> None:
        """Fail."""
        self.closed += 1
        raise OSError("already gone")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[OldTransport]:
    """Return the transports that an engine makes."""
    transports: list[OldTransport] = []

    def make(**_: object) -> OldTransport:
        transports.append(OldTransport())
        return transports[-1]

    monkeypatch.setattr(httpx, "AsyncHTTPTransport", make)
    return transports


async def test_idle_connections_are_closed_without_harm_to_a_request(
    no_proxies: None, made: list[OldTransport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody used for half a minute is closed; its trouble is not that of the next text."""
    clock = InstantClock()
    monkeypatch.setattr(httpx_engine, "time", clock)
    engine = TransportEngine(default_ssl_context())
    request = WireRequest("GET", "http://a/b", (), b"")
    await engine.exchange(request, RequestProgress(), 0, 1.0)
    await engine.exchange(request, RequestProgress(), 1, 1.0)

    clock.advance(31)
    result = await engine.exchange(request, RequestProgress(), 0, 1.0)

    assert isinstance(result, WireReply)
    assert [0, 1] == [transport.closed for transport in made]


async def test_cancelled_request_takes_its_connection_with_it(
    no_proxies: None, made: list[OldTransport]
) -> None:
    """The slot begins anew: httpcore can keep a connection that it never uses again."""
    engine = TransportEngine(default_ssl_context())
    hang = WireRequest("HANG", "http://a/b", (), b"")
    task = asyncio.create_task(engine.exchange(hang, RequestProgress(), 0, 1.0))
    await asyncio.sleep(0)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    result = await engine.exchange(
        WireRequest("GET", "http://a/b", (), b""), RequestProgress(), 0, 1.0
    )

    assert isinstance(result, WireReply)
    assert [1, 0] == [transport.closed for transport in made]


@pytest.mark.parametrize(("no_proxy", "direct"), [("127.0.0.1", True), ("other.example", False)])
async def test_no_proxy_names_hosts_to_reach_directly(
    no_proxies: None, monkeypatch: pytest.MonkeyPatch, no_proxy: str, direct: bool
) -> None:
    """`NO_PROXY` is obeyed as everywhere."""
    async with RawGateway(Reply(200, BODY)) as proxy, RawGateway(Reply(200, BODY)) as gateway:
        monkeypatch.setenv("http_proxy", proxy.base_url)
        monkeypatch.setenv("no_proxy", no_proxy)
        async with client_of(gateway.base_url) as client:
            await client.send(NUMBER, "Hi")

    assert (direct, not direct) == (bool(gateway.requests), bool(proxy.requests))


async def test_certificates_of_the_user_are_used(no_proxies: None) -> None:
    """An SSL context of one's own is taken as it is."""
    trust = ssl.create_default_context()
    async with (
        RawGateway(Reply(200, BODY)) as gateway,
        client_of(gateway.base_url, verify=trust) as client,
    ):
        receipt = await client.send(NUMBER, "Hi")

    assert "iprog:iSms-1" == receipt.ref


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            httpx.RemoteProtocolError("illegal header line: bytearray(b'X-To : 0701234500')"),
            "RemoteProtocolError: illegal header line",
        ),
        (
            httpx.RemoteProtocolError('bad status line "HTTX 0701234500 Hi"'),
            "RemoteProtocolError: bad status line",
        ),
        (
            httpx.RemoteProtocolError("<ConnectionTerminated additional_data:0701234500>"),
            "RemoteProtocolError",
        ),
        (
            httpx.RemoteProtocolError("closed early (received 7 bytes, expected 15)"),
            "RemoteProtocolError: closed early (received 7 bytes, expected 15)",
        ),
        (
            httpx.ConnectError("certificate is not valid for 'sms.example'"),
            "ConnectError: certificate is not valid for 'sms.example'",
        ),
        (httpx.ReadError(""), "ReadError"),
    ],
)
def test_a_line_that_is_no_http_is_not_quoted(error: httpx.HTTPError, expected: str) -> None:
    """It may hold a number and a text; what is said of it is enough."""
    assert expected == words(error)
