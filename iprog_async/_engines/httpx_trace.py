"""How far a request through httpx has come, and what it means that it failed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import httpx
from attrs import define, field

from iprog_async._engines.base import TOO_LATE, Failure, RequestProgress


if TYPE_CHECKING:
    import httpcore

# httpx's own transports raise these only before they have written anything. Those of others name
# what went wrong as they like: for httpx-aiohttp, a connection that the server closed after it had
# read the request is a `ConnectTimeout`.
_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
# An event hook may have put it there.
_NO_ADDRESS = (httpx.InvalidURL, httpx.UnsupportedProtocol)
_QUOTING = (httpx.ProtocolError, httpx.DecodingError)
_QUOTED = re.compile(r"""[\s:(]{0,20}(?:(?:bytearray\()?b?['"]|[<{\[])""")
# "proxy" tells of TLS within a tunnel.
_OF_CONNECTING = ("connection.", "proxy.", "socks.")


class _LateError(RuntimeError):
    """It is too late to write the request."""


class _RepeatedError(RuntimeError):
    """A transport wants to write a request once more; it may have had its effect."""


@define
class Trace:
    """What httpcore tells of its steps: how far a request has come, and over what.

    Args:
        progress: Keeps how far it has come.
        is_of_httpx: Returns whether nothing but httpx itself is between us and httpcore. What
            somebody else's transport does before, beside or after it, nobody knows: it may write
            by another library once httpcore could not connect, and raise httpcore's error. So
            nothing that comes through one is a proof.
    """

    progress: RequestProgress
    is_of_httpx: Callable[[], bool] = lambda: True
    stream: httpcore.AsyncNetworkStream | None = None
    _not_connected: object = None
    _written: tuple[object, ...] = field(factory=tuple)

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """Take note of one step.

        Raises:
            RuntimeError: The request must not be written, or not once more; httpcore lets it
                pass, and `failure` knows it.
        """
        if event.startswith(_OF_CONNECTING):
            failure = info.get("exception") if event.endswith(".failed") else None
            # Who is cancelled, ends; who failed may be told to try again.
            ended = isinstance(failure, Exception)
            self.progress.connecting = not ended and self.is_of_httpx()
            if failure is not None:
                self._not_connected = failure
            elif event == "connection.connect_tcp.complete":
                self.stream = info["return_value"]
        elif event.endswith("send_request_headers.started"):
            self._before_writing(info.get("request"))

    def _before_writing(self, request: Any) -> None:
        method, url = getattr(request, "method", b""), getattr(request, "url", None)
        if method == b"CONNECT":
            # It only opens a tunnel through a proxy: the request itself comes after it.
            return
        if self.progress.writing:
            if self._written == (method, url):
                raise _RepeatedError("the transport of the http= client would repeat the request")
            return
        if self.progress.too_late() is not None:
            raise _LateError(TOO_LATE)
        self._written = method, url
        self.progress.writing = True

    def failure(self, exc: Exception) -> Failure:
        """Return what it means that a request failed."""
        # Imported late, as httpx does with httpcore.
        from iprog_async._engines.httpcore_stream import UnaskedError

        if not self.is_of_httpx():
            return Failure(words(exc), may_have_left=True)
        if isinstance(exc, _LateError):
            return Failure(TOO_LATE, may_have_left=False)
        left = self.progress.may_have_left
        if isinstance(exc.__cause__, UnaskedError):
            # httpcore says that it writes before our streams do.
            left = False
        elif not self.progress.writing:
            left = left and not (self._is_of_connecting(exc) or isinstance(exc, _NEVER_LEFT))
        unusable = not left and isinstance(exc, _NO_ADDRESS)
        return Failure(words(exc), may_have_left=left, unusable=unusable)

    def _is_of_connecting(self, exc: Exception) -> bool:
        """Return whether an error is the one that connecting ended with, by any name."""
        failed = self._not_connected
        return failed is not None and (exc is failed or exc.__cause__ is failed)


def words(exc: Exception) -> str:
    """Return what was raised, in words.

    Of what breaks the rules of HTTP nothing is quoted: a line of an answer may hold a number and
    a text.
    """
    said = _QUOTED.split(str(exc), maxsplit=1)[0] if isinstance(exc, _QUOTING) else str(exc)
    return f"{type(exc).__name__}: {said}" if said else type(exc).__name__


def extensions(trace: Trace, connect_timeout: float) -> dict[str, object]:
    """Return what tells httpcore to be traced, and how long connecting may take.

    Reading and writing are bounded by the session's timeout for the whole attempt; waiting for a
    connection by our own queue.
    """
    timeout = {"connect": connect_timeout, "read": None, "write": None, "pool": None}
    return {"timeout": timeout, "trace": trace}
