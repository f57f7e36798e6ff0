"""What was said to a gateway and what it answered, for whoever looks for what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager

from iprog_async._core.json_types import is_array, is_object
from iprog_async._core.redaction import SECRET_KEYS, Redactor, mask_keys, one_line
from iprog_async._core.sealed import MASK
from iprog_async._engines.base import Failure, WireReply, WireRequest


Sink = Callable[[str], None]
"""Shows a line."""

# Not a logger: numbers and texts are in it, and at DEBUG no logger tells who was sent what.
_sinks: list[Sink] = []
_LONGEST = 2000
_SECRET_FIELD = re.compile(rf"\b({'|'.join(sorted(SECRET_KEYS))})=[^&\s]*")


def log_exchange(
    request: WireRequest, result: WireReply | Failure, redactor: Redactor, *, confidential: bool
) -> None:
    """Show a request and its answer to whoever asked for it; no credential, and no headers.

    Args:
        request: What was sent.
        result: What came back, or why nothing did.
        redactor: Takes out the secrets of the call.
        confidential: Whether the answer may hold a code or a key: only its names are shown then.
    """
    if not _sinks:
        return
    lines = [f"> {request.method} {_shown(request.url.encode(), redactor)}"]
    if request.content:
        lines.append(f"> {_shown(request.content, redactor)}")
    if isinstance(result, Failure):
        lines.append(f"< no answer: {one_line(redactor.text(result.reason))}")
    else:
        shown = (
            _names_shown(result.body, redactor)
            if confidential
            else _shown(result.body, redactor, whole=result.whole)
        )
        lines.append(f"< HTTP {result.status} {shown}")
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


def _shown(body: bytes, redactor: Redactor, *, whole: bool = True) -> str:
    """Return what was said, with secrets masked; without its end, where that may be half of one."""
    text = body.decode("utf-8", "replace")
    try:
        masked = json.dumps(redactor.data(mask_keys(json.loads(text))), ensure_ascii=False)
    except (ValueError, RecursionError):
        begins = redactor.beginning(text, len(text), goes_on=not whole)
        masked = _SECRET_FIELD.sub(rf"\1={MASK}", begins)
    return one_line(masked, _LONGEST)


def _names_shown(body: bytes, redactor: Redactor) -> str:
    """Return an answer without its values, anywhere in which there may be a code."""
    try:
        names = redactor.text(json.dumps(_without_values(json.loads(body)), ensure_ascii=False))
    except (ValueError, RecursionError):
        names = MASK
    return f"{one_line(names, _LONGEST)} (values are not shown: a code or a key may be among them)"


def _without_values(data: object) -> object:
    if is_object(data):
        return {name: _without_values(value) for name, value in data.items()}
    if is_array(data):
        return [_without_values(value) for value in data]
    return data if data is None or isinstance(data, bool) else MASK
