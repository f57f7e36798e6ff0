"""What a raw gateway can do with a connection or request, good and bad."""

from __future__ import annotations

import asyncio
import socket
import struct
from asyncio import StreamWriter
from collections.abc import Awaitable, Callable
from typing import Literal

from attrs import field, frozen

from iprog_async.testing._raw_gateway.messages import RawRequest, Reply


Play = Callable[[RawRequest, StreamWriter], Awaitable[bool]]
"""Deals with a complete request; returns whether the connection stays open."""

_CHUNK = 64 * 1024
# Linger on, for no time: closing sends RST instead of FIN.
_RESET = struct.pack("ii", 1, 0)


@frozen
class Behaviour:
    """What a gateway does, once.

    Args:
        name: For people.
        play: Deals with the request.
        takes: How much is read before: nothing but the connection, the first byte of a
            request, or all of it. `play` comes in only for a whole request; before that the
            connection is closed.
    """

    name: str
    play: Play = field(repr=False)
    takes: Literal["connection", "first byte", "request"] = "request"


Step = Behaviour | Reply | Callable[[RawRequest], Reply]
"""A behaviour; a plain answer; or a function that finds the answer to a request."""


def to_behaviour(step: Step) -> Behaviour:
    """Turn what a script may hold into a behaviour."""
    return step if isinstance(step, Behaviour) else answer(step)


def answer(reply: Reply | Callable[[RawRequest], Reply], *, after: float = 0.0) -> Behaviour:
    """Answer, and keep the connection alive.

    Args:
        reply: The answer, or what finds it.
        after: Seconds until then.
    """

    async def play(request: RawRequest, writer: StreamWriter) -> bool:
        if after:
            await asyncio.sleep(after)
        found = reply if isinstance(reply, Reply) else reply(request)
        writer.write(found.head() + found.body)
        await writer.drain()
        return True

    return Behaviour("answer", play)


def close_idle(reply: Reply) -> Behaviour:
    """Answer as if the connection stayed alive, and close it once it is idle."""

    async def play(_: RawRequest, writer: StreamWriter) -> bool:
        writer.write(reply.head() + reply.body)
        return False

    return Behaviour("close while idle", play)


def hang_up() -> Behaviour:
    """Accept a connection and close it before reading anything."""
    return Behaviour("hang up", _close, takes="connection")


def drop_on_arrival() -> Behaviour:
    """Close the connection at the moment a request begins to arrive."""
    return Behaviour("drop on arrival", _close, takes="first byte")


def drop(*, reset: bool = False) -> Behaviour:
    """Read the whole request, perhaps act on it, and close without an answer.

    Args:
        reset: Close with a reset (RST) instead of an end (FIN).
    """

    async def play(_: RawRequest, writer: StreamWriter) -> bool:
        if reset:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
        return False

    return Behaviour("reset" if reset else "drop", play)


def silence() -> Behaviour:
    """Read the whole request and never answer."""

    async def play(_: RawRequest, __: StreamWriter) -> bool:
        # Ends by cancellation, when the gateway stops.
        await asyncio.Event().wait()
        return False

    return Behaviour("silence", play)


def truncate(reply: Reply) -> Behaviour:
    """Declare the whole length, write half of the body, and close."""

    async def play(_: RawRequest, writer: StreamWriter) -> bool:
        writer.write(reply.head() + reply.body[: len(reply.body) // 2])
        return False

    return Behaviour("truncate", play)


def drip(reply: Reply, *, interval: float = 0.02) -> Behaviour:
    """Write the answer's body byte by byte.

    Args:
        reply: The answer.
        interval: Seconds between two bytes.
    """

    async def play(_: RawRequest, writer: StreamWriter) -> bool:
        writer.write(reply.head())
        for byte in reply.body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(interval)
        return True

    return Behaviour("drip", play)


def flood(size: int = 100 * 1024 * 1024, *, declared: bool = True) -> Behaviour:
    """Answer 200 with a huge body, for as long as the other side reads.

    Args:
        size: Bytes in all.
        declared: Whether `Content-Length` says so; else the body comes in chunks.
    """

    async def play(_: RawRequest, writer: StreamWriter) -> bool:
        chunk = b" " * _CHUNK
        if declared:
            writer.write(Reply(200).head(length=size))
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            chunk = b"%x\r\n%b\r\n" % (len(chunk), chunk)
        for _start in range(0, size, _CHUNK):
            writer.write(chunk)
            await writer.drain()
        if not declared:
            writer.write(b"0\r\n\r\n")
        return True

    return Behaviour("flood", play)


async def _close(_: RawRequest, __: StreamWriter) -> bool:
    return False
