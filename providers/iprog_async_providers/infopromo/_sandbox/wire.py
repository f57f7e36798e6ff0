"""How the server reads requests and words its answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from zoneinfo import ZoneInfo

from attrs import frozen
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from iprog_async.sandbox import bearer_token, note_refusal, read_fields


T = TypeVar("T")

PREFIX = "infopromo"
TOKEN = "1|sandbox-infopromo-token"  # noqa: S105 - accepted by the sandbox alone
ZONE = ZoneInfo("Africa/Lagos")
"""The zone of the account's settings: schedules are read on this clock."""
UNAUTHORISED_SENDER = "NotMine"
"""A sender ID that the account may not use."""
QUEUEING_SENDER = "Queue"
"""Texts of this sender are answered as by the one host that queues."""
PER_PAGE = 25


@frozen
class Asked:
    """A request that passed the authentication.

    Args:
        params: Its JSON body and its query as one: the server does not tell them apart.
        path: The open parts of its path.
    """

    params: dict[str, str]
    path: dict[str, str]

    def text(self, name: str) -> str:
        """Return a parameter as text, empty if it is missing."""
        return self.params.get(name, "").strip()

    def require(self, *names: str) -> None:
        """Refuse the request if a parameter is missing; the HTTP status is 200 all the same."""
        for name in names:
            if not self.text(name):
                raise RefusedError(200, f"The {name.replace('_', ' ')} field is required.")


class RefusedError(Exception):
    """An error envelope, and the HTTP status that it travels with."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


Endpoint = Callable[[Asked], JSONResponse]


def success(data: object, message: str | None = None, status: int = 200) -> JSONResponse:
    """Return a success envelope."""
    body = {"status": "success", "message": message, "data": data}
    # The limit is announced and not enforced: a scripted fault can do that.
    headers = {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "999"}
    return JSONResponse(body, status_code=status, headers=headers)


def missing(model: str, uid: str) -> RefusedError:
    """Return what the framework says about a uid that it does not find."""
    return RefusedError(200, f"No query results for model [App\\Models\\{model}] {uid}")


def paginated(
    entries: Sequence[T], asked: Asked, view: Callable[[T], object] = lambda entry: entry
) -> JSONResponse:
    """Return one page of a list as Laravel's paginator does, with addresses nobody should use.

    Args:
        entries: All there are.
        asked: The request.
        view: What is shown of an entry.
    """
    given = asked.text("page")
    page = max(1, int(given)) if given.isascii() and given.isdecimal() else 1
    last = max(1, -(-len(entries) // PER_PAGE))
    start = (page - 1) * PER_PAGE
    shown = [view(entry) for entry in entries[start : start + PER_PAGE]]
    data = {
        "current_page": page,
        "data": shown,
        "from": start + 1 if shown else None,
        "to": start + len(shown) if shown else None,
        "last_page": last,
        "per_page": PER_PAGE,
        "total": len(entries),
        "next_page_url": "http://elsewhere.invalid/?page=2" if page < last else None,
        "links": [],
    }
    return success(data)


def endpoint(handle: Endpoint, *, bearer: bool) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a handler in what the server does for every request.

    Args:
        handle: The handler.
        bearer: Whether the token is in a header (v3) or among the parameters.
    """

    async def answer(request: Request) -> Response:
        params = await _fields(request)
        try:
            _authenticate(request, params, bearer=bearer)
            return handle(Asked(params, dict(request.path_params)))
        except RefusedError as exc:
            return _error(request, exc)

    return answer


async def _fields(request: Request) -> dict[str, str]:
    """Read query and JSON body; forms are read as empty, as the real server does."""
    if request.headers.get("content-type", "").startswith("application/json"):
        return await read_fields(request)
    return dict(request.query_params)


def _authenticate(request: Request, params: dict[str, str], *, bearer: bool) -> None:
    if bearer and bearer_token(request) != TOKEN:
        raise RefusedError(200, "Unauthenticated.")
    if not bearer and params.get("api_token") != TOKEN:
        raise RefusedError(200, "These credentials do not match our records.")


def _error(request: Request, exc: RefusedError) -> Response:
    if "application/json" not in request.headers.get("accept", ""):
        return HTMLResponse("<html><body>Whoops!</body></html>", status_code=500)
    if exc.status == 200:
        note_refusal()
    return JSONResponse({"status": "error", "message": exc.message}, status_code=exc.status)
