"""Opening the socket that the sandbox listens on: this machine's own, unless asked otherwise."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket

from iprog_async._core.errors import ConfigurationError


logger = logging.getLogger("iprog_async.sandbox")


class RemoteHostError(ConfigurationError):
    """Other machines could reach the host, and nobody asked for that."""


def listen(host: str, port: int, *, allow_remote: bool = False) -> socket.socket:
    """Return a socket that listens.

    Raises:
        ConfigurationError: The port is taken, the host is none of this machine's, or other
            machines could reach it and nobody asked for that.
    """
    if not 0 <= port <= 65535:
        raise ConfigurationError(f"port is 0 to 65535, not {port}")
    family, address = _resolve(host, port)
    try:
        if not ipaddress.ip_address(address).is_loopback:
            _check_remote(host, allow_remote)
        return socket.create_server((address, port), family=family)
    except OSError as exc:
        advice = (
            "give an address of this machine, such as 127.0.0.1"
            if exc.errno == errno.EADDRNOTAVAIL
            else "port 0 takes any that is free"
        )
        raise ConfigurationError(
            f"the sandbox can't listen on {host}, port {port}: {exc.strerror or exc}; {advice}"
        ) from exc


def url_of(listener: socket.socket) -> str:
    """Return the address that reaches a listening socket from this machine."""
    host, port = listener.getsockname()[:2]
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        # "Every interface" is where to listen, not where to connect to.
        address = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")
    return f"http://{address}:{port}" if address.version == 4 else f"http://[{address}]:{port}"


def is_remote(listener: socket.socket) -> bool:
    """Return whether other machines can reach a listening socket."""
    return not ipaddress.ip_address(listener.getsockname()[0]).is_loopback


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as exc:
        # A name that is too long, or has an empty part, fails as text already.
        reason = exc.strerror if isinstance(exc, OSError) else "no name of a host"
        raise ConfigurationError(
            f"the sandbox can't listen on {host!r}: {reason}; give a name or an address of this "
            "machine, such as 127.0.0.1"
        ) from exc
    family, _, _, _, address = found[0]
    return family, str(address[0])


def _check_remote(host: str, allow_remote: bool) -> None:
    if not allow_remote:
        raise RemoteHostError(
            f"{host!r} can be reached from other machines, and the sandbox asks nobody for a "
            "password; pass allow_remote=True if that is meant"
        )
    logger.warning("the sandbox listens on %s, which other machines can reach", host)
