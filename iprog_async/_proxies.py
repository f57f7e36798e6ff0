"""Which proxy the environment names for an address."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def proxy_for(origin: str) -> str | None:
    """Return the proxy for an address such as `https://sms.example.com`, or `None`.

    `NO_PROXY` lists hosts, with or without a port; a domain counts for all below it.
    """
    parts = urlsplit(origin)
    # An IPv6 address is listed without its brackets, which the first form keeps.
    if proxy_bypass(parts.netloc) or proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"
