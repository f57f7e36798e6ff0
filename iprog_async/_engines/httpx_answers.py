"""Reading an answer that came through httpx, and whether it is certain that this is all of it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx

from iprog_async._engines.base import WireReply, add_field
from iprog_async._engines.body import BadBodyError, Body, check_length


if TYPE_CHECKING:
    import httpcore


async def read_answer(reply: httpx.Response) -> WireReply:
    """Read all of an answer, and close it.

    Raises:
        ValueError: It can't be read, or is too long.
        httpx.HTTPError: It did not come to its end.
    """
    try:
        headers = _headers(reply)
        lent = False
        if reply.is_stream_consumed:
            # An event hook of the user's client has read it.
            lent = _is_lent(reply)
            check_length(reply.content)
            content = reply.content
            unpacked = _is_unpacked_to_its_end(reply, headers)
        else:
            body = Body(headers)
            if not isinstance(reply.stream, httpx.AsyncByteStream):
                raise BadBodyError("the answer can't be read asynchronously")
            async for chunk in reply.stream:
                body.feed(chunk)
            content = body.end()
            unpacked = True
        # Of a connection that another request has, what comes in is that one's.
        whole = unpacked and not lent and _is_whole(reply, headers)
        if not whole and not lent:
            # Before the pool has it back, which gives it to the next request at once.
            await close(reply.extensions.get("network_stream"))
        return WireReply(reply.status_code, headers, content, whole)
    finally:
        await reply.aclose()


def _headers(reply: httpx.Response) -> dict[str, str]:
    raw = reply.headers.raw
    headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in raw}
    if len(headers) < len(raw):
        headers.clear()
        for key, value in raw:
            add_field(headers, key.decode("latin-1").lower(), value.decode("latin-1"))
    return headers


def _is_lent(reply: httpx.Response) -> bool:
    """Return whether the connection of an answer that was read has gone to another request.

    Where it can't be found nobody can tell, and it is looked at and closed like any other. One of
    HTTP/2 has many requests at a time, and keeps them apart.
    """
    if reply.extensions.get("http_version") == b"HTTP/2":
        return False
    connection: Any = getattr(_stream_of_httpcore(reply.stream), "_connection", None)
    try:
        return not (connection.is_idle() or connection.is_closed())
    except AttributeError:
        return False


def _is_unpacked_to_its_end(reply: httpx.Response, headers: Mapping[str, str]) -> bool:
    """Return whether httpx has unpacked all of a body: it drops what stands behind an end.

    Where its inside is not as expected nobody can tell.
    """
    if headers.get("content-encoding", "identity").lower() == "identity" or not reply.content:
        return True
    packed: Any = getattr(getattr(reply, "_decoder", None), "decompressor", None)
    return getattr(packed, "eof", False) and not getattr(packed, "unused_data", b"?")


async def close(resource: httpx.AsyncBaseTransport | httpcore.AsyncNetworkStream | None) -> None:
    """Close, and say nothing of trouble: it is not that of the request which is made."""
    with suppress(Exception):
        if resource is not None:
            await resource.aclose()


def _is_whole(reply: httpx.Response, headers: Mapping[str, str]) -> bool:
    """Return whether an answer that was read ended where it said, and with its last byte.

    httpcore would keep what came behind, and take it for the answer to the next request.
    """
    version = reply.extensions.get("http_version")
    if version is None or version == b"HTTP/2":
        # Of a mock; or each of its parts says whether it is the last one.
        return True
    framed = ("content-length" in headers) != ("transfer-encoding" in headers)
    return (
        (framed or reply.status_code in _WITHOUT_BODY)
        and "trailer" not in headers
        and not said_more(reply)
        and not _said_more_below(reply)
    )


_WITHOUT_BODY = (204, 304)


def said_more(reply: httpx.Response) -> bool:
    """Return whether a server said more than its answer.

    Where httpcore's inside is not as expected nobody can tell, and the connection is not used
    again. A transport of somebody else's, which shows no stream, has to know by itself.
    """
    if "network_stream" not in reply.extensions:
        return False
    stream = _stream_of_httpcore(reply.stream)
    try:
        trailing, _ = stream._connection._h11_state.trailing_data
    except AttributeError:
        return True
    return bool(trailing)


def _stream_of_httpcore(outermost: object) -> Any:
    """Return httpcore's own stream of a body; `None` if it can't be found.

    A client has one more around it, and a transport of the user's may have others.
    """
    around = [outermost]
    # It grows as it is gone through.
    for stream in around:
        inner = getattr(stream, "_httpcore_stream", None)
        if inner is not None:
            return getattr(inner, "_stream", None)
        held = getattr(stream, "__dict__", {}).values()
        around += [each for each in held if isinstance(each, _HOLDERS) and each not in around]
        if len(around) > _MOST_STREAMS:
            break
    return None


_MOST_STREAMS = 10
_HOLDERS = (httpx.AsyncByteStream, httpx.Response)


def _said_more_below(reply: httpx.Response) -> bool:
    """Return whether more came in with the answer that httpcore has not read, or has dropped."""
    stream = reply.extensions.get("network_stream")
    if stream is None:
        return False
    unread: bool | None = getattr(stream, "has_unread", None)
    if unread is None:
        return _said_more_in_tls(stream.get_extra_info("ssl_object"))
    return unread or stream.dropped_fields


def _said_more_in_tls(tls: ssl.SSLObject | None) -> bool:
    """Return whether something encrypted is left, such as the end; it shows in no other way."""
    try:
        if tls is not None:
            tls.read(1)
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        return True
    return tls is not None
