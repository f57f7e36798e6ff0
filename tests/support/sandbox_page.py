"""What the sandbox tells its page."""

from __future__ import annotations

import json
from typing import Any

import httpx

from iprog_async.sandbox import Sandbox
from support.sandbox_toy import CONTEXT, fetch
from support.waiting import LONG


TO = "639171234567"


def texts(sandbox: Sandbox, **query: Any) -> dict[str, Any]:
    """Return what the page is told for a query."""
    answer = fetch("GET", f"{sandbox.url}/_sandbox/texts", params=query)
    assert 200 == answer.status_code
    return dict(answer.json())


def details(sandbox: Sandbox, serial: int) -> dict[str, Any]:
    """Return what the page is told of one text."""
    return dict(fetch("GET", f"{sandbox.url}/_sandbox/texts/{serial}").json())


def events(sandbox: Sandbox, count: int, seen: str = "") -> list[dict[str, Any]]:
    """Return the first events of a stream, each with its id."""
    found: list[dict[str, Any]] = []
    url, headers = f"{sandbox.url}/_sandbox/events", {"Last-Event-ID": seen}
    with httpx.stream("GET", url, headers=headers, verify=CONTEXT, timeout=LONG) as answer:
        tag = ""
        for line in answer.iter_lines():
            tag = line.removeprefix("id: ") if line.startswith("id: ") else tag
            if line.startswith("data: "):
                found.append({**json.loads(line.removeprefix("data: ")), "id": tag})
            if len(found) == count:
                break
    return found
