from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence

import pytest
from support.engines.wire import (
    BODY,
    BOTH,
    HEAD,
    LENGTH,
    NUMBER,
    EngineName,
    client_of,
    outcome,
    raw,
)

from iprog_async import OutcomeUnknownError
from iprog_async.testing import Behaviour, RawGateway, drop, flood


pytest.importorskip("httptools")

_N = len(BODY)
_CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_CHUNK = b"%x\r\n%s\r\n" % (_N, BODY)
_UNKNOWN = "OutcomeUnknownError"
_PACKED = gzip.compress(BODY, mtime=0)


def _packed(coding: bytes, body: bytes) -> bytes:
    declared = b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (coding, len(body))
    return HEAD + declared + body


# Name, what the server writes, whether it keeps the connection open.
READ: dict[str, tuple[tuple[bytes, ...], bool]] = {
    "in one piece": ((HEAD + LENGTH + b"\r\n" + BODY,), True),
    "byte by byte": (tuple(bytes([byte]) for byte in HEAD + LENGTH + b"\r\n" + BODY), True),
    "chunked": ((_CHUNKED + _CHUNK + b"0\r\n\r\n",), True),
    "chunks in pieces": ((_CHUNKED + b"5;odd=1\r\n", BODY[:5] + b"\r\n%x" % (_N - 5), b"\r\n"
                          + BODY[5:] + b"\r\n0\r\n", b"X-Trailer: 1\r\n\r\n"), True),
    "ends with the connection, HTTP/1.0": ((b"HTTP/1.0 200 OK\r\n\r\n" + BODY,), False),
    "ends with the connection, HTTP/1.1": ((HEAD + b"\r\n", BODY[:9], BODY[9:]), False),
    "100 Continue before it": (
        (b"HTTP/1.1 100 Continue\r\n\r\n", HEAD + LENGTH + b"\r\n" + BODY), True),
    "hints before it": (
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2 + HEAD + LENGTH + b"\r\n" + BODY,),
        True,
    ),
    "odd bytes in a header field": (
        (HEAD + b"X-Odd: \x80\xff\xe9\r\n" + LENGTH + b"\r\n" + BODY,), True),
    "no reason phrase": ((b"HTTP/1.1 200\r\n" + LENGTH + b"\r\n" + BODY,), True),
    "says that it closes": ((HEAD + b"Connection: close\r\n" + LENGTH + b"\r\n" + BODY,), False),
    "gzip": ((_packed(b"gzip", _PACKED),), True),
    "gzip, in pieces": ((_packed(b"GZIP", _PACKED)[:-30], _PACKED[-30:]), True),
    "deflate": ((_packed(b"deflate", zlib.compress(BODY)),), True),
    "identity": ((_packed(b"identity", BODY),), True),
    "white space around a length": ((HEAD + LENGTH[:-2] + b" \t\r\n\r\n" + BODY,), True),
    "white space behind a packing": ((_packed(b"\t gzip\t ", _PACKED),), True),
    "white space behind the way of its transfer": (
        (_CHUNKED[:-4] + b" \r\n\r\n" + _CHUNK + b"0\r\n\r\n",), True),
}  # fmt: skip

UNCLEAR: dict[str, tuple[tuple[bytes, ...], bool]] = {
    "nothing": ((), False),
    "half a head": ((HEAD + b"Content-Le",), False),
    "half a body": ((HEAD + LENGTH + b"\r\n" + BODY[:9],), False),
    "the length is too short": (
        (HEAD + b"Content-Length: %d\r\n\r\n" % (_N - 3) + BODY,), True),
    "the length is too long": ((HEAD + b"Content-Length: %d\r\n\r\n" % (_N + 3) + BODY,), False),
    "the last chunk is missing": ((_CHUNKED + _CHUNK,), False),
    "the last chunk is half there": ((_CHUNKED + _CHUNK + b"0\r\n",), False),
    "a chunk of negative size": ((_CHUNKED + b"-%x\r\n%s\r\n0\r\n\r\n" % (_N, BODY),), False),
    "two lengths": (
        (HEAD + LENGTH + b"Content-Length: %d\r\n\r\n" % (_N - 1) + BODY,), True),
    "a negative length": ((HEAD + b"Content-Length: -1\r\n\r\n" + BODY,), True),
    "an endless length": ((HEAD + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n" + BODY,), True),
    "an unknown transfer encoding": (
        (HEAD + b"Transfer-Encoding: gzip\r\n\r\n" + BODY,), False),
    "an empty 200": ((HEAD + b"Content-Length: 0\r\n\r\n",), True),
    "204": ((b"HTTP/1.1 204 No Content\r\n\r\n",), True),
    "204 that says it is packed": (
        (b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n",), True),
    "101": ((b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",), False),
    "only interim answers": ((b"HTTP/1.1 100 Continue\r\n\r\n" * 4000,), False),
    "a space before the colon": ((HEAD + b"X : y\r\n" + LENGTH + b"\r\n" + BODY,), False),
    "a field without a colon": ((HEAD + b"Xyz\r\n" + LENGTH + b"\r\n" + BODY,), False),
    "a status of two digits": ((b"HTTP/1.1 20 OK\r\n" + LENGTH + b"\r\n" + BODY,), False),
    "a status below 100": ((b"HTTP/1.1 099 OK\r\n" + LENGTH + b"\r\n" + BODY,), True),
    "another protocol": ((b"SSH-2.0-OpenSSH_9.6\r\n",), False),
    "binary noise": ((bytes(range(256)) * 4,), False),
    "an endless head": ((HEAD + b"X: " + b"a" * 300_000,), False),
    "an endless list of fields": ((HEAD + b"X: aaaaaaaaaaaaaaaa\r\n" * 20_000,), False),
    "packed unlike it says": ((_packed(b"gzip", BODY),), True),
    "packed and cut": ((_packed(b"gzip", _PACKED[:-5]),), True),
    "packed as nobody asked": ((_packed(b"br", BODY),), True),
    "a bomb": ((_packed(b"gzip", gzip.compress(b" " * 40_000_000)),), True),
}  # fmt: skip


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("name", READ)
async def test_answer_is_read(name: str, engine: EngineName) -> None:
    """However HTTP lets a server frame its answer, the text is accepted and sent once."""
    pieces, stays = READ[name]
    answer = raw(*pieces, stays=stays, gap=0.0005)
    async with RawGateway(answer) as gateway, client_of(gateway.base_url, engine) as client:
        assert "iSms-1" == await outcome(client)

    assert 1 == gateway.begun


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("name", UNCLEAR)
async def test_answer_that_proves_nothing_is_unknown(name: str, engine: EngineName) -> None:
    """What breaks off, contradicts itself or is no HTTP is unknown, promptly, and sent once."""
    pieces, stays = UNCLEAR[name]
    answer = raw(*pieces, stays=stays)
    async with RawGateway(answer) as gateway, client_of(gateway.base_url, engine) as client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.send(NUMBER, "Hi")

    assert "no answer within" not in caught.value.reason
    assert 1 == gateway.begun


# Against the rules, yet no danger where a connection carries one request at a time.
BENT = {
    "a folded field": HEAD + b"X: a\r\n b\r\n" + LENGTH + b"\r\n" + BODY,
    "a control character": HEAD + b"X: \x01\r\n" + LENGTH + b"\r\n" + BODY,
    "the length twice": HEAD + LENGTH * 2 + b"\r\n" + BODY,
    "length and chunks": HEAD + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + _CHUNK
    + b"0\r\n\r\n",
    "lines without CR": HEAD.replace(b"\r", b"") + LENGTH.replace(b"\r", b"") + b"\n" + BODY,
    "a length after the chunks": _CHUNKED + _CHUNK + b"0\r\nContent-Length: 3\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", BENT)
async def test_bent_rules_are_read_by_one_engine_and_unknown_to_the_other(name: str) -> None:
    """The fast engine's parser is strict; neither engine ever asks a second time."""
    seen: list[str] = []
    async with RawGateway(raw(BENT[name])) as gateway:
        for engine in BOTH:
            async with client_of(gateway.base_url, engine) as client:
                seen.append(await outcome(client))

    assert ["iSms-1", _UNKNOWN] == seen
    assert 2 == gateway.begun


_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_WITH_ID = b"HTTP/1.1 103 Early Hints\r\nX-Message-Id: iSms-1\r\n\r\n"


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ((), "AuthenticationError"),
        ((_CONTINUE,), "AuthenticationError"),
        ((_CONTINUE[:9], _CONTINUE[9:]), "AuthenticationError"),
        ((_WITH_ID,), _UNKNOWN),
        ((_CONTINUE * 2 + _WITH_ID,), _UNKNOWN),
        ((_CONTINUE, _WITH_ID), _UNKNOWN),
        ((_WITH_ID[:9], _WITH_ID[9:]), _UNKNOWN),
        ((_CONTINUE + _WITH_ID[:30], _WITH_ID[30:]), _UNKNOWN),
    ],
)
async def test_refusal_behind_an_interim_answer_that_says_something_proves_nothing(
    before: Sequence[bytes], expected: str, engine: EngineName
) -> None:
    """In whatever packets: the fields of a 103 may hold an id; a bare 100 holds nothing."""
    refusal = b'{"status":500,"message":"Invalid api token"}'
    length = b"Content-Length: %d\r\n\r\n" % len(refusal)
    answer = raw(*before, HEAD + length + refusal)
    async with RawGateway(answer) as gateway, client_of(gateway.base_url, engine) as client:
        assert expected == await outcome(client)


@pytest.mark.parametrize("engine", BOTH)
async def test_304_has_no_body_whatever_length_it_names(engine: EngineName) -> None:
    """Nobody waits for the body of a 304, which says nothing of what became of the text."""
    answer = raw(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n")
    async with RawGateway(answer) as gateway, client_of(gateway.base_url, engine) as client:
        with pytest.raises(OutcomeUnknownError, match="HTTP 304"):
            await client.send(NUMBER, "Hi")


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("declared", [True, False])
async def test_huge_answer_is_refused_and_not_read(declared: bool, engine: EngineName) -> None:
    """Of 100 MB hardly anything is read, whether the length was declared or not."""
    answer = flood(declared=declared)
    async with RawGateway(answer) as gateway, client_of(gateway.base_url, engine) as client:
        with pytest.raises(OutcomeUnknownError, match="bytes"):
            await client.send(NUMBER, "Hi")
        # The gateway saw the connection go, before it had written all of it.
        await gateway.until(lambda seen: seen.open_connections == 0)

    assert (1, 0) == (gateway.begun, gateway.finished)


@pytest.mark.parametrize("framing", ["many tiny chunks", "fields after the body"])
async def test_framing_that_never_ends_is_refused(framing: str) -> None:
    """What a server writes between the bytes of a body counts, too."""
    tiny = b"1;" + b"x" * 60 + b"\r\n \r\n"
    piece = tiny * 100_000 if framing == "many tiny chunks" else b"0\r\n" + b"X: y\r\n" * 900_000
    async with (
        RawGateway(raw(_CHUNKED + piece, stays=False)) as gateway,
        client_of(gateway.base_url, "asyncio") as client,
    ):
        with pytest.raises(OutcomeUnknownError, match="than any gateway needs"):
            await client.send(NUMBER, "Hi")


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("behaviour", [drop(), drop(reset=True)], ids=["end", "reset"])
async def test_lost_connection_is_unknown_and_asked_once(
    behaviour: Behaviour, engine: EngineName
) -> None:
    """A connection that ends with the request on its way: one request, unknown."""
    async with RawGateway(behaviour) as gateway, client_of(gateway.base_url, engine) as client:
        assert _UNKNOWN == await outcome(client)

    assert 1 == gateway.begun


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (drop(), "the connection was closed without a complete answer"),
        (drop(reset=True), "the connection was closed: ConnectionResetError"),
    ],
    ids=["end", "reset"],
)
async def test_lost_connection_in_words(behaviour: Behaviour, words: str) -> None:
    """How a connection ended is told in a sentence."""
    async with RawGateway(behaviour) as gateway, client_of(gateway.base_url, "asyncio") as client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.send(NUMBER, "Hi")

    assert words in str(caught.value)
