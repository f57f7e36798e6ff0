"""The ASGI application that a gateway posts incoming texts to."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import inspect
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from secrets import token_bytes
from typing import Any, cast

from iprog_async._core.callbacks.failures import FAILURES, is_for_this_task
from iprog_async._core.checks import check_seconds, check_type
from iprog_async._core.errors import ConfigurationError, SmsError, UnsupportedError
from iprog_async._core.inbound import Inbound
from iprog_async._core.sealed import Secret
from iprog_async._http.calls import UnclearAnswer
from iprog_async._providers.inbound import SupportsInboundPush
from iprog_async._suppressions.keywords import Wish
from iprog_async._suppressions.places import Place
from iprog_async._suppressions.suppressions import Suppressions
from iprog_async.inbound._confirmation import Confirmation
from iprog_async.inbound._request import (
    GoneError,
    Limits,
    Receive,
    RefusedRequestError,
    Scope,
    Send,
    read_fields,
)
from iprog_async.inbound._seen import ID_WINDOW, key_of
from iprog_async.inbound._seen_places import open_seen


logger = logging.getLogger("iprog_async.inbound")

Handler = Callable[[Inbound], Awaitable[object]] | Callable[[Inbound], object]
"""What is called with each incoming text: an async function, or a plain one, in a thread."""

_SECRET = re.compile(r"[A-Za-z0-9_-]{16,200}", re.ASCII)
# Servers escape what they log, stars for example.
_MASK = "___"
_Header = tuple[bytes, bytes]


class InboundApp:
    """Takes the incoming texts that a gateway posts; mount it, or run it by itself.

    `app.mount("/sms", InboundApp(…))` with FastAPI or Starlette; the address that the gateway is
    given then ends in `/sms/SECRET`. Nothing that it posts is signed: whoever knows the secret
    can make up texts, so its address is as good as a password, and wants HTTPS.

    A text that is told of twice is handled once: one with the same id within a day, or, where
    the gateway gives no ids, the same words from the same number within `window`. What fails is
    answered with HTTP 500, and is new when the gateway repeats it. A STOP is obeyed in any case.

    Args:
        provider: Whose gateway posts; it reads what is posted.
        on_message: Is called with each text.
        secret: The last part of the address: 16 or more letters, digits, `-` and `_`, such as
            `secrets.token_urlsafe(24)` makes.
        suppressions: Hears STOP and START, before `on_message` is called.
        confirmation: What is texted to those who asked for one of the two.
        seen: Where it is kept which texts were handled: an SQLite file, or the `postgresql://`
            address of a journal. By default beside the suppressed numbers; where these are lines,
            or there are none, in this process's memory, which another worker does not know.
        window: Seconds within which the same words are the same text.
        max_body: Bytes of the largest body that is read.
        read_timeout: Seconds in which a body has to be there.

    Raises:
        ConfigurationError: The secret is too short, or nothing is to be done with texts.
        UnsupportedError: The provider's gateway pushes none.
        SuppressionsError: What was seen can't be kept there.
    """

    def __init__(
        self,
        provider: SupportsInboundPush,
        on_message: Handler | None = None,
        *,
        secret: str,
        suppressions: Suppressions | None = None,
        confirmation: Confirmation | None = None,
        seen: Place | None = None,
        window: float = 60.0,
        max_body: int = 65_536,
        read_timeout: float = 10.0,
    ) -> None:
        check_type("suppressions", suppressions, Suppressions)
        check_type("confirmation", confirmation, Confirmation)
        check_seconds("window", window)
        check_seconds("max_body", max_body)
        check_seconds("read_timeout", read_timeout)
        _check_provider(provider)
        if on_message is None and suppressions is None:
            raise ConfigurationError("give InboundApp an on_message, suppressions=, or both")
        if confirmation is not None and suppressions is None:
            raise ConfigurationError("confirmation= confirms what suppressions= heard; give both")
        self._provider = provider
        self._handler = on_message
        self._secret = _checked(secret)
        self._suppressions = suppressions
        self._confirmation = confirmation
        if seen is None and suppressions is not None:
            seen = suppressions.place
        self._seen = open_seen(seen)
        self._window = window
        self._limits = Limits(max_body, read_timeout)

    def __repr__(self) -> str:
        return f"InboundApp({self._provider.name!r})"

    def close(self) -> None:
        """Close what it has open; a server that runs it by itself does that in the end."""
        self._seen.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        has_secret = self._mask_secret(scope)
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            if not has_secret:
                raise RefusedRequestError(404, "there is nothing here")
            fields = await read_fields(scope, receive, self._limits)
            heard = await self._take(fields)
        except RefusedRequestError as exc:
            await _answer(send, exc.status, exc.words, *exc.headers)
        except GoneError:
            return
        else:
            await _answer(send, 200, "ok")
            await self._confirm(heard)

    def _mask_secret(self, scope: Scope) -> bool:
        """Take the secret out of what servers log, wherever in the path it is.

        Returns:
            Whether the last part of the path is the secret.
        """
        secret = str(self._secret).encode()
        parts = str(scope["path"]).split("/")
        equal = [hmac.compare_digest(part.encode("utf-8", "replace"), secret) for part in parts]
        if any(equal):
            shown = [_MASK if same else part for part, same in zip(parts, equal, strict=True)]
            scope["path"] = "/".join(shown)
            scope["raw_path"] = scope["path"].encode("utf-8", "replace")
        return equal[-1]

    async def _take(self, fields: Any) -> Sequence[tuple[Wish, Inbound]]:
        """Handle what was posted, and return what was heard in it."""
        try:
            texts = self._provider.read_push(fields)
        except UnclearAnswer:
            logger.warning("%s posted what is no incoming text", self._provider.name)
            raise RefusedRequestError(422, "this is no incoming text") from None
        heard: list[tuple[Wish, Inbound]] = []
        for inbound in texts:
            try:
                wish = await self._handle_once(inbound)
            except RefusedRequestError:
                raise
            except FAILURES as exc:
                if is_for_this_task(exc):
                    raise
                logger.error(
                    "an incoming text through %s was not handled, and is answered with HTTP 500",
                    self._provider.name,
                    exc_info=exc,
                )
                raise RefusedRequestError(500, "it was not handled; post it again") from None
            if wish is not None:
                heard.append((wish, inbound))
        return heard

    async def _handle_once(self, inbound: Inbound) -> Wish | None:
        wish: Wish | None = None
        if self._suppressions is not None:
            wish = self._suppressions.words.meaning(inbound.text)
            if wish == "stop":
                # Told of twice or not: a STOP that is obeyed twice does no harm, and one that is
                # taken for another's repetition would.
                wish = await self._suppressions.hear(inbound)
        key, owner = key_of(inbound), token_bytes(8)
        window = self._window if inbound.id is None else max(self._window, ID_WINDOW)
        async with self._once(key, owner, window) as is_new:
            if not is_new:
                return None
            if wish == "start":
                wish = await self._start_once(inbound, key, owner, window)
            await self._call(inbound)
        return wish

    async def _start_once(
        self, inbound: Inbound, key: bytes, owner: bytes, window: float
    ) -> Wish | None:
        """Obey a START once, even if the handler fails: a STOP may come before it is told again.

        Returns:
            What was heard now; `None` if it was before.
        """
        assert self._suppressions is not None  # noqa: S101 - it knew the word
        # Known by itself: what is known of the text is forgotten if the handler fails.
        of_start = hashlib.sha256(key).digest()
        async with self._once(of_start, owner, window) as is_new:
            return await self._suppressions.hear(inbound) if is_new else None

    @asynccontextmanager
    async def _once(self, key: bytes, owner: bytes, window: float) -> AsyncGenerator[bool]:
        """Tell whether something is to be done now; if that fails, it is to be done again.

        Raises:
            RefusedRequestError: Somebody is doing it.
        """
        turn = await asyncio.to_thread(self._seen.begin, key, owner, window)
        if turn == "busy":
            raise RefusedRequestError(503, "it is being handled", (b"retry-after", b"5"))
        if turn == "done":
            yield False
            return
        try:
            yield True
        except BaseException:
            # Cancelled or failed: whoever tells of it again finds it new.
            with suppress(SmsError):
                self._seen.give_back(key, owner)
            raise
        await asyncio.to_thread(self._seen.end, key, owner)

    async def _call(self, inbound: Inbound) -> None:
        handler = self._handler
        if handler is None:
            return
        if any(map(inspect.iscoroutinefunction, (handler, type(handler).__call__))):
            await cast("Awaitable[object]", handler(inbound))
            return
        answer = await asyncio.to_thread(_call_plain, handler, inbound)
        if inspect.isawaitable(answer):
            await answer

    async def _confirm(self, heard: Sequence[tuple[Wish, Inbound]]) -> None:
        if self._confirmation is not None:
            for wish, inbound in heard:
                await self._confirmation.send(wish, inbound, self._seen)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return
            await send({"type": "lifespan.startup.complete"})


def _call_plain(handler: Handler, inbound: Inbound) -> object:
    try:
        return handler(inbound)
    except StopIteration as exc:
        # No future holds one, so that whoever waits for this thread would wait for ever.
        raise RuntimeError("on_message raised StopIteration") from exc


def _check_provider(provider: object) -> None:
    if isinstance(provider, type) or not isinstance(provider, SupportsInboundPush):
        name = getattr(provider, "name", None)
        raise UnsupportedError(
            f"{name if isinstance(name, str) else type(provider).__name__} pushes no incoming "
            "texts that this library can read; Ultimate SMS from 3.13 on does, and of several "
            "gateways give the one that pushes"
        )


def _checked(secret: object) -> Secret:
    if not isinstance(secret, str) or not _SECRET.fullmatch(secret):
        raise ConfigurationError(
            "secret= is 16 to 200 letters, digits, - and _; make one with "
            "python -c 'import secrets; print(secrets.token_urlsafe(24))', and keep it where "
            "passwords are kept"
        )
    return Secret(secret)


async def _answer(send: Send, status: int, words: str, *headers: _Header) -> None:
    body = f"{words}\n".encode()
    fields = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
