"""Showing a request and its answer to people, without the secrets in them."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from attrs import frozen

from iprog_async._core.json_types import is_array, is_object
from iprog_async._core.redaction import Redactor
from iprog_async._core.sealed import MASK
from iprog_async.sandbox._inbox.secret_names import is_secret, mask_loosely
from iprog_async.sandbox._simulation.exchange import Exchange, Headers
from iprog_async.sandbox._simulation.fault_kinds import EFFECTS


_LONGEST = 20_000
"""Characters of a body that are shown."""
_LARGEST = 256 * 1024
"""Bytes of the largest body that is parsed."""
_READ = 80_000
"""Bytes that are read of a body that is not parsed, and characters written of one that is."""
# Secrets that are looked for wherever they stand; any number is masked where it has a name.
_MOST_FOUND = 100
_LONGEST_FOUND = 500
_TOO_DEEP = "(nested too deeply to be shown)"
_FORM = b"application/x-www-form-urlencoded"


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
    body = _Body.of(exchange.body or b"", exchange.headers)
    answer = _Body.of(bytes(exchange.answer), exchange.answer_headers)
    found = chain(_in_headers(exchange.headers), _in_pairs(query), body.secrets, answer.secrets)
    short = (secret for secret in found if len(secret) <= _LONGEST_FOUND)
    mask = Redactor((*secrets, *islice(short, _MOST_FOUND)))
    path = quote(exchange.path)
    return {
        "method": exchange.method,
        "path": mask.text(f"{path}?{_pairs(query)}" if query else path),
        "headers": _headers(exchange.headers, mask),
        "body": body.shown(mask),
        "forgotten": exchange.body is None,
        "fault": exchange.fault,
        "fault_words": exchange.fault and EFFECTS[exchange.fault].words,
        "ended": exchange.ended,
        "answer": {
            "status": exchange.status,
            "headers": _headers(exchange.answer_headers, mask),
            "body": answer.shown(mask),
        },
    }


@frozen
class _Body:
    """A body of a request or of an answer, legibly.

    Args:
        text: What is shown of it, with secrets masked by their names.
        is_whole: Whether that is all of it.
        size: Its length in bytes.
        secrets: The secrets that it names, unless it is too large to be parsed.
    """

    text: str
    is_whole: bool
    size: int
    secrets: Iterable[str] = ()

    @classmethod
    def of(cls, raw: bytes, headers: Headers) -> _Body:
        """Return a body, with the header fields that tell what it is."""
        size = len(raw)
        head, is_whole = _text(raw[:_READ]), size <= _READ
        if _is_form(headers):
            named = _in_pairs(_text(raw)) if size <= _LARGEST else ()
            return cls("&\n".join(_pairs(head).split("&")), is_whole, size, named)
        data = _parsed(raw)
        if not is_object(data) and not is_array(data):
            return cls(mask_loosely(head), is_whole, size)
        secrets: list[str] = []
        try:
            text, is_whole = _dumped(_masked(data, secrets))
        except RecursionError:
            text, is_whole = _TOO_DEEP, True
        return cls(text, is_whole, size, secrets)

    def shown(self, mask: Redactor) -> str:
        """Return it, or its beginning and its length, without secrets."""
        if self.is_whole and len(self.text) <= _LONGEST:
            return mask.text(self.text)
        return f"{mask.beginning(self.text, _LONGEST, goes_on=True)}\n… {self.size:,} bytes in all"


def _is_form(headers: Headers) -> bool:
    kinds = [value for name, value in headers if name.lower() == b"content-type"]
    return any(kind.lower().startswith(_FORM) for kind in kinds)


def _parsed(raw: bytes) -> object:
    if len(raw) > _LARGEST:
        return None
    try:
        data: object = json.loads(_text(raw))
    except (ValueError, RecursionError):
        return None
    return data


def _dumped(data: object) -> tuple[str, bool]:
    """Return the beginning of data in JSON, and whether that is all of it.

    Not written in one go: what is nested has so much space before each line that a small body
    becomes a thousand times its size.
    """
    parts: list[str] = []
    length = 0
    for part in json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(data):
        if length > _READ:
            return "".join(parts), False
        parts.append(part)
        length += len(part)
    return "".join(parts), True


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


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


def _masked(data: object, secrets: list[str]) -> object:
    """Return parsed JSON with the values of secret fields masked, however they are nested.

    Args:
        data: The JSON.
        secrets: Gets what those values were.
    """
    if is_array(data):
        return [_masked(value, secrets) for value in data]
    if not is_object(data):
        return data
    masked: dict[str, object] = {}
    for name, value in data.items():
        hidden = is_secret(name) and value is not None
        # A bool is an ordinary word, which other texts have too.
        if hidden and isinstance(value, (str, int)) and not isinstance(value, bool):
            secrets.append(str(value))
            masked[name] = MASK
        else:
            inner = _masked(value, secrets)
            masked[name] = MASK if hidden else inner
    return masked
