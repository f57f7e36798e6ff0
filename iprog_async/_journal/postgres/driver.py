"""The PostgreSQL driver, which is imported where a journal needs it and not before."""

from __future__ import annotations

from types import ModuleType

from iprog_async._core.errors import ConfigurationError


INSTALL = 'pip install "iprog-async[postgres]"'
"""What to type where the driver is missing."""


def driver() -> ModuleType:
    """Return psycopg.

    Raises:
        ConfigurationError: It is missing, with the line that installs it; nothing was sent.
    """
    try:
        import psycopg
    except ImportError as exc:
        raise ConfigurationError(
            f"a journal in PostgreSQL needs psycopg 3 ({exc}): {INSTALL}. Nothing was sent"
        ) from None
    return psycopg
