"""Reading and answering requests in JSON; a mistake is told in one line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from iprog_async._core.errors import ConfigurationError
from iprog_async._core.json_types import is_deep, is_object


class Json(JSONResponse):
    """JSON in ASCII: texts may hold half a surrogate pair, which UTF-8 can't express."""

    def render(self, content: object) -> bytes:
        """Return the bytes of the answer."""
        return json.dumps(content).encode()


def plain(amount: Decimal) -> str:
    """Return an amount as people write it, also if it was given as `1e5`."""
    return format(amount, "f")


def check_names(what: str, given: Iterable[str], known: Sequence[str]) -> None:
    """Raise `ConfigurationError` if a name is none of those known."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ConfigurationError(
            f"there is no {what} {', '.join(map(repr, unknown))}; there is {', '.join(known)}"
        )


async def read_object(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body.

    Raises:
        ConfigurationError: There is none.
    """
    try:
        data: object = json.loads(await request.body())
    except (ValueError, RecursionError):
        data = None
    if not is_object(data) or is_deep(data):
        raise ConfigurationError("the body must be a JSON object")
    return data
