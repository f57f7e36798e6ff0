"""An answer that may not be all of it: what it accepts is accepted, and what it refuses is not."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest
from support.engines.wire import BODY, BOTH, NUMBER, EngineName, client_of, outcome, raw

from iprog_async import Message, OutcomeUnknownError, ProviderError, RetryPolicy, SmsClient
from iprog_async.testing import Behaviour, RawGateway
from iprog_async_providers import AfricasTalkingProvider


pytest.importorskip("httptools")

EAGER = RetryPolicy(attempts=3, base=0)
TOKEN = b'{"status":500,"message":"Invalid Token"}'
SENT = b'{"status":"sent","message_id":"iSms-1"}'
REFUSING = (401, 429)


def head(status: int, *fields: bytes, version: bytes = b"1.1") -> bytes:
    """Return the head of an answer."""
    lines = (b"HTTP/%s %d X" % (version, status), *fields)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def length(body: bytes) -> bytes:
    """Return the field that names the length of a body."""
    return b"Content-Length: %d" % len(body)


def ends(*pieces: bytes) -> Behaviour:
    """Write this and close the connection."""
    return raw(*pieces, stays=False)


_GZIP = b"Content-Encoding: gzip"
_CHUNKED = b"Transfer-Encoding: chunked"
_MEMBERS = gzip.compress(b"") + gzip.compress(SENT)
_PACKED = gzip.compress(SENT)


def doubtful(status: int) -> dict[str, Behaviour]:
    """Return answers of a status that refuses, of which more may have been lost."""
    return {
        "no length, and no body": ends(head(status, b"Connection: close")),
        "no length, HTTP/1.0": ends(head(status, version=b"1.0")),
        "no length, cut": ends(head(status, b"Connection: close") + b'{"status":"error"'),
        "more behind no body": raw(head(status, length(b"")) + SENT),
        "more behind it, and the end": ends(head(status, b"Connection: close", length(b"")) + SENT),
        "more behind its length": raw(head(status, b"Content-Length: 2") + b"{}" + SENT),
        "a single byte more": raw(head(status, length(b"")) + b"x"),
        "a second answer": raw(head(status, length(b"")) + head(200, length(SENT)) + SENT),
        "more behind its chunks": raw(head(status, _CHUNKED) + b"0\r\n\r\n" + SENT),
        "length and chunks": raw(head(status, _CHUNKED, length(SENT)) + b"0\r\n\r\n"),
        "an id behind its chunks": raw(
            head(status, _CHUNKED, b"Trailer: X-Message-Id") + b"0\r\nX-Message-Id: iSms-1\r\n\r\n"
        ),
        "an id behind its chunks, unannounced": raw(
            head(status, _CHUNKED) + b"0\r\nX-Message-Id: iSms-1\r\n\r\n"
        ),
        "an id behind its chunks, in another packet": raw(
            head(status, _CHUNKED) + b"0\r\nX-Mess", b"age-Id: iSms-1\r\n\r\n"
        ),
        "fields announced, and none": raw(head(status, b"Trailer: X-Id", length(b""))),
        "an empty line behind it": raw(head(status, length(b"")) + b"\r\n"),
        "an empty line before it": raw(b"\r\n" + head(status, length(b""))),
        "chunks, twice": raw(head(status, _CHUNKED, _CHUNKED) + b"0\r\n\r\n"),
        "two packed parts": raw(head(status, _GZIP, length(_MEMBERS)) + _MEMBERS),
        "packed for its transfer": raw(
            head(status, b"Transfer-Encoding: gzip, chunked")
            + b"%x\r\n%s\r\n0\r\n\r\n" % (len(_PACKED), _PACKED)
        ),
        "an id, and then none": raw(
            head(status, b"X-Message-Id: iSms-1", b"X-Message-Id:", length(b""))
        ),
        "two encodings": raw(
            head(status, b"Content-Encoding: br", b"Content-Encoding: identity", length(SENT))
            + bytes(byte ^ 0x55 for byte in SENT)
        ),
    }


# In words that the table knows: they are as open.
IN_WORDS: dict[str, Behaviour] = {
    "no length": ends(head(200) + TOKEN),
    "more behind it": raw(head(200, length(TOKEN)) + TOKEN + SENT),
    "two packed parts": raw(
        head(200, _GZIP, length(both := gzip.compress(TOKEN) + gzip.compress(SENT))) + both
    ),
}
CASES = [
    *(
        pytest.param(answer, id=f"{status}-{name}")
        for status in REFUSING
        for name, answer in doubtful(status).items()
    ),
    *(pytest.param(answer, id=f"words-{name}") for name, answer in IN_WORDS.items()),
]


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("answer", CASES)
async def test_a_refusal_that_may_not_be_all_of_the_answer_is_unknown(
    answer: Behaviour, engine: EngineName
) -> None:
    """Whatever was lost with the connection, or came behind it, may say that the text is out."""
    async with RawGateway(answer) as gateway:
        async with client_of(gateway.base_url, engine, retry=EAGER) as client:
            with pytest.raises(OutcomeUnknownError):
                await client.send(NUMBER, "Hi")

        assert 1 == gateway.begun


@pytest.mark.parametrize("name", ["no length, and no body", "more behind its length"])
async def test_a_client_of_the_user_sees_it_too(name: str) -> None:
    """Also where it is not our transport that reads, and a hook has read the body before us."""

    async def read(reply: httpx.Response) -> None:
        await reply.aread()

    for hooks in ({}, {"response": [read]}):
        async with (
            RawGateway(doubtful(404)[name]) as gateway,
            httpx.AsyncClient(event_hooks=hooks, trust_env=False) as http,
            client_of(gateway.base_url, None, http=http, retry=EAGER) as client,
        ):
            with pytest.raises(OutcomeUnknownError):
                await client.send(NUMBER, "Hi")

            assert 1 == gateway.begun


TAKEN = {
    "no length, HTTP/1.0": ends(head(200, version=b"1.0") + BODY),
    "more behind it": raw(head(200, length(BODY)) + BODY + SENT),
    "a field behind its chunks": raw(
        head(200, _CHUNKED) + b"%x\r\n%s\r\n0\r\nX: 1\r\n\r\n" % (len(BODY), BODY)
    ),
    "one field twice": raw(head(200, b"X-Id: 1", b"X-Id: 2", length(BODY)) + BODY),
    "one encoding twice": raw(
        head(200, b"Content-Encoding: identity", b"Content-Encoding: identity", length(BODY)) + BODY
    ),
}


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("name", TAKEN)
async def test_what_was_accepted_stays_accepted(name: str, engine: EngineName) -> None:
    """An id says that the text was taken, however the answer ends."""
    async with (
        RawGateway(TAKEN[name]) as gateway,
        client_of(gateway.base_url, engine) as client,
    ):
        assert "iSms-1" == await outcome(client)


PROVEN = {
    "with a length": raw(head(200, length(TOKEN)) + TOKEN),
    "with a length, and the end": ends(head(200, b"Connection: close", length(TOKEN)) + TOKEN),
    "in chunks": raw(head(200, _CHUNKED) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(TOKEN), TOKEN)),
    "in chunks and packets": raw(
        head(200, _CHUNKED) + b"%x;a=b\r\n%s" % (len(TOKEN), TOKEN[:9]),
        TOKEN[9:] + b"\r\n0",
        b"\r\n\r\n",
    ),
    "behind an interim answer that says nothing": raw(
        b"HTTP/1.1 100 Continue\r\n\r\n", head(200, length(TOKEN)) + TOKEN
    ),
    "with a length, and chunks only spoken of": raw(
        head(200, b"Vary: Transfer-Encoding", b"X-Transfer-Encoding: none", length(TOKEN)) + TOKEN
    ),
    "packed": raw(head(200, _GZIP, length(one := gzip.compress(TOKEN))) + one),
    "no body": ends(head(404, length(b""))),
}


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("name", PROVEN)
async def test_a_refusal_that_is_all_of_the_answer_proves_it(name: str, engine: EngineName) -> None:
    """It ended where it said that it would: nothing was sent."""
    async with (
        RawGateway(PROVEN[name]) as gateway,
        client_of(gateway.base_url, engine) as client,
    ):
        with pytest.raises(ProviderError):
            await client.send(NUMBER, "Hi")


@pytest.mark.parametrize("engine", BOTH)
async def test_a_list_that_may_not_be_all_leaves_nobody_as_not_sent(engine: EngineName) -> None:
    """What one answer says of several people is as open as the answer itself."""
    items = [
        {"number": number, "statusCode": code, "status": word, "messageId": given, "cost": cost}
        for number, code, word, given, cost in (
            ("+256701234567", 101, "Success", "ATXid_1", "UGX 20"),
            ("+256701234568", 405, "InsufficientBalance", "None", "0"),
        )
    ]
    told = {"SMSMessageData": {"Message": "Sent to 1/2 Total Cost: UGX 20", "Recipients": items}}
    body = json.dumps(told).encode()
    seen: list[list[str]] = []
    for answer in (raw(head(201, length(body)) + body), ends(head(201) + body)):
        async with RawGateway(answer) as gateway:
            provider = AfricasTalkingProvider("shop", "S3cret", base_url=gateway.base_url)
            async with SmsClient(provider, engine=engine) as client:
                texts = [
                    client.provider.prepare(Message(str(each["number"]), "Hi")) for each in items
                ]
                seen.append([each.state for each in await client.provider.submit(texts)])

    assert [["accepted", "not_sent"], ["accepted", "unknown"]] == seen
