"""Happy Eyeballs (RFC 8305): connecting to a host with several addresses, some of them dead.

asyncio has this built in, but what is cancelled at the wrong moment stays connected there for
ever, and other event loops do not have it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from itertools import zip_longest
from typing import TypeAlias, TypeVar

from iprog_async._engines.tls import TlsTransport


P = TypeVar("P", bound=asyncio.BaseProtocol)
Attempt: TypeAlias = "asyncio.Task[tuple[asyncio.BaseTransport, P]]"

# The head start of an address before the next one is tried beside it, in seconds.
_HEAD_START = 0.25


async def connect(protocol: Callable[[], P], host: str, port: int, tls: ssl.SSLContext | None) -> P:
    """Return the protocol of the first connection that comes about.

    Args:
        protocol: Makes the connection's protocol.
        host: Name or address, in ASCII.
        port: TCP port.
        tls: Encrypts the connection and checks that it leads to `host`; plain if `None`.

    Raises:
        OSError: The name has no address, or none of them answers as it should.
    """
    loop = asyncio.get_running_loop()

    async def attempt(address: str) -> tuple[asyncio.BaseTransport, P]:
        if tls is None:
            return await loop.create_connection(protocol, address, port)
        made = protocol()
        encrypted = TlsTransport(made, tls, host)
        below, _ = await loop.create_connection(lambda: encrypted, address, port)
        try:
            await encrypted.open()
        except BaseException:
            below.abort()
            raise
        return encrypted, made

    addresses = await _addresses(host, port)
    if len(addresses) == 1:
        _, made = await attempt(addresses[0])
        return made
    return await _race(attempt, addresses)


async def _addresses(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host, those of both families in turn."""
    if _is_address(host):
        return (host,)
    loop = asyncio.get_running_loop()
    families: dict[int, list[str]] = {}
    for family, *_, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        families.setdefault(family, []).append(str(address[0]))
    in_turn = [address for row in zip_longest(*families.values()) for address in row if address]
    if not in_turn:
        raise OSError(f"{host} has no address")
    return tuple(dict.fromkeys(in_turn))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def _race(
    attempt: Callable[[str], Awaitable[tuple[asyncio.BaseTransport, P]]], addresses: Sequence[str]
) -> P:
    """Try addresses one after another, the next one as soon as one fails or takes long."""
    started: list[Attempt[P]] = []
    failures: list[BaseException] = []
    try:
        for address in addresses:
            started.append(asyncio.ensure_future(attempt(address)))
            is_last = len(started) == len(addresses)
            while pending := [task for task in started if not task.done()]:
                done, _ = await asyncio.wait(
                    pending,
                    timeout=None if is_last else _HEAD_START,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for task in done:
                    failure = task.exception()
                    if failure is None:
                        started.remove(task)
                        return task.result()[1]
                    failures.append(failure)
                if not is_last:
                    break
        raise failures[0]
    finally:
        for task in started:
            task.cancel()
            # An attempt may have succeeded at the same moment; nobody else would close it.
            task.add_done_callback(_discard)


def _discard(task: Attempt[P]) -> None:
    if not task.cancelled() and task.exception() is None:
        transport, _ = task.result()
        if isinstance(transport, asyncio.Transport):
            transport.abort()
