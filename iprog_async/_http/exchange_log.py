"""What was said to a gateway and what it answered, for whoever looks for what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager

from iprog_async._core.redaction import SECRET_KEYS, Redactor, mask_keys, one_line
from iprog_async._core.sealed import MASK
from iprog_async._engines.base import Failure, WireReply, WireRequest


Sink = Callable[[str], None]
"""Shows a line."""

# Not a logger: numbers and texts are in it, and at DEBUG no logger tells who was sent what.
_sinks: list[Sink] = []
_LONGEST = 2000
_SECRET_FIELD = re.compile(rf"\b({'|'.join(sorted(SECRET_KEYS))})=[^&\s]*")


def log_exchange(request: WireRequest, result: WireReply | Failure, redactor: Redactor) -> None:
    """Show a request and its answer to whoever asked for it; no credential, and no headers.

    Args:
        request: What was sent.
        result: What came back, or why nothing did.
        redactor: Takes out the secrets of the call.
    """
    if not _sinks:
        return
    lines = [f"> {request.method} {_shown(request.url.encode(), redactor)}"]
    if request.content:
        lines.append(f"> {_shown(request.content, redactor)}")
    if isinstance(result, Failure):
        lines.append(f"< no answer: {one_line(redactor.text(result.reason))}")
    else:
        lines.append(f"< HTTP {result.status} {_shown(result.body, redactor)}")
    for sink in _sinks:
        for line in lines:
            sink(line)


@contextmanager
def exchanges_shown(sink: Sink) -> Generator[None]:
    """Show each request and its answer for as long as a block takes.

    Args:
        sink: Shows a line of them.
    """
    _sinks.append(sink)
    try:
        yield
    finally:
        _sinks.remove(sink)


def _shown(body: bytes, redactor: Redactor) -> str:
    text = body.decode("utf-8", "replace")
    try:
        masked = json.dumps(redactor.data(mask_keys(json.loads(text))), ensure_ascii=False)
    except (ValueError, RecursionError):
        masked = _SECRET_FIELD.sub(rf"\1={MASK}", redactor.text(text))
    return one_line(masked, _LONGEST)
