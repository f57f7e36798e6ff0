"""What requests call this program (RFC 9110, 10.1.5)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from iprog_async._core.errors import ConfigurationError
from iprog_async._core.redaction import shown


if TYPE_CHECKING:
    import httpx


def check_user_agent(given: str | None) -> str | None:
    """Return what a user set; raises `ConfigurationError` if no header field can carry it."""
    what: object = given
    if what is None:
        return None
    if not (isinstance(what, str) and what.strip() and what.isascii() and what.isprintable()):
        raise ConfigurationError(
            f"user_agent= takes a text such as 'my-shop/1.2', in printable ASCII, not {shown(what)}"
        )
    return what.strip()


def agent_of(http: httpx.AsyncClient | None) -> str:
    """Return the name that is used unless one is set: a user's own client may have one."""
    theirs = "" if http is None else http.headers.get("user-agent", "")
    return theirs if theirs and not theirs.startswith("python-httpx/") else default_user_agent()


@lru_cache(maxsize=1)
def default_user_agent() -> str:
    """Return `iprog-async/VERSION`."""
    # Imported here: many programs never need it otherwise.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"iprog-async/{version('iprog-async')}"
    except PackageNotFoundError:
        # A source folder that is not installed has no version.
        return "iprog-async"
