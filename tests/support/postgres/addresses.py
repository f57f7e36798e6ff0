"""Addresses of databases, for tests."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit


def with_query(address: str, **query: str) -> str:
    """Return an address with more in its query."""
    parts = urlsplit(address)
    merged = dict(parse_qsl(parts.query)) | query
    # By hand: an address without host begins with three slashes after the user.
    return urlunsplit(parts._replace(query=urlencode(merged, quote_via=quote)))
