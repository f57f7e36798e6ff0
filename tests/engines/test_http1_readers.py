"""Two readers of answers, the quick and the careful one, of which the second can read anything."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from iprog_async._engines.base import Failure, RequestProgress, WireReply


pytest.importorskip("httptools")

from iprog_async._engines import http1_connection
from iprog_async._engines.http1_connection import Connection, WriteCoalescer
from iprog_async._engines.http1_quick_reader import HeaderFields, QuickReader


class NeverQuick(QuickReader):
    """Leaves every answer to the careful reader, from its first byte on."""

    def feed(self, piece: bytes) -> WireReply | None:
        """Give up at once."""
        self.came += piece
        self.gave_up = True
        return None


class Wire(asyncio.Transport):
    """Takes whatever is written; nothing ever comes in by itself."""

    def __init__(self, quiet: socket.socket) -> None:
        super().__init__({"socket": quiet})
        self.is_cut = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take it."""

    def get_write_buffer_size(self) -> int:
        """Return that nothing is left."""
        return 0

    def abort(self) -> None:
        """Note that nothing more is read."""
        self.is_cut = True


@frozen
class Seen:
    """What became of a request: the answer or why there is none, and whether it may go on."""

    result: tuple[object, ...] | None
    usable: bool


@pytest.fixture(scope="module")
def quiet() -> Iterator[socket.socket]:
    """Return a socket on which nothing comes in."""
    one, other = socket.socketpair()
    with one, other:
        yield one


async def read(quiet: socket.socket, pieces: Sequence[bytes], *, ends: bool = False) -> Seen:
    """Return what a connection makes of pieces that come in, twice: so that it shows what is left.

    Args:
        quiet: What tells it that nothing came in unasked.
        pieces: What comes in behind each of two requests.
        ends: Whether the other side closes behind that.
    """
    loop = asyncio.get_running_loop()
    connection, wire = Connection(loop, WriteCoalescer(loop)), Wire(quiet)
    connection.connection_made(wire)
    results: list[object] = []
    for _ in range(2):
        asked = asyncio.ensure_future(
            connection.exchange(b"GET / HTTP/1.1\r\n\r\n", RequestProgress())
        )
        await _rounds()
        for piece in pieces:
            if not wire.is_cut:
                connection.get_buffer(-1)[: len(piece)] = piece
                connection.buffer_updated(len(piece))
        if ends and not wire.is_cut:
            connection.eof_received()
            connection.connection_lost(None)
        await _rounds()
        asked.cancel()
        (result,) = await asyncio.gather(asked, return_exceptions=True)
        results += _parts(result)
        if not connection.usable:
            break
    usable = connection.usable
    connection.connection_lost(None)
    return Seen(tuple(results), usable)


async def _rounds() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


def _parts(result: object) -> tuple[object, ...]:
    if isinstance(result, WireReply):
        return result.status, dict(result.headers), result.body, result.whole
    return (result,) if isinstance(result, Failure) else (type(result),)


async def read_both_ways(
    quiet: socket.socket, pieces: Sequence[bytes], *, ends: bool
) -> tuple[Seen, Seen]:
    """Return what is read as it is, and by the careful reader alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http1_connection, "QuickReader", NeverQuick)
        careful = await read(quiet, pieces, ends=ends)
    return careful, await read(quiet, pieces, ends=ends)


BODY = b'{"status":200}'
LENGTH = b"Content-Length: 14\r\n"
OK = b"HTTP/1.1 200 OK\r\n"
LAST = b"\r\n0\r\n\r\n"
TAIL = b"\r\n" + BODY
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + BODY[:5] + b"\r\n9;a=b\r\n" + BODY[5:]


def with_field(line: bytes) -> bytes:
    """Return an answer with one more line in its head."""
    return OK + LENGTH + line + b"\r\n" + TAIL


QUICK: dict[str, bytes] = {
    "plain": OK + b"Server: nginx\r\nDate: Mon\r\n" + LENGTH + b"Connection: keep-alive\r\n" + TAIL,
    "a refusal": b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\n" + LENGTH + TAIL,
    "no body": OK + b"Content-Length: 0\r\n\r\n",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "304": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "a field twice": with_field(b"X-Id: 1\r\nX-ID: 2\r\nx-id: 1"),
    "a field of two words": with_field(b"Vary: Accept-Encoding"),
    "odd case": OK + b"cOnTeNt-LeNgTh: 14\r\nCONNECTION: Keep-Alive\r\n" + TAIL,
    "odd bytes": with_field(b"X: \x80\xff\xc3\xa9"),
    "spaces around a value": with_field(b"X:  \t a  b \t"),
    "nothing behind a colon": with_field(b"X:\r\nY: "),
    "a colon in a value": with_field(b"X: a: b:"),
    "a length with zeros": OK + b"Content-Length: 0014\r\n" + TAIL,
    "no reason": b"HTTP/1.1 200\r\n" + LENGTH + TAIL,
    "chunks": OK + CHUNKS + LAST,
    "empty lines in a body": OK + b"Content-Length: 8\r\n\r\n" + b"\r\n" * 4,
}
_PACKED = gzip.compress(BODY, mtime=0)
CAREFUL: dict[str, bytes] = {
    "closes": with_field(b"Connection: close"),
    "closes, for a proxy": with_field(b"Proxy-Connection: close"),
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n" + LENGTH + TAIL,
    "no length": OK + TAIL,
    "a huge length": OK + b"Content-Length: 5000000\r\n" + TAIL,
    "packed as nobody asked, the head": OK + LENGTH + b"Content-Encoding: br\r\n\r\n",
    "in other chunks, the head": OK + b"Transfer-Encoding: chunked0\r\n\r\n",
    "packed for its transfer, the head": OK + b"Transfer-Encoding: gzip\r\n\r\n",
    "packed": OK + b"Content-Encoding: gzip\r\nContent-Length: 34\r\n\r\n" + _PACKED,
    "packed as it is": with_field(b"Content-Encoding: identity"),
    "packed unlike it says": with_field(b"content-encoding:gzip"),
    "packed twice": with_field(b"Content-Encoding: br\r\nContent-Encoding: identity"),
    "packed chunks": OK + b"Content-Encoding: gzip\r\n" + CHUNKS + LAST,
    "packed for its transfer": OK + CHUNKS.replace(b"chunked", b"gzip, chunked") + LAST,
    "chunks, twice": OK + b"Transfer-Encoding: chunked\r\n" + CHUNKS + LAST,
    "fields behind chunks": OK + CHUNKS + b"\r\n0\r\nX: 1\r\n\r\n",
    "nothing behind chunks": OK + CHUNKS + b"\r\n0;a=b\r\n\r\n",
    "length and chunks": OK + LENGTH + CHUNKS + LAST,
    "interim": b"HTTP/1.1 100 Continue\r\n\r\n" + OK + LENGTH + TAIL,
    "hints": b"HTTP/1.1 103 Hints\r\nX-Id: 1\r\n\r\n" + OK + LENGTH + TAIL,
    "only interim": b"HTTP/1.1 100 Continue\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "empty lines before it": b"\r\n\r\n" + OK + LENGTH + TAIL,
    "an empty line before it": b"\r\n" + OK + LENGTH + TAIL,
    "empty lines behind it": with_field(b"X: 1") + b"\r\n\r\n",
    "a line behind it": with_field(b"X: 1") + b"\n",
    "a line behind no body": b"HTTP/1.1 204 No Content\r\n\r\n\r\n",
    "a line behind chunks": OK + CHUNKS + LAST + b"\r\n",
    "a trailer told of": with_field(b"Trailer: X"),
    "a trailer told of before chunks": OK + b"Trailer: X\r\n" + CHUNKS + LAST,
    "a space behind chunked": OK + CHUNKS.replace(b"chunked", b"chunked ") + LAST,
    "a tab behind a packing": with_field(b"Content-Encoding: identity\t"),
    "a status below 100": OK.replace(b"200", b"099") + LENGTH + TAIL,
    "a status below 100, the head": OK.replace(b"200", b"099") + LENGTH + b"\r\n",
    "a second one": (OK + LENGTH + TAIL) * 2,
    "a second one without a body": OK + LENGTH + TAIL + b"HTTP/1.1 204 No Content\r\n\r\n",
    "the beginning of a second one": OK + LENGTH + TAIL + OK,
    "a byte more": OK + LENGTH + TAIL + b"x",
    "a second one behind chunks":
    OK + CHUNKS + LAST + OK + LENGTH + b"\r\n" + LAST,
    "lines without CR": (OK + LENGTH).replace(b"\r", b"") + b"\n" + BODY,
    "lines without LF": (OK + LENGTH).replace(b"\n", b"") + b"\r" + BODY,
    "CR in a field": with_field(b"X: a\rb"),
    "LF in a field": with_field(b"X: a\nY: b"),
    "NUL in a field": with_field(b"X: a\0b"),
    "a control character": with_field(b"X: a\x01b"),
    "a folded field": with_field(b"X: a\r\n b"),
    "a space before a colon": with_field(b"X : a"),
    "a space before a name": with_field(b" X: a"),
    "no colon": with_field(b"X"),
    "no name": with_field(b": a"),
    "odd bytes in a name": with_field(b"X\xe9: a"),
    "the length twice": with_field(LENGTH[:-2]),
    "two lengths": with_field(b"Content-Length: 15"),
    "a length with a plus": OK + b"Content-Length: +14\r\n" + TAIL,
    "a length in hex": OK + b"Content-Length: 0xe\r\n" + TAIL,
    "a length of nothing": OK + b"Content-Length:\r\n" + TAIL,
    "a length of two": OK + b"Content-Length: 14, 14\r\n" + TAIL,
    "a length that is too short": OK + b"Content-Length: 13\r\n" + TAIL,
    "an endless length": OK + b"Content-Length: " + b"9" * 5000 + b"\r\n" + TAIL,
    "small letters": OK.replace(b"HTTP", b"http") + LENGTH + TAIL,
    "another version": OK.replace(b"1.1", b"3.1") + LENGTH + TAIL,
    "two digits": OK.replace(b"200", b"20") + LENGTH + TAIL,
    "four digits": OK.replace(b"200", b"2000") + LENGTH + TAIL,
    "another protocol altogether": b"SSH-2.0-OpenSSH_9.6\r\n",
}  # fmt: skip
WAITS: dict[str, bytes] = {
    "half a head": OK + LENGTH,
    "half a body": OK + LENGTH + TAIL[:9],
    "a length that is too long": OK + b"Content-Length: 15\r\n" + TAIL,
    "the head": OK + LENGTH + b"\r\n",
    "no last chunk": OK + CHUNKS + b"\r\n",
}
ALL = QUICK | CAREFUL | WAITS
ODD = (
    b"\r\n",
    b"\r",
    b"\n",
    b" ",
    b"\t",
    b":",
    b"0",
    b"1",
    b"\0",
    b"\xff",
    b"\r\n\r\n",
    b"x: y\r\n",
    b"chunked",
)


@pytest.mark.parametrize("name", ALL)
async def test_both_read_the_same(name: str, quiet: socket.socket) -> None:
    """In one piece, cut in two at each place, or byte by byte, and where the connection ends."""
    answer = ALL[name]
    step = 1 + len(answer) // 200
    cuts = [(answer[:at], answer[at:]) for at in range(1, len(answer), step)]
    byte_by_byte = tuple(answer[at : at + 1] for at in range(len(answer)))
    rows = [(pieces, ends) for pieces in ((answer,), byte_by_byte) for ends in (True, False)]
    for pieces, ends in (*rows, *((pieces, at % 2 == 0) for at, pieces in enumerate(cuts))):
        careful, seen = await read_both_ways(quiet, pieces, ends=ends)
        assert careful == seen


@st.composite
def bent(draw: st.DrawFn) -> tuple[bytes, ...]:
    """Return the pieces of an answer in which something is not as it should be."""
    answer = draw(st.sampled_from(list(ALL.values())))
    odd = st.binary(max_size=2) | st.sampled_from(ODD)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(answer)))
        answer = answer[:at] + draw(odd) + answer[at + draw(st.integers(0, 3)) :]
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(answer) - 1)), max_size=3)))
    cut = [answer[at:to] for at, to in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
    return tuple(filter(None, cut))


@given(bent(), st.booleans())
async def test_both_read_the_same_whatever_comes(
    quiet: socket.socket, pieces: tuple[bytes, ...], ends: bool
) -> None:
    """No byte makes the quick reader see another answer than the careful one."""
    careful, seen = await read_both_ways(quiet, pieces, ends=ends)

    assert careful == seen


@pytest.mark.parametrize(
    ("answers", "expected"),
    [(QUICK, (True, False)), (CAREFUL, (False, True)), (WAITS, (False, False))],
    ids=["quick", "careful", "waits"],
)
def test_quick_reader_gives_up_what_is_unusual(
    answers: dict[str, bytes], expected: tuple[bool, bool]
) -> None:
    """What gateways say nearly always it reads; for what may come later it waits."""
    seen: dict[str, Any] = {}
    for name, answer in answers.items():
        reader = QuickReader()
        reply = reader.feed(answer)
        reader.close()
        seen[name] = (reply is not None, reader.gave_up)

    assert dict.fromkeys(answers, expected) == seen


HEAD = b"HTTP/1.1 200 OK\r\nX-Id: 1\t\r\nVary: x-none\r\nx-id:  2 \r\nSet-Cookie: S3cret"


@pytest.mark.parametrize(
    ("key", "expected"),
    [("x-id", "1, 2"), ("set-cookie", "S3cret"), ("x-none", None), ("id", None), ("retry", None)],
)
def test_fields_are_read_when_they_are_asked_for(key: str, expected: str | None) -> None:
    """A text that is no name of a field, or a part of one, is none."""
    fields = HeaderFields(HEAD, HEAD.lower())
    seen = fields.get(key), fields.get(key, "-"), fields.get(key), dict(fields).get(key)

    assert (expected, expected or "-", expected, expected) == seen


def test_fields_are_shown_to_nobody() -> None:
    """An error tracker stores the locals of every frame."""
    assert "S3cret" not in repr(HeaderFields(HEAD, HEAD.lower()))
