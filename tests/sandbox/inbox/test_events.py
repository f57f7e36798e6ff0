"""An open page hears what changes, and no more than it can take."""

import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from support.sandbox_page import TO, events
from support.sandbox_toy import CONTEXT, exchange
from support.waiting import LONG

from iprog_async.sandbox import Fault, Sandbox
from iprog_async.sandbox._inbox import routes


def test_events_tell_how_things_are(sandbox: Sandbox) -> None:
    """A page is told at once how things are, and a page that knows it hears the next change."""
    sandbox.state.accept("toy", TO, "hi", message_id="1")
    first = events(sandbox, 1)[0]
    assert (1, False) == (first["total"], first["remote"])
    assert ["iprog", "toy"] == [gateway["name"] for gateway in first["gateways"]]
    sandbox.add_fault(Fault("GET /toy/x", "status"))
    again = events(sandbox, 1, seen=first["id"])[0]
    assert first["id"] != again["id"]
    assert ["status"] == [fault["kind"] for fault in again["others"]]


def test_page_that_knows_everything_hears_a_beat(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is repeated to a page that is up to date, save that the server is there."""
    monkeypatch.setattr(routes, "BEAT", 0.2)
    seen = events(sandbox, 1)[0]["id"]
    url, headers = f"{sandbox.url}/_sandbox/events", {"Last-Event-ID": seen}
    with httpx.stream("GET", url, headers=headers, verify=CONTEXT, timeout=LONG) as answer:
        lines = answer.iter_lines()
        assert ["retry: 1000", "", "event: beat"] == [next(lines) for _ in range(3)]


def test_slow_page_is_owed_one_event(sandbox: Sandbox) -> None:
    """A page that reads nothing while a thousand texts come in is not sent a thousand events."""
    parts = urlsplit(sandbox.url)
    with socket.create_connection((parts.hostname, parts.port)) as slow:
        slow.sendall(b"GET /_sandbox/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for n in range(1000):
            sandbox.state.accept("toy", TO, "hi", message_id=str(n))
        received = ""
        while '"total": 1000' not in received:
            received += slow.recv(65536).decode()
    assert received.count("id: ") < 100


def test_open_page_does_not_hold_up_the_end() -> None:
    """A stream ends in good order when the sandbox does, and is not cut off."""
    with ExitStack() as running:
        parts = urlsplit(running.enter_context(Sandbox()).url)
        with socket.create_connection((parts.hostname, parts.port), 10) as page:
            page.sendall(b"GET /_sandbox/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            received = b""
            while b'"total": 0' not in received:
                received += page.recv(65536)
            running.close()
            while chunk := page.recv(65536):
                received += chunk
    assert received.endswith(b"\r\n0\r\n\r\n")


def test_head_of_the_events_ends(sandbox: Sandbox) -> None:
    """A HEAD request for the stream is answered at once, with nothing after the head."""
    sent = b"HEAD /_sandbox/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    head, _, body = exchange(sandbox.url, sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"content-type: text/event-stream" in head
    assert b"" == body
