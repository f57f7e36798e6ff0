"""Which proxy the environment names for an address, and whether it can be used."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
from attrs import field, frozen

from iprog_async._core.tracebacks import discreet
from iprog_async._engines.environment import Variable


_READ = ("http", "https", "all")
_NO_PROXY = ("no_proxy", "NO_PROXY")
_SOCKS = ("socks5", "socks5h")
_KNOWN = ("http", "https", *_SOCKS)
_HOST = re.compile(rb"[A-Za-z0-9._:-]+")
_NO_ADDRESS = "it is no address of a proxy, such as http://proxy.example:8080"
# What other programs understand in a list of hosts, and Python's urllib does not.
_NO_HOST = re.compile(r"[^\s*/]*[*/]\S*", re.ASCII)


@frozen
class Proxy:
    """The way to an address.

    Args:
        variable: The variable of the environment that names it.
        url: Its address, which may hold a password.
    """

    variable: str
    url: str = field(repr=False)


@discreet
def proxy_for(origin: str) -> Proxy | None:
    """Return the proxy for an address such as `https://sms.example.com`, or `None`.

    `NO_PROXY` lists hosts, with or without a port; a domain counts for all below it.

    Raises:
        ConfigurationError: The environment names one that can't be used.
    """
    parts, proxies = urlsplit(origin), getproxies()
    kind = parts.scheme if proxies.get(parts.scheme) else "all"
    proxy = proxies.get(kind)
    if not proxy:
        return None
    # An IPv6 address is listed without its brackets, which the first form keeps.
    if proxy_bypass(parts.netloc) or proxy_bypass(parts.hostname or ""):
        return None
    checked = _check(kind, proxy)
    if checked.problem:
        raise checked.error()
    return Proxy(checked.name, _whole(proxy))


def proxies_named() -> list[str]:
    """Return for what the environment names a proxy that is read, such as `https`."""
    return sorted(getproxies().keys() & set(_READ))


def proxy_variables() -> list[Variable]:
    """Return the variables about proxies that are set and read, each checked."""
    proxies = getproxies()
    found = [_check(kind, proxies[kind]) for kind in _READ if proxies.get(kind)]
    listed = next((name for name in _NO_PROXY if os.environ.get(name)), None)
    if listed is not None:
        hosts = os.environ[listed]
        found.append(Variable(listed, f"names hosts without a proxy{_aside(hosts)}", value=hosts))
    return found


def _check(kind: str, proxy: str) -> Variable:
    whole = _whole(proxy)
    scheme = whole.partition("://")[0].lower()
    # Nothing else of it is told: where a character is not encoded, a host is a piece of a password.
    words = f"names a proxy that speaks {scheme}" if scheme in _KNOWN else "names a proxy"
    return Variable(_variable(kind), words, _problem(whole))


def _whole(proxy: str) -> str:
    return proxy if "://" in proxy else f"http://{proxy}"


def _variable(kind: str) -> str:
    """Return which variable names the proxy: in lower case it goes before all others."""
    name = f"{kind}_proxy"
    if os.environ.get(name):
        return name
    others = (other for other, value in os.environ.items() if value and other.lower() == name)
    return next(others, f"the system's {kind} proxy")


def _problem(proxy: str) -> str:
    try:
        url = httpx.URL(proxy)
    except (httpx.InvalidURL, ValueError):
        return _NO_ADDRESS
    if url.scheme not in _KNOWN:
        return f"a proxy is spoken to by {', '.join(f'{scheme}://' for scheme in _KNOWN)} only"
    if "@" in proxy.partition("://")[2].partition("/")[2]:
        return "a character of its credentials has to be percent-encoded: @ is %40, / is %2F"
    port = 1 if url.port is None else url.port
    if not _HOST.fullmatch(url.raw_host) or not 0 < port < 65536:
        return _NO_ADDRESS
    if url.scheme in _SOCKS and find_spec("socksio") is None:
        return 'a SOCKS proxy needs: pip install "httpx[socks]"'
    return ""


def _aside(hosts: str) -> str:
    odd = [host for host in re.split(r"[,\s]+", hosts) if _NO_HOST.fullmatch(host)]
    if not odd or hosts.strip() == "*":
        return ""
    return f"; {', '.join(odd)} matches none: name hosts and domains, as in .example.com"
