"""Showing a request and its answer to people, without the secrets in them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from iprog_async._json import is_array, is_object
from iprog_async._secrets import MASK, Redactor
from iprog_async.sandbox._exchange import Exchange, Headers


_LONGEST = 20_000
"""Characters of a body that are shown."""
_SECRET_NAME = re.compile(
    r"token|secret|passw|pwd|api[-_]?key|authori[sz]ation|cookie|credential|user_?name"
    r"|status_link|(?:^|_)(?:otp|pin|key)(?:$|_code$)",
    re.IGNORECASE,
)
# A name and its value in what is no whole JSON, such as half an answer.
_LOOSE = re.compile(r"""([\w-]+)(["']?\s*[:=]\s*["']?)([^"'&,\s}]+)""")
_TOO_DEEP = "(nested too deeply to be shown)"
_FORM = "application/x-www-form-urlencoded"


def secrets_in(address: str) -> tuple[str, ...]:
    """Return the credentials in a gateway's address."""
    user, _, password = urlsplit(address).netloc.rpartition("@")[0].partition(":")
    return tuple(unquote(part) for part in (user, password) if part)


def shown(exchange: Exchange, secrets: Iterable[str]) -> dict[str, Any]:
    """Return an exchange as JSON-ready data, with every secret masked.

    Args:
        exchange: What travelled.
        secrets: Credentials of the gateway; those that the exchange names as such are found.
    """
    query = _text(exchange.query)
    body, answer = _text(exchange.body or b""), _text(bytes(exchange.answer))
    found = [
        *_in_headers(exchange.headers),
        *_in_pairs(query),
        *_in_body(body, exchange.headers),
        *_in_body(answer, exchange.answer_headers),
    ]
    redactor = Redactor((*secrets, *found))
    path = quote(exchange.path)
    return {
        "method": exchange.method,
        "path": redactor.text(f"{path}?{_pairs(query)}" if query else path),
        "headers": _headers(exchange.headers, redactor),
        "body": _body(body, exchange.headers, redactor),
        "forgotten": exchange.body is None,
        "fault": exchange.fault,
        "ended": exchange.ended,
        "answer": {
            "status": exchange.status,
            "headers": _headers(exchange.answer_headers, redactor),
            "body": _body(answer, exchange.answer_headers, redactor),
        },
    }


def is_secret(name: str) -> bool:
    """Return whether a field or header of this name holds what nobody should see."""
    return _SECRET_NAME.search(name) is not None


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _is_form(headers: Headers) -> bool:
    kinds = [value for name, value in headers if name.lower() == b"content-type"]
    return any(kind.lower().startswith(_FORM.encode()) for kind in kinds)


def _in_headers(headers: Headers) -> Iterator[str]:
    for name, value in headers:
        if is_secret(name.decode("latin-1")):
            scheme, _, credentials = value.decode("latin-1").rpartition(" ")
            yield credentials
            if scheme.lower() == "basic":
                yield from _in_basic(credentials)


def _in_basic(credentials: str) -> Iterator[str]:
    try:
        yield from base64.b64decode(credentials).decode("utf-8", "replace").split(":", 1)
    except binascii.Error:
        return


def _in_pairs(encoded: str) -> Iterator[str]:
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        if is_secret(name):
            yield value


def _in_body(body: str, headers: Headers) -> Iterator[str]:
    if _is_form(headers):
        return _in_pairs(body)
    try:
        return iter(list(_in_data(_parsed(body))))
    except RecursionError:
        return iter(())


def _in_data(data: object) -> Iterator[str]:
    if is_object(data):
        for name, value in data.items():
            if is_secret(name) and isinstance(value, (str, int)):
                yield str(value)
            else:
                yield from _in_data(value)
    elif is_array(data):
        for value in data:
            yield from _in_data(value)


def _parsed(body: str) -> object:
    try:
        data: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data


def _headers(headers: Headers, redactor: Redactor) -> list[list[str]]:
    return [
        [name, MASK if is_secret(name) else redactor.text(value)]
        for name, value in ((n.decode("latin-1"), v.decode("latin-1")) for n, v in headers)
    ]


def _pairs(encoded: str) -> str:
    pairs = (pair.partition("=") for pair in encoded.split("&"))
    return "&".join(
        f"{name}={MASK}" if is_secret(unquote(name)) else f"{name}{sign}{value}"
        for name, sign, value in pairs
    )


def _masked(data: object) -> object:
    """Return parsed JSON with the values of secret fields masked, however they are nested."""
    if is_object(data):
        return {
            name: MASK if is_secret(name) and value is not None else _masked(value)
            for name, value in data.items()
        }
    if is_array(data):
        return [_masked(value) for value in data]
    return data


def _body(body: str, headers: Headers, redactor: Redactor) -> str:
    if _is_form(headers):
        lines = "&\n".join(_pairs(body).split("&"))
        return _cut(redactor.text(lines))
    data = _parsed(body)
    if not is_object(data) and not is_array(data):
        return _cut(_LOOSE.sub(_mask_loosely, redactor.text(body)))
    try:
        plain = redactor.data(_masked(data))
        return _cut(json.dumps(plain, indent=2, ensure_ascii=False))
    except RecursionError:
        return _TOO_DEEP


def _mask_loosely(match: re.Match[str]) -> str:
    name, sign, _ = match.groups()
    return f"{name}{sign}{MASK}" if is_secret(name) else match[0]


def _cut(text: str) -> str:
    left = len(text) - _LONGEST
    return text if left <= 0 else f"{text[:_LONGEST]}\n… {left:,} more characters"
