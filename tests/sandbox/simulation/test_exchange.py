"""How much of what travelled is kept."""

import asyncio
from typing import Any

import pytest
from support.sandbox_toy import fetch

from iprog_async.sandbox import Fault, Sandbox
from iprog_async.sandbox._simulation.exchange import MAX_ANSWER, Exchange, LruStore


def arrived(body: bytes = b"", **headers: str) -> Exchange:
    """Return an exchange whose request has just come in."""
    fields = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Exchange("POST", "/toy/send", b"", fields, body)


def answer(exchange: Exchange, *parts: bytes, **headers: str) -> None:
    """Let an exchange see an answer go out."""
    fields = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def go() -> None:
        send = exchange.watch(nowhere)
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})

    asyncio.run(go())


async def nowhere(message: Any) -> None:
    """Send nothing to anyone."""


def test_long_answer_is_kept_up_to_the_limit() -> None:
    """Of an answer no byte above the limit is kept, in however few pieces it is sent."""
    one, many = arrived(), arrived()
    answer(one, b"x" * (MAX_ANSWER + 1))
    answer(many, b"x" * (MAX_ANSWER - 1), b"yz", b"z")
    assert b"x" * MAX_ANSWER == one.answer
    assert b"x" * (MAX_ANSWER - 1) + b"y" == many.answer


def test_late_answer_of_a_forgotten_request_is_not_kept() -> None:
    """What was forgotten stays forgotten, even if it is answered afterwards."""
    exchange = arrived(b"hi")
    exchange.forget()
    answer(exchange, b"late", token="t")
    assert b"" == exchange.answer
    assert not exchange.answer_headers


def test_header_fields_and_query_count() -> None:
    """All that is kept of an exchange is part of its size, and nothing of it once forgotten."""
    plain = arrived()
    large = arrived(b"b" * 1000, name="v" * 1000)
    large.query = b"q" * 1000
    answer(large, b"a" * 1000, other="v" * 1000)
    assert large.size - plain.size > 5000
    large.forget()
    assert plain.size == large.size


def test_store_weighs_the_answer_too() -> None:
    """An exchange whose answer grew pushes older ones out."""
    shelf = LruStore(limit=10_000)
    first, second = arrived(b"1"), arrived(b"2")
    shelf.keep(first)
    shelf.keep(second)
    answer(second, b"a" * 9000)
    shelf.weigh(second)
    assert (None, b"2") == (first.body, second.body)
    assert second.size == shelf.size


def test_store_keeps_each_once() -> None:
    """Two requests whose texts come in by turns take the room of two; a third, that of its own."""
    shelf = LruStore()
    first, second = arrived(b"1"), arrived(b"2")
    for exchange in (first, second, first, second):
        shelf.keep(exchange)
    assert first.size + second.size == shelf.size
    shelf.clear()
    shelf.weigh(first)
    assert 0 == shelf.size


def held(exchange: Exchange) -> int:
    """Return the bytes that an exchange holds on to, objects not counted."""
    fields = exchange.headers + exchange.answer_headers
    rest = len(exchange.query) + len(exchange.body or b"") + len(exchange.answer)
    return rest + sum(len(name) + len(value) for name, value in fields)


def test_answered_requests_fit_into_the_limit(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large header fields and answers leave with the requests that they belong to."""
    monkeypatch.setattr(sandbox.state, "_exchanges", LruStore(1_000_000))
    sandbox.add_fault(Fault("*", "status_after", body="a" * 200_000, times=None))
    for _ in range(10):
        headers = {"X-Large": "h" * 30_000}
        fetch("POST", f"{sandbox.url}/toy/send", json={"to": "1", "text": "x"}, headers=headers)
    # Once this is answered the last of them has ended.
    fetch("GET", f"{sandbox.url}/_sandbox/health")
    sizes = [held(text.exchange) for text in sandbox.inbox if text.exchange]
    assert 10 == len(sizes)
    assert [0] * 6 == sizes[:6]
    assert 800_000 < sum(sizes) < 1_000_000
