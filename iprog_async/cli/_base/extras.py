"""The optional parts of the package, and what to type where one is missing."""

from __future__ import annotations


EXTRAS = ("cli", "sandbox", "fast", "otel", "postgres")
"""The extras that a user may want."""

_MODULES = {
    "cyclopts": "cli",
    "rich": "cli",
    "starlette": "sandbox",
    "uvicorn": "sandbox",
    "psycopg": "postgres",
    "procrastinate": "postgres",
}
"""Modules that commands import, and the extra of each.

Not read from the package's metadata: a bare source folder has none, and needs the hint most.
"""


def install_line(extra: str) -> str:
    """Return the command that installs an extra."""
    return f'pip install "iprog-async[{extra}]"'


def extra_of(module: str | None) -> str | None:
    """Return the extra that a module which can't be imported belongs to, if any."""
    return _MODULES.get((module or "").partition(".")[0])
