"""Calls as bytes, and bytes as answers."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode, urlsplit

from iprog_async._core.json_types import is_object
from iprog_async._core.redaction import Redactor
from iprog_async._engines.base import WireReply, WireRequest
from iprog_async._http.bare_status import text_may_say_taken, text_says_no_more
from iprog_async._http.calls import NOT_JSON, Answer, HttpCall, names_agent
from iprog_async._http.json_codec import read_json, write_json


_JSON = ("Content-Type", "application/json")
_FORM = ("Content-Type", "application/x-www-form-urlencoded")


def encode(call: HttpCall[Any], user_agent: str) -> WireRequest:
    """Turn a call into the bytes and header fields that go out.

    Args:
        call: The call.
        user_agent: What it calls this program, unless its own header fields do.
    """
    url = call.gateway.base_url + call.path
    if call.query:
        url = f"{url}?{urlencode(call.query)}"
    headers = [*call.gateway.headers, *call.headers]
    if not (call.gateway.names_agent or (call.headers and names_agent(call.headers))):
        headers.append(("User-Agent", user_agent))
    content = b""
    if call.json is not None:
        content = write_json(call.json)
        headers.append(_JSON)
    elif call.form is not None:
        content = urlencode(call.form).encode()
        headers.append(_FORM)
    return WireRequest(call.method, url, tuple(headers), content, bool(call.query))


def decode(
    reply: WireReply,
    redactor: Redactor,
    *,
    quotable: bool = True,
    once: bool = True,
    recipients: int = 1,
) -> Answer:
    """Turn what came back into an `Answer`, with secrets masked; never raises."""
    status, headers, body = reply.status, reply.headers, reply.body
    blank = not body or body.isspace()
    moved_to = _host_of(headers.get("location", ""), redactor) if 300 <= status < 400 else ""
    unmasked: dict[str, str] = {}
    try:
        data: object = _read_masked(body, redactor, unmasked)
    except (ValueError, RecursionError):
        data = NOT_JSON
    if is_object(data) and not unmasked and not moved_to:
        # As nearly always: what follows is about other answers.
        return Answer(
            status, headers, data, "", blank, once, recipients, whole=reply.whole, unmasked=unmasked
        )
    excerpt, taken, no_more = "", False, False
    # Text in UTF-16 would be quoted with a gap in each secret, which no mask fits.
    if quotable and not is_object(data) and b"\0" not in body:
        said = body.decode("utf-8", "replace")
        begins = redactor.beginning(said, _QUOTED, goes_on=not reply.whole)
        excerpt = _excerpt(begins, cut=len(body) > _QUOTED)
    if data is NOT_JSON and not blank:
        text = body[:_MOST_READ].replace(b"\0", b"").decode("utf-8", "replace")
        taken = len(body) > _MOST_READ or text_may_say_taken(text)
        no_more = not taken and text_says_no_more(text, status)
    return Answer(
        status,
        headers,
        data,
        excerpt,
        blank,
        once,
        recipients,
        says_taken=taken,
        moved_to=moved_to,
        says_no_more=no_more,
        whole=reply.whole,
        unmasked=unmasked,
    )


_MOST_READ = 200_000
_QUOTED = 2_000
_HOST = re.compile(r"[a-z0-9.:_*-]{1,253}")


def _host_of(location: str, redactor: Redactor) -> str:
    """Return the host of an address, and none of its parts that can hold a credential."""
    try:
        # Masked as it came: a host is read in small letters, in which no secret is known.
        host = urlsplit(redactor.text(location).strip()).hostname or ""
    except ValueError:
        return ""
    return redactor.text(host) if _HOST.fullmatch(host) else ""


_TITLE = re.compile(r"<title[^<>]*>([^<]*)</title", re.IGNORECASE)


def _excerpt(text: str, *, cut: bool) -> str:
    """Return what an error quotes of a body: the title of a page, or how anything else begins.

    It ends with "…" where more came, so that nobody takes it for all that was said.
    """
    if text.lstrip()[:1] != "<":
        return f"{text[:200]}…" if cut or len(text) > 200 else text
    title = _TITLE.search(text)
    return f"an HTML page titled {title[1].strip()[:100]!r}" if title else "an HTML page"


def repeats_a_name(body: bytes) -> bool:
    """Return whether an object of a JSON body has a name twice.

    Of the two values a reader sees the last one only: such an answer proves nothing.
    """
    try:
        json.loads(body.decode().removeprefix("\ufeff"), object_pairs_hook=_unrepeated)
    except ValueError:
        return True
    return False


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name that is repeated")
    return found


def _read_masked(body: bytes, redactor: Redactor, unmasked: dict[str, str]) -> object:
    """Return the JSON of a body with secrets masked; raises `ValueError` if it is none.

    Args:
        body: What came back.
        redactor: What masks.
        unmasked: Gets what was masked for a weak secret that is a part of it.
    """
    # The codec that drops a byte order mark is written in Python, and slow.
    text = body.decode().removeprefix("\ufeff")
    masked = redactor.json(text)
    if masked is not None:
        return read_json(masked)
    data = read_json(text)
    return redactor.data(data, unmasked) if redactor.touches(body) else data
