"""Faults on demand: one rule each, and the registry that keeps them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from attrs import define, evolve, field, frozen

from iprog_async._core.errors import ConfigurationError
from iprog_async.sandbox._simulation.fault_kinds import EFFECTS, FaultKind
from iprog_async.sandbox._simulation.revision import Revision


_NO_BODY = (204, 304)
_ROUTE = re.compile(r"\*|[A-Z*?]+ [/*].*", re.ASCII)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*", re.ASCII)
_FRAMING = ("content-length", "transfer-encoding", "connection")


def _to_headers(
    given: Mapping[str, str] | tuple[tuple[str, str], ...],
) -> tuple[tuple[str, str], ...]:
    return given if isinstance(given, tuple) else tuple(given.items())


@frozen
class Fault:
    """A rule for requests that shall meet trouble.

    | kind | text accepted | what the client sees |
    |---|---|---|
    | `"status"` | no | HTTP `status` |
    | `"status_after"` | yes | HTTP `status` |
    | `"delay"` | yes, at once | the real answer, `delay` seconds later |
    | `"drop_before"` | no | the connection closes, no answer |
    | `"drop_after"` | yes | the same |
    | `"garbage"` | yes | HTTP 200 with a body that is no JSON |
    | `"truncate"` | yes | half of the real answer, then the connection closes |

    Args:
        route: `"METHOD /path"` with `*`, `?` and `[…]` as in file names:
            `"POST /iprog/api/v1/sms_messages*"`; `"*"` is every request to a gateway.
        kind: What happens.
        times: How many requests meet it; `None` is all of them, until the faults are cleared.
        status: HTTP status of `"status"` and `"status_after"`, 200 to 599.
        delay: Seconds until the answer, or until the connection closes; for every kind.
        body: Body of `"status"`, `"status_after"` and `"garbage"` instead of an HTML page.
        headers: Header fields of the same three, such as `{"Retry-After": "2"}`.

    Raises:
        ConfigurationError: A value makes no sense.
    """

    route: str
    kind: FaultKind
    times: int | None = 1
    status: int = 503
    delay: float = 0.0
    body: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), converter=_to_headers)

    def __attrs_post_init__(self) -> None:
        for wrong, words in _mistakes(self):
            if wrong:
                raise ConfigurationError(words)

    @property
    def accepts(self) -> bool:
        """Whether the gateway does what it was asked before the fault shows."""
        return EFFECTS[self.kind].accepts

    def matches(self, method: str, path: str) -> bool:
        """Return whether a request meets it."""
        return fnmatchcase(f"{method} {path}", self.route)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "route": self.route,
            "kind": self.kind,
            "times": self.times,
            "status": self.status,
            "delay": self.delay,
            "body": self.body,
            "headers": dict(self.headers),
        }


def _mistakes(fault: Fault) -> Iterable[tuple[bool, str]]:
    """Yield what may be wrong, and the words for it."""
    yield (
        _ROUTE.fullmatch(fault.route) is None,
        f"route {fault.route!r} is no 'METHOD /path', such as 'POST /iprog/*'",
    )
    yield fault.kind not in EFFECTS, f"kind {fault.kind!r} is none of {', '.join(EFFECTS)}"
    yield fault.times is not None and fault.times < 1, f"times is 1 or more, not {fault.times}"
    yield not 200 <= fault.status <= 599, f"status is 200 to 599, not {fault.status}"
    yield not 0 <= fault.delay <= 3600, f"delay is 0 to 3600 seconds, not {fault.delay}"
    effect = EFFECTS[fault.kind]
    yield (
        effect.only_delays and not fault.delay,
        f"kind {fault.kind!r} needs delay= in seconds",
    )
    own = [kind for kind, other in EFFECTS.items() if other.own_answer]
    yield (
        not effect.own_answer and (fault.body is not None or bool(fault.headers)),
        f"kind {fault.kind!r} takes no body and headers; only {', '.join(own)} do",
    )
    yield (
        fault.status in _NO_BODY and bool(fault.body),
        f"HTTP {fault.status} can't have a body",
    )
    yield not _is_text(fault.body or ""), "body holds half a surrogate pair"
    for name, value in fault.headers:
        yield (
            _HEADER_NAME.fullmatch(name) is None or _HEADER_VALUE.fullmatch(value) is None,
            f"header {name!r} is no name and value in ASCII, on one line",
        )
        yield name.lower() in _FRAMING, f"header {name!r} is set by the server"


def _is_text(body: str) -> bool:
    return body == body.encode("utf-8", "ignore").decode("utf-8")


@define
class FaultRegistry:
    """The faults that are still to come; safe to use from other threads.

    Args:
        revision: What is told when they change.
    """

    _revision: Revision = field(factory=Revision, repr=False)
    _faults: list[Fault] = field(factory=list[Fault], init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)

    def add(self, fault: Fault) -> None:
        """Add a fault behind the others."""
        with self._lock:
            self._faults.append(fault)
        self._revision.bump()

    def remove(self, faults: Iterable[Fault]) -> None:
        """Forget these faults, where they are still to come."""
        gone = set(faults)
        with self._lock:
            self._faults[:] = [fault for fault in self._faults if fault not in gone]
        self._revision.bump()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the first fault that a request meets, and count it."""
        with self._lock:
            for index, fault in enumerate(self._faults):
                if fault.matches(method, path):
                    self._use(index, fault)
                    return fault
        return None

    def _use(self, index: int, fault: Fault) -> None:
        if fault.times == 1:
            del self._faults[index]
        elif fault.times is not None:
            self._faults[index] = evolve(fault, times=fault.times - 1)
        if fault.times is not None:
            self._revision.bump()

    def list(self) -> list[Fault]:
        """Return the faults with the number of times that are left."""
        with self._lock:
            return self._faults.copy()

    def clear(self) -> int:
        """Forget all faults; return how many there were."""
        with self._lock:
            count = len(self._faults)
            self._faults.clear()
        self._revision.bump()
        return count
