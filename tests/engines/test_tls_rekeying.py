"""A server may take new keys in the midst of a connection, and no text is lost or doubled."""

from __future__ import annotations

from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.core.clock import settle
from support.engines.records import (
    ALERT,
    DATA,
    HANDSHAKE,
    HELLO_REQUEST,
    KEY_UPDATE,
    NO_RENEGOTIATION,
    Records,
    Version,
)
from support.engines.tls import trusting
from support.engines.wire import BOTH, EngineName, client_of, outcome, server, whole

from iprog_async import SmsClient
from iprog_async_providers import IprogProvider


pytest.importorskip("httptools")

Answers = Callable[[Records, int], bytes]
"""Returns the records that follow a request, which is the so-manyth of its connection."""


def new_keys(peer: Records) -> bytes:
    """Return the record that says so, and go on with them."""
    record = peer.record(HANDSHAKE, KEY_UPDATE)
    peer.take_new_keys()
    return record


def keys_then_answer(peer: Records, number: int) -> bytes:
    """Take new keys before each answer."""
    return new_keys(peer) + peer.record(DATA, whole(number))


def keys_within_answer(peer: Records, number: int) -> bytes:
    """Take new keys in the middle of each answer."""
    answer = whole(number)
    return peer.record(DATA, answer[:30]) + new_keys(peer) + peer.record(DATA, answer[30:])


def answer_then_keys(peer: Records, number: int) -> bytes:
    """Take new keys behind each answer."""
    return peer.record(DATA, whole(number)) + new_keys(peer)


def keys_then_nothing(peer: Records, _: int) -> bytes:
    """Take new keys, and do not answer."""
    return new_keys(peer)


def hello_then_answer(peer: Records, number: int) -> bytes:
    """Ask to shake hands again, and answer without waiting for it."""
    return peer.record(HANDSHAKE, HELLO_REQUEST) + peer.record(DATA, whole(number))


def hello_refused(peer: Records, _: int) -> bytes:
    """Ask to shake hands again, refuse that it is done, and do not answer."""
    return peer.record(HANDSHAKE, HELLO_REQUEST) + peer.record(ALERT, NO_RENEGOTIATION)


@asynccontextmanager
async def client(
    engine: EngineName, version: Version, answers: Answers, log: Path, asked: list[int]
) -> AsyncGenerator[SmsClient[IprogProvider]]:
    """Open a client of a server that answers so, and hangs up once it has no answer."""

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        peer, number = Records(reader, writer, version, log / f"keys-{len(asked)}"), len(asked)
        await peer.shake_hands()
        asked.append(0)
        while await peer.read():
            asked[number] += 1
            writer.write(answers(peer, sum(asked)))
            await writer.drain()
            if answers in (keys_then_nothing, hello_refused):
                return

    async with (
        server(serve) as address,
        client_of(
            address.replace("http://", "https://"), engine, verify=trusting(), max_connections=1
        ) as made,
    ):
        yield made


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("answers", [keys_then_answer, keys_within_answer, answer_then_keys])
async def test_new_keys_change_no_outcome(
    engine: EngineName, answers: Answers, tmp_path: Path
) -> None:
    """Each text goes out once and gets its own answer, whenever the server takes new keys."""
    asked: list[int] = []
    async with client(engine, "TLS 1.3", answers, tmp_path, asked) as sms:
        seen: list[str] = []
        for _ in range(3):
            seen.append(await outcome(sms))
            await settle()

    assert ["iSms-1", "iSms-2", "iSms-3"] == seen
    assert 3 == sum(asked)


@pytest.mark.parametrize("engine", BOTH)
async def test_new_keys_are_no_answer(engine: EngineName, tmp_path: Path) -> None:
    """A request that was followed by new keys alone may have been taken."""
    asked: list[int] = []
    async with client(engine, "TLS 1.3", keys_then_nothing, tmp_path, asked) as sms:
        assert "OutcomeUnknownError" == await outcome(sms)

    assert [1] == asked


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize(
    ("answers", "expected"), [(hello_then_answer, "iSms-1"), (hello_refused, "OutcomeUnknownError")]
)
async def test_another_handshake_changes_no_outcome(
    engine: EngineName, answers: Answers, expected: str, tmp_path: Path
) -> None:
    """An answer counts, asked to shake hands again or not; without one nothing is certain."""
    asked: list[int] = []
    async with client(engine, "TLS 1.2", answers, tmp_path, asked) as sms:
        assert expected == await outcome(sms)

    assert [1] == asked
