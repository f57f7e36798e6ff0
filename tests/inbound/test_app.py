"""The application that gateways post incoming texts to."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from support.core.fakes import FakeProvider
from support.core.misbehaving import await_cancelled
from support.inbound.posting import FORM, SECRET, TEXT, Poster
from support.waiting import LONG

from iprog_async import (
    ConfigurationError,
    Inbound,
    Suppressions,
    SuppressionsError,
    UnsupportedError,
)
from iprog_async.inbound import InboundApp
from iprog_async_providers.infopromo import InfopromoProvider


PROVIDER = InfopromoProvider("1|token", region="PH")
NUMBER = "+639171234567"
BODY = json.dumps(TEXT).encode()


def app_of(on_message: Any = None, **settings: Any) -> InboundApp:
    """Return an application with the tests' provider and secret."""
    return InboundApp(PROVIDER, on_message, secret=SECRET, **settings)


@pytest.fixture
def got() -> list[Inbound]:
    """Return where the texts go."""
    return []


@pytest.fixture
def poster(got: list[Inbound]) -> Poster:
    """Return a gateway that posts to a handler that takes every text."""
    return Poster(app_of(got.append))


async def test_text_is_handed_over(poster: Poster, got: list[Inbound]) -> None:
    """What a server posts becomes a value, with the sender's number as E.164."""
    answer = await poster.post(BODY)
    assert (200, "ok\n") == (answer.status, answer.body)
    (inbound,) = got
    assert (NUMBER, "STOP", "8080", "infopromo", None) == (
        inbound.sender,
        inbound.text,
        inbound.to,
        inbound.gateway,
        inbound.id,
    )
    assert inbound.received_at is not None
    assert inbound.received_at.utcoffset() is not None
    assert (TEXT, True) == (inbound.raw, inbound.is_from_a_number)


async def test_async_handler_is_awaited(got: list[Inbound]) -> None:
    """A handler may be an async function, an object that is one, or give something to await."""

    async def handle(inbound: Inbound) -> None:
        await asyncio.sleep(0)
        got.append(inbound)

    class Handles:
        async def __call__(self, inbound: Inbound) -> None:
            await handle(inbound)

    handlers: list[Callable[[Inbound], Any]] = [handle, Handles(), lambda inbound: handle(inbound)]
    for handler in handlers:
        assert 200 == await Poster(app_of(handler)).text()
    assert 3 == len(got)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"secret": "wrong-secret_of-the-path"}, 404),
        ({"secret": ""}, 404),
        ({"secret": f"{SECRET}/"}, 404),
        ({"secret": "sécret-ünd-lang-genug"}, 404),
        ({"secret": "wrong", "method": "GET"}, 404),
        ({"method": "GET"}, 405),
        ({"method": "PUT"}, 405),
        ({"kind": None}, 415),
        ({"kind": "text/plain"}, 415),
        ({"kind": "multipart/form-data"}, 415),
        ({"length": 65_537}, 413),
        ({"length": 10**30}, 413),
    ],
)
async def test_other_requests_are_refused(
    poster: Poster, got: list[Inbound], request_: dict[str, Any], status: int
) -> None:
    """A wrong secret, method or type, or a length beyond the limit, is told, and not handled."""
    answer = await poster.post(BODY, **request_)
    assert (status, []) == (answer.status, got)
    assert SECRET not in answer.body


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff", 400),
        (b'{"a":' * 500 + b"1" + b"}" * 500, 400),
        (b"[" * 60_000, 400),
        (b"{}", 422),
        (b'{"from": "639171234567"}', 422),
        (b'{"from": " ", "content": "Hi"}', 422),
        (b'{"from": {"a": 1}, "content": "Hi"}', 422),
        (b'{"from": "639171234567", "content": ["Hi"]}', 422),
        (b'{"status": "success", "data": {}}', 422),
    ],
)
async def test_what_is_no_text_is_refused(
    poster: Poster, got: list[Inbound], body: bytes, status: int
) -> None:
    """A body that can't be read, or is no incoming text, is told apart, and not handled."""
    assert status == (await poster.post(body)).status
    assert [] == got


async def test_form_is_read_like_json(poster: Poster, got: list[Inbound]) -> None:
    """A form with the same fields is the same text."""
    kind = f"{FORM}; charset=utf-8"
    answer = await poster.post(b"from=639171234567&content=Caf%C3%A9", kind=kind)
    assert (200, ["Café"]) == (answer.status, [inbound.text for inbound in got])


async def test_body_in_parts_is_one(poster: Poster, got: list[Inbound]) -> None:
    """A body is put together from its parts."""
    assert 200 == (await poster.post(BODY[:7], b"", BODY[7:])).status
    assert 1 == len(got)


async def test_body_beyond_the_limit_is_not_read(got: list[Inbound]) -> None:
    """Of a body without an announced length no more is read than the limit."""
    poster = Poster(app_of(got.append, max_body=100))
    answer = await poster.post(b"x" * 60, b"x" * 60, hangs="waits")
    assert (413, "close", []) == (answer.status, answer.headers["connection"], got)


async def test_slow_body_is_not_waited_for(got: list[Inbound]) -> None:
    """A body that does not come in time is refused."""
    poster = Poster(app_of(got.append, read_timeout=0.001))
    assert (408, []) == ((await poster.post(BODY[:5], hangs="waits")).status, got)


async def test_half_a_body_is_not_handled(poster: Poster, got: list[Inbound]) -> None:
    """Whoever goes away before the end has posted nothing."""
    assert (0, []) == ((await poster.post(BODY, hangs="gone")).status, got)


async def test_sender_may_be_no_number(poster: Poster, got: list[Inbound]) -> None:
    """A short code or a name stays as it is written, and is not taken for a number."""
    for sender in ("8080", "GLOBE", 8080, "0917 123 4567"):
        assert 200 == await poster.text(**{"from": sender}, content=f"Hi from {sender!r}")
    assert ["8080", "GLOBE", "8080", NUMBER] == [inbound.sender for inbound in got]
    assert [False, False, False, True] == [inbound.is_from_a_number for inbound in got]


async def test_repeated_text_is_handled_once(poster: Poster, got: list[Inbound]) -> None:
    """The same words from the same number are answered and not handled again; others are."""
    assert [200] * 3 == [await poster.text(content=words) for words in ("Hi", "Hi", "Ho")]
    assert ["Hi", "Ho"] == [inbound.text for inbound in got]


async def test_workers_handle_a_text_once(
    suppressions: Suppressions, place: Any, got: list[Inbound]
) -> None:
    """With a database beside them two workers handle a text once; without one each does."""
    shared = not str(place).endswith(".txt")
    apps = [app_of(got.append, suppressions=suppressions) for _ in range(2)]
    assert [200, 200] == [await Poster(app).text(content="Hi") for app in apps]
    assert (1 if shared else 2) == len(got)
    for app in apps:
        app.close()


async def test_text_that_fails_is_posted_again(
    got: list[Inbound], caplog: pytest.LogCaptureFixture
) -> None:
    """What a handler raises is an error to the gateway, in the log, and new the next time."""
    errors = [RuntimeError("the shop is closed")]

    def handle(inbound: Inbound) -> None:
        if errors:
            raise errors.pop()
        got.append(inbound)

    poster = Poster(app_of(handle))
    assert [500, 200, 200] == [await poster.text(content="Hi") for _ in range(3)]
    assert 1 == len(got)
    assert "the shop is closed" in caplog.text
    assert SECRET not in caplog.text


async def _cancelled(_: Inbound) -> None:
    await await_cancelled()


def _ended(_: Inbound) -> None:
    next(iter(()))


@pytest.mark.parametrize("handle", [_cancelled, _ended], ids=["a cancellation", "an end"])
async def test_whatever_a_handler_raises_is_answered(handle: Any) -> None:
    """Nobody waits for ever, and what was cancelled in it is no end of the server's request."""
    async with asyncio.timeout(LONG):
        assert 500 == await Poster(app_of(handle)).text(content="Hi")


async def test_text_that_is_being_handled_is_not_handled_beside() -> None:
    """While a text is handled, its repetition is told to come later: nobody knows yet."""
    entered, leave = asyncio.Event(), asyncio.Event()

    async def handle(_: Inbound) -> None:
        entered.set()
        await leave.wait()

    poster = Poster(app_of(handle))
    first = asyncio.create_task(poster.text(content="Hi"))
    await entered.wait()
    assert 503 == await poster.text(content="Hi")
    leave.set()
    assert 200 == await first


async def test_cancelled_text_is_new_again(got: list[Inbound]) -> None:
    """A handler that the server's end cuts off has not handled its text."""
    entered = asyncio.Event()

    async def handle(inbound: Inbound) -> None:
        got.append(inbound)
        if len(got) == 1:
            entered.set()
            await asyncio.Event().wait()

    poster = Poster(app_of(handle))
    first = asyncio.create_task(poster.text(content="Hi"))
    await entered.wait()
    first.cancel()
    assert [asyncio.CancelledError] == [
        type(each) for each in await asyncio.gather(first, return_exceptions=True)
    ]
    assert (200, 2) == (await poster.text(content="Hi"), len(got))


async def test_stop_is_obeyed_before_the_handler(suppressions: Suppressions) -> None:
    """When a handler sees a STOP the number is on the list, and off it with a START."""
    states: list[bool] = []

    async def handle(inbound: Inbound) -> None:
        states.append(await suppressions.contains(inbound.sender))

    app = app_of(handle, suppressions=suppressions)
    assert [200] * 3 == [await Poster(app).text(content=words) for words in ("Stop", "Hi", "start")]
    assert [True, True, False] == states
    app.close()


async def test_stop_is_obeyed_though_the_handler_fails(suppressions: Suppressions) -> None:
    """An error of the handler leaves the number on the list."""

    def handle(_: Inbound) -> None:
        raise RuntimeError

    app = app_of(handle, suppressions=suppressions)
    assert 500 == await Poster(app).text(content="STOP")
    assert await suppressions.contains(NUMBER)
    app.close()


async def test_second_stop_counts_and_second_start_does_not(suppressions: Suppressions) -> None:
    """Told of again, a STOP is obeyed: it may be a new one. A START is taken for the old one."""
    app = app_of(suppressions=suppressions)
    told = ("STOP", "START", "STOP", "START")
    assert [200] * 4 == [await Poster(app).text(content=words) for words in told]
    assert await suppressions.contains(NUMBER)
    app.close()


async def test_start_is_obeyed_once_though_the_handler_fails(suppressions: Suppressions) -> None:
    """A START that comes again, since its handler failed, does not undo the STOP in between."""
    errors = [RuntimeError("the shop is closed")]

    def handle(_: Inbound) -> None:
        if errors:
            raise errors.pop()

    poster = Poster(app_of(handle, suppressions=suppressions))
    told = ("START", "STOP", "START")
    assert [500, 200, 200] == [await poster.text(content=words) for words in told]
    assert await suppressions.contains(NUMBER)
    poster.app.close()


async def test_start_that_was_not_obeyed_is_new_again(
    suppressions: Suppressions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A START that can't be written down is obeyed when it comes again."""
    hear, errors = suppressions.hear, [SuppressionsError("the disk is full")]

    async def hear_later(inbound: Inbound) -> Any:
        if errors:
            raise errors.pop()
        return await hear(inbound)

    await suppressions.add(NUMBER)
    monkeypatch.setattr(suppressions, "hear", hear_later)
    poster = Poster(app_of(suppressions=suppressions))
    assert [500, 200] == [await poster.text(content="START") for _ in range(2)]
    assert not await suppressions.contains(NUMBER)
    poster.app.close()


async def test_list_that_is_gone_is_an_error(tmp_path: Any) -> None:
    """A STOP that can't be written down is answered with an error, so that it comes again."""
    path = tmp_path / "stop.txt"
    with Suppressions.open(path) as suppressions:
        path.unlink()
        assert 500 == await Poster(app_of(suppressions=suppressions)).text(content="STOP")


@pytest.mark.parametrize(
    "secret", ["", "short", "x" * 201, "with space in it 123", "sl/sh" * 5, None]
)
def test_weak_secret_is_refused(secret: Any) -> None:
    """A secret that is short, or would not stay one part of a path, is an error that hides it."""
    with pytest.raises(ConfigurationError, match="token_urlsafe") as caught:
        InboundApp(PROVIDER, print, secret=secret)
    assert not secret or secret not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({}, ConfigurationError),
        ({"on_message": print, "confirmation": "Bye"}, ConfigurationError),
        ({"on_message": print, "suppressions": "stop.txt"}, ConfigurationError),
        ({"on_message": print, "window": 0}, ConfigurationError),
        ({"on_message": print, "read_timeout": float("nan")}, ConfigurationError),
    ],
)
def test_wrong_settings(settings: dict[str, Any], error: type[Exception]) -> None:
    """What makes no sense is said when the application is made."""
    with pytest.raises(error):
        app_of(**settings)


@pytest.mark.parametrize("provider", [FakeProvider(), InfopromoProvider, "infopromo", None])
def test_provider_has_to_push(provider: Any) -> None:
    """A provider whose gateway pushes nothing is an error that says so."""
    with pytest.raises(UnsupportedError, match="pushes no incoming texts"):
        InboundApp(provider, print, secret=SECRET)


async def test_secret_is_in_nothing_that_is_shown(
    poster: Poster, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the application, nor what a server logs of the request, nor a log has it."""
    caplog.set_level(logging.DEBUG)
    await poster.post(BODY)
    await poster.post(b"{}")
    shown = [repr(poster.app), caplog.text, *map(repr, poster.scopes), repr(vars(poster.app))]
    assert [] == [words for words in shown if SECRET in words]
    assert ["/sms/___"] * 2 == [scope["path"] for scope in poster.scopes]


@pytest.mark.parametrize(
    ("kind", "path", "shown"),
    [
        ("http", f"/sms/{SECRET}/", "/sms/___/"),
        ("http", f"/{SECRET}/sms", "/___/sms"),
        ("http", f"/{SECRET}/{SECRET}", "/___/___"),
        ("websocket", f"/sms/{SECRET}", "/sms/___"),
    ],
)
async def test_secret_anywhere_in_a_path_is_masked(kind: str, path: str, shown: str) -> None:
    """What a server logs of a request that is refused has no secret either, before its answer."""
    scope: dict[str, Any] = {"type": kind, "method": "GET", "headers": []}
    scope |= {"path": path, "raw_path": path.encode()}
    logged: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    async def send(_: Any) -> None:
        logged.append((scope["path"], scope["raw_path"]))

    await app_of(print)(scope, receive, send)
    assert {(shown, shown.encode())} == set(logged)


async def test_server_begins_and_ends_it() -> None:
    """Run by itself, it says when it is ready, and closes what it has open."""
    said: list[Any] = []
    heard = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive() -> Any:
        return heard.pop(0)

    async def send(message: Any) -> None:
        said.append(message["type"])

    await app_of(print)({"type": "lifespan"}, receive, send)
    await app_of(print)({"type": "websocket", "path": "/"}, receive, send)
    assert ["lifespan.startup.complete", "lifespan.shutdown.complete", "websocket.close"] == said
