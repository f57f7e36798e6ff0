"""Looking for secrets in everything a person may come to read."""

from __future__ import annotations

import base64
import copy
import json
import logging
import pickle
import re
import traceback
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import quote, quote_plus

import attrs

from iprog_async._core.tracebacks import parts_of


class LogTrap(logging.Handler):
    """Keeps what each record shows in any way: message, arguments, extras, traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.shown: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        self.shown.append(self.format(record))
        self.shown.append(repr(vars(record)))


@contextmanager
def trapped_logs() -> Generator[LogTrap]:
    """Set every logger that exists to DEBUG and collect what they write."""
    root = logging.getLogger()
    named = [item for item in root.manager.loggerDict.values() if isinstance(item, logging.Logger)]
    loggers = [root, *named]
    before = [(logger, logger.level, logger.propagate, logger.disabled) for logger in loggers]
    trap = LogTrap()
    root.addHandler(trap)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.propagate, logger.disabled = True, False
    try:
        yield trap
    finally:
        root.removeHandler(trap)
        for logger, level, propagate, disabled in before:
            logger.setLevel(level)
            logger.propagate, logger.disabled = propagate, disabled


def shown_by(error: BaseException) -> Iterator[str]:
    """Yield all that an exception shows, with those before it, suppressed or not.

    That is what a log has, and what an error tracker stores: the local variables of each frame,
    the attributes, and the error as it goes to another process.
    """
    for exc in _with_earlier(error):
        yield str(exc)
        yield from traceback.format_exception(exc)
        yield from traceback.TracebackException.from_exception(exc, capture_locals=True).format()
        for frame, _ in traceback.walk_tb(exc.__traceback__):
            for value in frame.f_locals.values():
                yield from _drawn_by_rich(value)
        yield from held_by(exc)


def held_by(value: object) -> Iterator[str]:
    """Yield all that a value shows when it is printed, taken apart, copied or pickled."""
    yield repr(value)
    yield repr(copy.copy(value))
    yield from _drawn_by_rich(value)
    if hasattr(value, "__dict__"):
        yield repr(vars(value))
    if attrs.has(type(value)):
        yield repr(attrs.asdict(cast("Any", value)))
    try:
        yield pickle.dumps(value).decode("latin-1")
    except (TypeError, AttributeError, pickle.PicklingError) as exc:
        # What holds a credential refuses; its words may be shown, too.
        yield str(exc)


def _with_earlier(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, those of its group, and those that it came from."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        exc = pending.pop()
        if exc is None or id(exc) in seen:
            continue
        seen.add(id(exc))
        yield exc
        pending += [exc.__cause__, exc.__context__]
        pending += parts_of(exc)


def _drawn_by_rich(value: object) -> Iterator[str]:
    """Yield a value as rich draws it, which takes it apart; where rich is installed."""
    try:
        from rich.pretty import pretty_repr
    except ImportError:
        return
    yield pretty_repr(value)
    # As in a traceback, where long texts are cut.
    yield pretty_repr(value, max_string=80)


def spellings(secrets: Iterable[str]) -> set[str]:
    """Return the secrets in the forms that URLs, forms, JSON, headers and reprs give them."""
    found: set[str] = set()
    for secret in secrets:
        in_json = json.dumps(secret)[1:-1]
        in_url = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
        found |= {secret, *in_url, *(_lower_case_escapes(spelling) for spelling in in_url)}
        found |= {in_json, in_json.replace("/", "\\/"), repr(secret)[1:-1]}
        found |= {repr(spelling)[1:-1] for spelling in (in_json, repr(secret))}
        found |= {repr(secret.encode())[2:-1], repr(in_json.encode())[2:-1]}
        for coded in (base64.b64encode, base64.urlsafe_b64encode):
            found.add(coded(secret.encode()).decode().rstrip("="))
    return found


def _lower_case_escapes(spelling: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), spelling)


def leaks(shown: Iterable[str], secrets: Iterable[str]) -> list[str]:
    """Return the texts that show a secret."""
    needles = spellings(secrets)
    return [text for text in shown if any(needle in text for needle in needles)]
