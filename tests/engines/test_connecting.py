from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from support.engines.tls import serving, trusting
from support.engines.wire import left_open, open_files, server

from iprog_async._engines import happy_eyeballs
from iprog_async._engines.happy_eyeballs import connect


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name have these addresses."""

    async def getaddrinfo(_: str, port: int, **__: Any) -> list[Any]:
        families = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in addresses]
        return [
            (family, socket.SOCK_STREAM, 0, "", (address, port))
            for family, address in zip(families, addresses, strict=True)
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


async def idle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Wait for the other side to go."""
    await reader.read()


def port_of(address: str) -> int:
    """Return the port at the end of an address."""
    return int(address.rpartition(":")[2])


async def connect_to(host: str, port: int) -> str:
    """Connect, close, and return which address it was."""
    made = await connect(Kept, host, port, None)
    peer = str(made.transport.get_extra_info("peername")[0])
    made.transport.abort()
    return peer


class Kept(asyncio.Protocol):
    """A protocol that keeps its transport."""

    transport: asyncio.Transport

    def connection_made(self, transport: Any) -> None:
        """Keep it."""
        self.transport = transport


async def test_dead_address_gives_way_to_the_next_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that refuses is no reason to wait, and none to fail."""
    monkeypatch.setattr(happy_eyeballs, "_HEAD_START", 60.0)
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.3", "127.0.0.1")
    async with server(idle) as address:
        assert "127.0.0.1" == await connect_to("sms.example.test", port_of(address))


async def test_silent_address_gives_way_after_a_head_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A packet that nobody answers holds up nothing for long, and its attempt is given up."""
    monkeypatch.setattr(happy_eyeballs, "_HEAD_START", 0.01)
    loop = asyncio.get_running_loop()
    create, cancelled = loop.create_connection, list[str]()

    async def create_or_hang(factory: Any, host: str, *args: Any, **settings: Any) -> Any:
        if host == "127.0.0.1":
            return await create(factory, host, *args, **settings)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(host)
            raise

    monkeypatch.setattr(loop, "create_connection", create_or_hang)
    resolve_to(monkeypatch, "192.0.2.1", "2001:db8::1", "127.0.0.1")
    async with server(idle) as address:
        assert "127.0.0.1" == await connect_to("sms.example.test", port_of(address))
        await asyncio.sleep(0)

    assert ["192.0.2.1", "2001:db8::1"] == sorted(cancelled)


async def test_families_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that can't do one of the two costs one head start, not one for each address."""
    tried: list[str] = []

    async def refuse(_: Any, host: str, *__: Any, **___: Any) -> Any:
        tried.append(host)
        raise ConnectionRefusedError(host)

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", refuse)
    resolve_to(monkeypatch, "2001:db8::1", "2001:db8::2", "2001:db8::1", "192.0.2.1", "192.0.2.2")

    with pytest.raises(ConnectionRefusedError, match="2001:db8::1"):
        await connect(asyncio.Protocol, "sms.example.test", 80, None)

    assert ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"] == tried


async def test_name_without_an_address_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty answer of the resolver is as good as none."""
    resolve_to(monkeypatch)

    with pytest.raises(OSError, match="has no address"):
        await connect(asyncio.Protocol, "sms.example.test", 80, None)


async def test_certificate_is_checked_for_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever address answers, it has to prove that it is the host that was asked for."""
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    async with server(idle, tls=serving("sms.example.test")) as address:
        made = await connect(Kept, "sms.example.test", port_of(address), trusting())
        made.transport.abort()
        with pytest.raises(OSError, match=r"127\.0\.0\.2|certificate"):
            await connect(Kept, "other.example.test", port_of(address), trusting())


async def test_two_that_succeed_at_once_leave_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection that nobody takes is closed."""
    monkeypatch.setattr(happy_eyeballs, "_HEAD_START", 0.0)
    loop = asyncio.get_running_loop()
    create, both = loop.create_connection, asyncio.Barrier(2)

    async def create_together(*args: Any, **settings: Any) -> Any:
        made = await create(*args, **settings)
        await both.wait()
        return made

    monkeypatch.setattr(loop, "create_connection", create_together)
    resolve_to(monkeypatch, "127.0.0.1", "::ffff:127.0.0.1")
    before = open_files()
    async with server(idle) as address:
        await connect_to("sms.example.test", port_of(address))
    assert set() == await left_open(before)


@pytest.mark.parametrize("rounds", range(10))
async def test_cancelled_race_leaves_nothing(monkeypatch: pytest.MonkeyPatch, rounds: int) -> None:
    """At whatever moment the caller goes away, no socket is left."""
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    before, tasks_before = open_files(), asyncio.all_tasks()
    async with server(idle) as address:
        connecting = [
            asyncio.create_task(connect_to("sms.example.test", port_of(address))) for _ in range(20)
        ]
        for _ in range(rounds):
            await asyncio.sleep(0)
        for task in connecting:
            task.cancel()
        await asyncio.gather(*connecting, return_exceptions=True)
    assert (set(), tasks_before) == (await left_open(before), asyncio.all_tasks())
