from __future__ import annotations

import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence

import pytest
from attrs import frozen
from support.engines.tls import serving, trusting
from support.engines.wire import BOTH, EngineName, client_of, outcome, server, whole

from iprog_async import HttpPool


pytest.importorskip("httptools")

BODY = b'{"status":500,"message":"Invalid Token"}'
PROVEN, OPEN, TAKEN = "AuthenticationError", "OutcomeUnknownError", "iSms-1"


def of_length(length: int, body: bytes = BODY) -> bytes:
    """Return an answer of so many bytes in all, in fields of a size that is usual."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % len(body)
    missing = length - len(head) - len(body) - 2
    fields = [b"X-Pad: ".ljust(1022, b"a") + b"\r\n"] * (missing // 1024 - 1)
    missing -= 1024 * len(fields)
    last = b"X-Pad: ".ljust(missing - 2, b"a") + b"\r\n"
    return head + b"".join(fields) + last + b"\r\n" + body


@frozen
class Case:
    """What is written in one go, and what a text comes to.

    Args:
        pieces: With TLS each is a record.
        ends: Whether the connection is closed behind it.
        comes_to: The error, or the id.
    """

    pieces: Sequence[bytes]
    comes_to: str
    ends: bool = False


SHORT = of_length(100)
# As much as the fast engine reads at once, over TLS and without.
FULL = (8 * 1024, 16 * 1024, 24 * 1024)
CASES = {
    "one": Case((SHORT,), PROVEN),
    "one, and the end": Case((SHORT,), PROVEN, ends=True),
    "a second": Case((SHORT, whole(666)), OPEN),
    "a second, and the end": Case((SHORT, whole(666)), OPEN, ends=True),
    "an empty line": Case((SHORT + b"\r\n",), OPEN),
    "an empty line in a packet of its own": Case((SHORT, b"\r\n"), OPEN),
    "taken, and an empty line": Case((whole(1) + b"\r\n",), TAKEN),
    "a second, begun": Case((SHORT, b"HTTP"), OPEN),
    "a second behind two pieces": Case((SHORT[:-5], SHORT[-5:], whole(666)), OPEN),
    "taken, and a second": Case((whole(1), whole(666)), TAKEN),
    "taken in a full piece": Case((of_length(FULL[0], whole(1)[-36:]),), TAKEN),
    **{f"full {size}": Case((of_length(size),), PROVEN) for size in FULL},
    **{f"full {size}, and the end": Case((of_length(size),), PROVEN, ends=True) for size in FULL},
    **{f"a second behind {size}": Case((of_length(size), whole(666)), OPEN) for size in FULL},
}


@pytest.fixture(scope="module")
def trust() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what serves, and what trusts it."""
    return serving(), trusting()


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("tls", [True, False], ids=["tls", "plain"])
@pytest.mark.parametrize("name", CASES)
async def test_what_comes_in_with_an_answer_belongs_to_what_is_known_of_it(
    name: str, tls: bool, engine: EngineName, trust: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    """A refusal with more behind it is no proof: in a record of its own, or behind a full piece."""
    case = CASES[name]

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().split(b"content-length:")[1].split()[0]))
            for piece in case.pieces:
                # Past the stream's writer, which joins them.
                writer.transport.write(piece)
            if case.ends:
                writer.close()

    async with (
        server(serve, tls=trust[0] if tls else None) as url,
        HttpPool(engine=engine, verify=trust[1]) as pool,
        client_of(url, None, pool=pool) as client,
    ):
        seen = [await outcome(client) for _ in range(2)]

    assert [case.comes_to] * 2 == seen
