"""What an answer without a body means to whoever takes an empty one as accepted."""

from __future__ import annotations

import pytest
from support.engines.wire import BOTH, EngineName, raw

from iprog_async import RetryPolicy, SmsClient, SmsError
from iprog_async.testing import Behaviour, RawGateway
from iprog_async_providers.ugsms import UgsmsV1Provider


pytest.importorskip("httptools")

OK, GZIP, EMPTY = b"HTTP/1.1 200 OK\r\n", b"Content-Encoding: gzip\r\n", b"Content-Length: 0\r\n"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n"
FAILED = b'{"success":false,"error":"Insufficient balance"}'
REFUSED = b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n%s" % (len(FAILED), FAILED)

CUT: dict[str, Behaviour] = {
    "no length, and the end": raw(OK + b"\r\n", stays=False),
    "no length, packed, and the end": raw(OK + GZIP + b"\r\n", stays=False),
    "a body that there can't be": raw(NO_CONTENT + b"\r\n" + FAILED),
    "a body behind its length": raw(OK + EMPTY + b"\r\n" + FAILED),
    "a second answer": raw(OK + EMPTY + b"\r\n" + REFUSED),
    "fields behind no chunks": raw(
        OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Error: balance\r\n\r\n"
    ),
}
EMPTY_ONES: dict[str, Behaviour] = {
    "no length to be had": raw(NO_CONTENT + b"\r\n"),
    "a length of nothing": raw(OK + EMPTY + b"\r\n"),
    "no chunks": raw(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
}


async def seen(answer: Behaviour, engine: EngineName) -> str:
    """Return what a text comes to where silence is taken for a yes."""
    async with RawGateway(answer) as gateway:
        provider = UgsmsV1Provider(
            "shop", "S3cret-word", base_url=gateway.base_url, accept_empty=True
        )
        async with SmsClient(provider, engine=engine, retry=RetryPolicy.off()) as client:
            try:
                await client.send("0701 234567", "Hi")
            except SmsError as exc:
                return type(exc).__name__
    return "accepted"


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("name", CUT)
async def test_what_may_have_been_cut_is_no_empty_success(name: str, engine: EngineName) -> None:
    """Where a body may have been lost, or came behind, it may have said that it failed."""
    assert "OutcomeUnknownError" == await seen(CUT[name], engine)


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("name", EMPTY_ONES)
async def test_what_is_certainly_empty_is_accepted(name: str, engine: EngineName) -> None:
    """An answer that ends where it says is all of it."""
    assert "accepted" == await seen(EMPTY_ONES[name], engine)
