"""Pages for people, which gateways built on PHP frameworks send to programs too."""

from __future__ import annotations

from html import escape
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import HTMLResponse


_TEMPLATE = """<!DOCTYPE html>
<html lang="en">
    <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>{title}</title>
    </head>
    <body class="antialiased">
        <div class="code">{status}</div>
        <div class="message">{title}</div>
    </body>
</html>
"""


def page_text(status: int) -> str:
    """Return the page that such a framework shows for a status, or nothing where none may be."""
    if status in (204, 304):
        return ""
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Error"
    # The frameworks have a shorter name for the most common one.
    title = {500: "Server Error"}.get(status, title)
    return _TEMPLATE.format(status=status, title=escape(title))


def page(status: int) -> HTMLResponse:
    """Return the page as an answer."""
    return HTMLResponse(page_text(status), status)


def error_page(_: Request, error: Exception) -> HTMLResponse:
    """Return the page for what a route raised."""
    status: int = getattr(error, "status_code", 500)
    answer = page(status)
    answer.headers.update(getattr(error, "headers", None) or {})
    return answer
