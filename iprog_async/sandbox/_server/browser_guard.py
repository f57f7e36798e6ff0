"""Keeping other people's web pages out of the sandbox, which asks nobody for a password."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from attrs import frozen
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Scope, Send


_HARMLESS = ("GET", "HEAD", "OPTIONS")
# Endings of names that nobody can register, so that no stranger's page can have one.
_PRIVATE = (".localhost", ".local", ".internal", ".test", ".home.arpa")
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@frozen
class Guard:
    """Tells who may use the sandbox from who was sent by a stranger's web page.

    A browser can be led to a server on its own machine in two ways: under a stranger's name
    that suddenly resolves to 127.0.0.1, which shows in `Host`, and by a request from a
    stranger's page, which shows in `Origin`. Programs that are no browser meet neither.

    Args:
        host: What the sandbox listens on, as it was given.
        remote: Whether other machines may come in, who know it by other names.
    """

    host: str = "127.0.0.1"
    remote: bool = False

    def refusal(self, scope: Scope, *, steers: bool) -> tuple[int, str] | None:
        """Return status and words for a request that must not be served, or `None`.

        Args:
            scope: The request.
            steers: Whether it is for the page or the control API, where reading changes nothing;
                some gateways send texts for a GET.
        """
        headers = Headers(scope=scope)
        if not self._knows(headers.get("host")):
            return 421, "the sandbox is not known by this Host; use its address, or localhost"
        if not (steers and scope["method"] in _HARMLESS) and _is_foreign(headers):
            return 403, "requests from other sites' pages change nothing here"
        return None

    def _knows(self, host: str | None) -> bool:
        # Each browser sends one.
        if host is None:
            return True
        name = _name_in(host)
        if name in ("localhost", self.host.lower()) or _is_address(name):
            return True
        # A name without a dot is one of a local network, or of a container.
        return self.remote and bool(name) and ("." not in name or name.endswith(_PRIVATE))


def _name_in(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    # No name server has a say in it.
    return True


def _is_foreign(headers: Mapping[str, str]) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        # No script can forge it; newer browsers send it to this machine's addresses.
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and origin.lower() != f"http://{headers.get('host', '')}".lower()


def protected(send: Send) -> Send:
    """Return a `send` that adds what tells browsers to trust nothing but the page itself."""

    async def send_protected(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return send_protected


def confined(send: Send) -> Send:
    """Return a `send` for what a gateway answers: a browser that opens it runs nothing of it.

    Faults may have any body and type, and come from the address of the inbox page.
    """

    async def send_confined(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            # JSON is data to every browser, and stays what the gateway would answer.
            if not headers.get("content-type", "").lower().startswith("application/json"):
                headers.append("Content-Security-Policy", "default-src 'none'; sandbox")
                headers["X-Content-Type-Options"] = "nosniff"
        await send(message)

    return send_confined
