"""Input that no gateway expects: the server answers something, and lives on."""

import asyncio
import socket
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sandbox_toy import CONTEXT, exchange, fetch
from support.waiting import LONG

from iprog_async.sandbox import Fault, Sandbox
from iprog_async.sandbox._simulation.bodies import MAX_BODY


def is_alive(url: str) -> bool:
    """Return whether the server still does its work."""
    return fetch("GET", f"{url}/_sandbox/health").is_success


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"GET /\xc3\xa4 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * 100_000,
        b"POST /toy/send HTTP/1.1\r\nHost: localhost\r\nContent-Length: ten\r\n\r\n",
        b"POST /toy/send HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /toy/send HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_broken_http_is_refused(sandbox: Sandbox, sent: bytes) -> None:
    """What is no HTTP is answered with 400, and the server lives on."""
    assert exchange(sandbox.url, sent).startswith(b"HTTP/1.1 400 ")
    assert is_alive(sandbox.url)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /%ff%fe%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"404"),
        (b"GET /toy/send HTTP/1.1\r\nHost: [\r\n\r\n", b"421"),
        (b"GET /toy//send/../.. HTTP/1.1\r\nHost: localhost\r\n\r\n", b"404"),
        (b"BREW /toy/send HTTP/1.1\r\nHost: localhost\r\n\r\n", b"405"),
        (b"POST /toy/send HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", b"500"),
        (
            b"POST /toy/send HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
            b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00",
            b"500",
        ),
        (b"GET / HTTP/9.9\r\n\r\n", b"200"),
        (
            b"GET /toy/words HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\r\n",
            b"404",
        ),
    ],
)
def test_odd_requests_are_answered(sandbox: Sandbox, sent: bytes, status: bytes) -> None:
    """A request that is odd but HTTP gets an answer, and the server lives on."""
    sent = sent.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    assert exchange(sandbox.url, sent).split(b" ")[1] == status
    assert is_alive(sandbox.url)


@given(body=st.binary(max_size=300), form=st.booleans())
def test_any_body_is_answered(running: Sandbox, body: bytes, form: bool) -> None:
    """Whatever bytes are sent as a text, the gateway answers."""
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    headers = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close"
    sent = f"POST /toy/send HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n\r\n".encode() + body
    assert exchange(running.url, sent).split(b" ")[1] in (b"200", b"500")


@pytest.mark.parametrize("path", ["/toy/send", "/_sandbox/faults", "/_sandbox/credit"])
@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"\xff\xfe\x00\xd8", b'{"a": 1e', b"null"])
def test_bad_json_is_answered(sandbox: Sandbox, path: str, body: bytes) -> None:
    """JSON that can't be read gets a status of an error, or counts as empty."""
    method = "PUT" if path.endswith("credit") else "POST"
    assert fetch(method, sandbox.url + path, content=body).status_code in (400, 500)
    assert is_alive(sandbox.url)


@pytest.mark.parametrize("chunked", [False, True])
def test_huge_body_is_not_read(sandbox: Sandbox, chunked: bool) -> None:
    """A body above the limit gets HTTP 413, whether or not its length is announced."""
    body = b"x" * (MAX_BODY + 1)
    content = iter([body[:MAX_BODY], body[MAX_BODY:]]) if chunked else body
    assert fetch("POST", f"{sandbox.url}/toy/send", content=content).status_code == 413
    assert is_alive(sandbox.url)


def test_client_that_leaves_halfway_sends_nothing(sandbox: Sandbox) -> None:
    """A request that breaks off in its body is not acted on, and uses up no fault."""
    sandbox.add_fault(Fault("*", "status"))
    body = b'{"to": "1", "text": "hi"}'
    head = f"POST /toy/send HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body) + 1}\r\n\r\n"
    parts = urlsplit(sandbox.url)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.sendall(head.encode() + body)
    assert is_alive(sandbox.url)
    assert (sandbox.inbox, len(sandbox.faults)) == ([], 1)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_failing_route_shows_a_page(
    sandbox: Sandbox, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A route that raises is answered with an HTML page, and its author finds it in the log."""
    answer = fetch(method, f"{sandbox.url}/toy/boom")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>Server Error</title>" in answer.text
    assert "phone_number" not in answer.text
    assert f"{method} /toy/boom: the route failed" in caplog.text
    assert "KeyError: 'phone_number'" in caplog.text


def test_route_that_fails_halfway_breaks_the_answer(sandbox: Sandbox) -> None:
    """A route that raises in the middle of its answer ends the connection there."""
    with pytest.raises(httpx.RemoteProtocolError):
        fetch("GET", f"{sandbox.url}/toy/half")
    assert is_alive(sandbox.url)


def test_routes_choose_their_status(sandbox: Sandbox) -> None:
    """A status that a route raises becomes a page with its header fields."""
    answer = fetch("GET", f"{sandbox.url}/toy/forbidden")
    assert (answer.status_code, answer.headers["x-why"]) == (403, "because")
    assert "<title>Forbidden</title>" in answer.text


def test_no_slash_is_added(sandbox: Sandbox) -> None:
    """A path with a slash too many is not found, and not redirected."""
    assert fetch("POST", f"{sandbox.url}/toy/send/", json={}).status_code == 404
    assert fetch("POST", f"{sandbox.url}/toy", json={}).status_code == 404


@pytest.mark.slow
async def test_many_at_once_are_served(sandbox: Sandbox) -> None:
    """A hundred requests at a time leave a hundred texts and no id twice."""
    async with httpx.AsyncClient(base_url=sandbox.url, verify=CONTEXT, timeout=LONG) as client:
        sends = (client.post("/toy/send", json={"to": n, "text": "x"}) for n in range(100))
        answers = await asyncio.gather(*sends)
    assert 100 == len({answer.json()["id"] for answer in answers}) == len(sandbox.inbox)
    assert sandbox.state.credit_of("toy") == 900
