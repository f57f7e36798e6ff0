"""A forward proxy on loopback, and an environment without any."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from attrs import define, field

from support.engines.wire import server


def clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave no proxy in the environment, and none where a web server put one."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "request_method"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@define
class Proxy:
    """What passes through: plain requests to an address, and tunnels to a host and port."""

    address: str = ""
    forwarded: list[str] = field(factory=list[str])
    tunnels: list[str] = field(factory=list[str])


@asynccontextmanager
async def forward_proxy() -> AsyncGenerator[Proxy]:
    """Pass on plain requests and tunnels to wherever they lead on loopback."""
    proxy = Proxy()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.decode().split("\r\n")[0].split(" ")
        if method == "CONNECT":
            proxy.tunnels.append(target)
            host, _, port = target.rpartition(":")
            sent = b""
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            proxy.forwarded.append(target)
            parts = urlsplit(target)
            host, port = parts.hostname or "", str(parts.port)
            sent = head.replace(target.encode(), parts.path.encode(), 1)
        to_gateway = await asyncio.open_connection(host, int(port))
        to_gateway[1].write(sent)
        try:
            await asyncio.gather(_pipe(reader, to_gateway[1]), _pipe(to_gateway[0], writer))
        finally:
            to_gateway[1].transport.abort()

    async with server(serve) as proxy.address:
        yield proxy


async def _pipe(reader: StreamReader, writer: StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    if writer.can_write_eof():
        writer.write_eof()
