"""Certificates of every kind, for servers and for clients."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import trustme


@cache
def authority() -> Any:
    """Return an authority that nobody knows until told."""
    # Without pyOpenSSL, which trustme takes as well, parts of its types are unknown.
    return trustme.CA()


def serving(
    host: str = "127.0.0.1", *, expired: bool = False, asks_for_certificate: bool = False
) -> ssl.SSLContext:
    """Return what serves a host.

    Args:
        host: Whose certificate it shows.
        expired: Whether that ended yesterday.
        asks_for_certificate: Whether clients need one of the same authority.
    """
    ends = datetime.now(UTC) + timedelta(days=-1 if expired else 1)
    begins = ends - timedelta(days=30)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(host, not_before=begins, not_after=ends).configure_cert(context)
    if asks_for_certificate:
        authority().configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def trusting(*, with_certificate: bool = False) -> ssl.SSLContext:
    """Return what trusts the authority, as a client that may have a certificate of its own."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    if with_certificate:
        authority().issue_cert("client.example").configure_cert(context)
    return context
