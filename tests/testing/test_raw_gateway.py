from __future__ import annotations

import asyncio

import httpx
import pytest
from support.contract.tls import tls_contexts

from iprog_async.testing import (
    Behaviour,
    RawGateway,
    RawRequest,
    Reply,
    Step,
    answer,
    close_idle,
    drip,
    drop,
    drop_on_arrival,
    flood,
    hang_up,
    silence,
    truncate,
)


REQUEST = b"POST /send?a=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
OK = Reply(200, "fine", {"X-Mark": "yes"})
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Mark: yes\r\n\r\nfine"


def echo(request: RawRequest) -> Reply:
    """Answer with what came."""
    return Reply(299, request.body)


async def talk(gateway: RawGateway, *requests: bytes) -> bytes:
    """Write requests over one connection and return all that comes back until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        for request in requests:
            writer.write(request)
        writer.write_eof()
        return await reader.read()
    except ConnectionError:
        return b"reset"
    finally:
        writer.transport.abort()


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (OK, ANSWER),
        (answer(OK), ANSWER),
        (close_idle(OK), ANSWER),
        (truncate(OK), ANSWER[:-2]),
        (drip(OK, interval=0.0), ANSWER),
        (echo, b"HTTP/1.1 299 Unassigned\r\nContent-Length: 2"),
        (drop(), b""),
        (drop(reset=True), b"reset"),
        (flood(3, declared=True), b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n   "),
        (flood(3, declared=False), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000"),
    ],
)
async def test_a_step_does_to_a_request_what_it_says(step: Step, expected: bytes) -> None:
    """The bytes that come back are those of the behaviour; the request is kept."""
    async with RawGateway(step) as gateway:
        assert (await talk(gateway, REQUEST))[: len(expected)] == expected
        (request,) = gateway.requests
        assert (request.method, request.target, request.path) == ("POST", "/send?a=1", "/send")
        assert (request.headers["host"], request.body) == ("x", b"hi")
        assert (gateway.connections, gateway.begun) == (1, 1)


@pytest.mark.parametrize(("step", "begun"), [(hang_up(), 0), (drop_on_arrival(), 1)])
async def test_a_connection_can_close_before_a_request_is_read(step: Behaviour, begun: int) -> None:
    """Nothing is answered; a request counts as begun with its first byte."""
    async with RawGateway(step) as gateway:
        assert await talk(gateway, REQUEST) in (b"", b"reset")
        await gateway.until(lambda gateway: gateway.open_connections == 0)
        assert (gateway.connections, gateway.begun, gateway.requests) == (1, begun, [])


async def test_the_last_step_is_repeated() -> None:
    """A script is played in order, and then its end goes on."""
    async with RawGateway(Reply(201), Reply(202)) as gateway:
        said = await talk(gateway, REQUEST, REQUEST, REQUEST)
    assert [line[9:12] for line in said.splitlines() if line.startswith(b"HTTP")] == [
        b"201",
        b"202",
        b"202",
    ]
    assert gateway.begun == 3


async def test_an_incomplete_request_is_begun_and_not_complete() -> None:
    """A request that breaks off is counted, and not taken for one."""
    async with RawGateway() as gateway:
        await talk(gateway, REQUEST[:-1])
        assert (gateway.begun, gateway.requests) == (1, [])


async def test_what_is_no_http_is_no_request() -> None:
    """The greeting of TLS on a plain port makes a connection and no request."""
    async with RawGateway() as gateway:
        await talk(gateway, b"\x16\x03\x01\x02\x00")
        assert (gateway.connections, gateway.begun) == (1, 0)


async def test_nothing_is_left_behind() -> None:
    """Leaving ends connections in whatever state they are, and every task."""
    async with RawGateway(silence()) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(REQUEST)
        await gateway.until(lambda gateway: len(gateway.requests) == 1)
        idle_reader, idle_writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        await gateway.until(lambda gateway: gateway.connections == 2)
    assert [b"", b""] == [await reader.read(), await idle_reader.read()]
    for open_writer in (writer, idle_writer):
        open_writer.close()
        await open_writer.wait_closed()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert gateway.open_connections == 0
    with pytest.raises(OSError, match=r"refused|Connect"):
        await asyncio.open_connection("127.0.0.1", gateway.port)


async def test_a_step_that_fails_fails_the_test() -> None:
    """An error of a script is raised at the end, and never looks like a lost connection."""

    def broken(_: RawRequest) -> Reply:
        raise LookupError("no such answer")

    with pytest.raises(LookupError, match="no such answer"):
        async with RawGateway(broken) as gateway:
            await talk(gateway, REQUEST)


async def test_it_serves_tls() -> None:
    """With a certificate, the gateway is reached by https and behaves the same."""
    serving, trusting = tls_contexts()
    async with RawGateway(OK, tls=serving) as gateway, httpx.AsyncClient(verify=trusting) as http:
        assert gateway.base_url.startswith("https://")
        assert (await http.get(f"{gateway.base_url}/x")).text == "fine"
        assert [request.path for request in gateway.requests] == ["/x"]


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("application/json", b'{"to": ["1", "2"], "n": 3, "x": {"y": null}}', ("1", "2", "3")),
        ("application/x-www-form-urlencoded", b"to=1%2C2&text=a+b", ("1,2", "a b")),
        ("text/plain", b"whatever", ()),
    ],
)
def test_values_are_read_from_every_kind_of_body(
    kind: str, body: bytes, expected: tuple[str, ...]
) -> None:
    """Query, form and JSON give their values decoded."""
    request = RawRequest("POST", "/send?q=%2B1", {"content-type": kind}, body)
    assert request.values[: len(expected) + 1] == ("+1", *expected)


def test_a_request_shows_no_content() -> None:
    """The repr of a request holds no part of it that could be a secret."""
    request = RawRequest("POST", "/?key=s3cret", {"authorization": "s3cret"}, b"s3cret")
    assert "s3cret" not in repr(request)
