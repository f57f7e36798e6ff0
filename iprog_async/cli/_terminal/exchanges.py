"""`--debug`: what is said to the gateway and what it answers, on stderr."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager

from iprog_async.cli._terminal.output import print_error


_LOGGER = "iprog_async"
_EXCHANGES = "iprog_async.exchange"


@contextmanager
def exchanges_shown() -> Generator[None]:
    """Show each request and its answer for as long as a block takes; credentials are masked."""
    handler = _Lines()
    loggers = [logging.getLogger(name) for name in (_LOGGER, _EXCHANGES)]
    levels = [logger.level for logger in loggers]
    loggers[0].addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        loggers[0].removeHandler(handler)


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.DEBUG:
            print_error(record.getMessage())
