"""What moves bytes: the interface that HTTP libraries are put behind.

Another library, or HTTP/2, is a module beside this one with a class that is an `Engine`, and a name
for it in `_http/pool.py`. Both engines speak HTTP/1.1 alone: only there is it known of each request
whether a byte of it was written.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

from attrs import define, field, frozen

from iprog_async._core.clock import uptime
from iprog_async._core.hot_path import value


@value
class WireRequest:
    """A request ready for an engine."""

    method: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    content: bytes = field(repr=False)
    has_query: bool = False


@value
class WireReply:
    """What an engine read off the wire.

    Args:
        status: HTTP status.
        headers: Header fields, names in lower case; the values of one that comes several times
            are joined (RFC 9110, 5.3).
        body: All of the body, unpacked.
        whole: Whether it is certain that this is all: it ended where it said that it would, and
            nothing came behind it.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    whole: bool = True


def add_field(headers: dict[str, str], name: str, value: str) -> None:
    """Add a header field to those that came before it; where it says something new, both count."""
    before = headers.get(name, value)
    headers[name] = value if before == value else f"{before}, {value}"


MAX_BODY = 4 * 1024 * 1024
"""Longest answer that is read, in bytes; a page of 100 messages is under 100 kB."""


@define
class RequestProgress:
    """How far a request has come, kept up to date by the engine while it works.

    It starts pessimistic: a request of which nothing is known may have left.
    """

    connecting: bool = False
    writing: bool = False
    leaves_by: float = math.inf
    """Until when, by `uptime`, a byte may be written."""

    @property
    def may_have_left(self) -> bool:
        """Whether a byte of the request may have been written."""
        return self.writing or not self.connecting

    def too_late(self) -> Failure | None:
        """Return why not to write any more; `None` if it is not too late."""
        if self.leaves_by == math.inf or uptime() < self.leaves_by:
            return None
        return Failure(TOO_LATE, may_have_left=False)


KEEPALIVE = 30.0
"""Seconds that a connection without a request is kept open."""

TOO_LATE = (
    "it took so long until it could be written that it was not sent any more: connecting was slow, "
    "other work held up the event loop, this machine slept, or the process was stopped"
)


@frozen
class Failure:
    """Why there is no answer.

    Args:
        reason: What was seen, in words.
        may_have_left: Whether a byte of the request may have been written.
        unusable: Whether the request can't be made at all, now or later.
        proxy: The variable of the environment that names the proxy on the way, if there is one.
    """

    reason: str
    may_have_left: bool
    unusable: bool = False
    proxy: str = ""


class Engine(Protocol):
    """Moves one request at a time over a connection, and never repeats one by itself."""

    async def exchange(
        self, request: WireRequest, progress: RequestProgress, slot: int, connect_timeout: float
    ) -> WireReply | Failure:
        """Make one request; every failure of the network is returned, not raised.

        Returning instead of raising keeps the HTTP library's exceptions, which carry the
        whole URL, out of every traceback.
        """
        ...

    def check(self, origin: str) -> None:
        """Check what the environment says about reaching an address, before anything is sent.

        Args:
            origin: Such as `https://sms.example.com`.

        Raises:
            ConfigurationError: With it as it is, nothing could be sent there.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...
