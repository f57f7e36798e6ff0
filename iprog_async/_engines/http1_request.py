"""Requests as HTTP/1.1 writes them (RFC 9112)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import httpx
from attrs import field, frozen

from iprog_async._core.sealed import SealedBytes
from iprog_async._engines.base import WireRequest


# The methods whose requests say how long their body is even where there is none.
_WITH_BODY = ("POST", "PUT", "PATCH")
# Their answers have no body, whatever they say, or are none: no adapter uses them.
_UNSUPPORTED = ("HEAD", "CONNECT")


class Origin(NamedTuple):
    """Where connections lead.

    Args:
        host: In ASCII; an IPv6 address without its brackets.
        port: TCP port.
        tls: Whether the connection is encrypted.
    """

    host: str
    port: int
    tls: bool

    @property
    def address(self) -> str:
        """The origin as an address, for example `https://sms.example.com:443`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


@frozen
class Head:
    """What all requests to one path have in common.

    Args:
        origin: Where they go.
        start: Method and path.
        rest: Protocol and header fields.
        declares_length: Whether an empty body is declared, too.
    """

    origin: Origin
    start: bytes = field(repr=False)
    rest: bytes = field(repr=False)
    declares_length: bool


class RequestWriter:
    """Turns requests into bytes; remembers the heads, which hardly ever change.

    The heads hold credentials, so this lives and ends with its engine.
    """

    def __init__(self) -> None:
        self._head: Callable[[str, str, tuple[tuple[str, str], ...]], Head]
        self._head = lru_cache(maxsize=256)(_head)

    def write(self, request: WireRequest) -> tuple[Origin, SealedBytes]:
        """Return where a request goes, and all its bytes.

        Raises:
            ValueError: It can't be written down.
        """
        # The query stays out of what is remembered: that of one send never comes again.
        url, mark, query = request.url.partition("?")
        head = self._head(request.method, url, request.headers)
        target = head.start
        if mark:
            _check_query(query)
            target = b"%s?%s" % (target, query.encode("ascii"))
        content = request.content
        if not content and not head.declares_length:
            return head.origin, SealedBytes(b"%s%s\r\n" % (target, head.rest))
        length = len(content)
        return head.origin, SealedBytes(
            b"%s%sContent-Length: %d\r\n\r\n%s" % (target, head.rest, length, content)
        )


def _check_query(query: str) -> None:
    if not (query.isascii() and query.isprintable()) or " " in query:
        raise ValueError("the query is not percent-encoded")


def _head(method: str, url: str, headers: tuple[tuple[str, str], ...]) -> Head:
    if method in _UNSUPPORTED or not (method.isascii() and method.isalpha()):
        raise ValueError(f"engine='asyncio' makes no {method!r} requests")
    try:
        # The same reading of an address as the other engine's: IDNA, percent-encoding, ports.
        address = httpx.URL(url)
    except httpx.InvalidURL as exc:
        raise ValueError(str(exc)) from None
    if address.scheme not in ("http", "https") or not address.host:
        raise ValueError("the address is neither http:// nor https://")
    tls = address.scheme == "https"
    origin = Origin(address.raw_host.decode("ascii"), address.port or (443 if tls else 80), tls)
    fields = "".join(_field(name, value) for name, value in headers)
    # `netloc` is without user and password: the credentials are the adapter's business.
    rest = b" HTTP/1.1\r\nHost: %s\r\n%s" % (address.netloc, fields.encode("ascii"))
    start = b"%s %s" % (method.encode("ascii"), address.raw_path)
    return Head(origin, start, rest, method in _WITH_BODY)


def _field(name: str, value: str) -> str:
    # Not shown in the error: it may hold a credential.
    if any(char in text for text in (name, value) for char in "\r\n\0"):
        raise ValueError("a line break in a header field")
    return f"{name}: {value}\r\n"
