"""Requests as a raw gateway saw them, and answers as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Self
from urllib.parse import parse_qsl

from attrs import evolve, field, frozen

from iprog_async._core.json_types import is_array, is_object


def _bytes(body: bytes | str) -> bytes:
    return body.encode() if isinstance(body, str) else body


@frozen
class Reply:
    """An HTTP answer as data.

    Args:
        status: HTTP status.
        body: Bytes, or text that goes out as UTF-8.
        headers: Header fields; `Content-Length` is added when the answer is written.
    """

    status: int = 200
    body: bytes = field(default=b"", converter=_bytes, repr=False)
    headers: Mapping[str, str] = field(factory=dict[str, str])

    @classmethod
    def of_json(
        cls, data: object, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Self:
        """Build an answer whose body is `data` as JSON."""
        fields = {"Content-Type": "application/json", **(headers or {})}
        return cls(status, json.dumps(data), fields)

    @classmethod
    def of_html(cls, body: str, status: int = 200) -> Self:
        """Build an answer that is a web page."""
        return cls(status, body, {"Content-Type": "text/html; charset=utf-8"})

    def with_headers(self, **fields: str) -> Self:
        """Return a copy with further header fields, whose names are written with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        return evolve(self, headers={**self.headers, **named})

    def head(self, length: int | None = None) -> bytes:
        """Return the status line and header fields, as HTTP/1.1 writes them.

        Args:
            length: What `Content-Length` claims; the length of the body if `None`.
        """
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = "Unassigned"
        declared = {"Content-Length": str(len(self.body) if length is None else length)}
        lines = [f"{name}: {value}" for name, value in {**declared, **self.headers}.items()]
        return "\r\n".join([f"HTTP/1.1 {self.status} {phrase}", *lines, "", ""]).encode("latin-1")


@frozen
class RawRequest:
    """One complete request as it came over the wire; its repr shows no content.

    Args:
        method: HTTP method.
        target: Path and query, as sent.
        headers: Header fields, names in lower case.
        body: The body's bytes.
        connection: Which connection it came over, counted from 1.
        under_way: How many requests the gateway was busy with when it came, itself included.
    """

    method: str
    target: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    connection: int = 1
    under_way: int = 1

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def values(self) -> tuple[str, ...]:
        """Every value that the query and the body carry, decoded; of JSON the leaves."""
        found = [value for _, value in parse_qsl(self.target.partition("?")[2])]
        kind = self.headers.get("content-type", "")
        if "urlencoded" in kind:
            found += [value for _, value in parse_qsl(self.body.decode())]
        elif "json" in kind:
            found += _leaves(json.loads(self.body))
        return tuple(found)


def _leaves(data: object) -> list[str]:
    if is_object(data):
        return [leaf for value in data.values() for leaf in _leaves(value)]
    if is_array(data):
        return [leaf for value in data for leaf in _leaves(value)]
    return [data if isinstance(data, str) else json.dumps(data)]
