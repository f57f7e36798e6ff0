"""Certificates for a gateway of a test."""

from __future__ import annotations

import ssl
from typing import Any

import trustme


def tls_contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what serves on loopback, and what trusts its certificate."""
    # Without pyOpenSSL, which trustme takes as well, parts of its types are unknown.
    authority: Any = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    return serving, trusting
