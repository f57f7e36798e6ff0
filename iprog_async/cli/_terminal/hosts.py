"""Which host texts go to, where it is not the gateway's own."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from attrs import fields_dict, has

from iprog_async._providers.protocols import SmsProvider


def other_host(provider: SmsProvider) -> str | None:
    """Return the host and port of a provider's address, unless that is its own default.

    Args:
        provider: One gateway. Nothing but the host of its `base_url` is read.
    """
    given: object = getattr(provider, "base_url", None)
    if not isinstance(given, str) or given == _default(type(provider)):
        return None
    return urlsplit(given).netloc.rpartition("@")[2] or None


def is_loopback(host: str) -> bool:
    """Return whether a host, with its port, is this machine."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _default(cls: type[object]) -> object:
    field = fields_dict(cls).get("base_url") if has(cls) else None
    return None if field is None else field.default
