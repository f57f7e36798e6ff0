"""Looking for secrets in everything a person may come to read."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import quote, quote_plus


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
    """Yield all that an exception shows, with those before it, suppressed or not."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        exc = pending.pop()
        if exc is None or id(exc) in seen:
            continue
        seen.add(id(exc))
        yield str(exc)
        yield repr(exc)
        yield repr(vars(exc))
        yield "".join(traceback.format_exception(exc))
        pending += [exc.__cause__, exc.__context__]


def spellings(secrets: Iterable[str]) -> set[str]:
    """Return the secrets in the forms that URLs, forms, JSON and reprs give them."""
    found: set[str] = set()
    for secret in secrets:
        in_json = json.dumps(secret)[1:-1]
        found |= {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
        found |= {in_json, in_json.replace("/", "\\/"), repr(secret)[1:-1]}
    return found


def leaks(shown: Iterable[str], secrets: Iterable[str]) -> list[str]:
    """Return the texts that show a secret."""
    needles = spellings(secrets)
    return [text for text in shown if any(needle in text for needle in needles)]
