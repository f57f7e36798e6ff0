"""A text that could not leave by its `not_after` is certainly not sent, and says so."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from support.core.clock import soon
from support.core.fakes import NUMBER, TOKEN, Wire, iprog_ok
from support.engines.wire import BOTH, OK, EngineName, client_of
from support.journal.journaling import ACCEPTED, BROKEN, SLOW_DOWN, posting, run_over, states_in
from support.not_after import DOWN, send

from iprog_async import (
    ConnectionFailedError,
    ExpiredError,
    HttpPool,
    InvalidMessageError,
    Journal,
    Message,
    NotSent,
    OutcomeUnknownError,
    RetryPolicy,
    SmsClient,
)
from iprog_async._engines import base
from iprog_async._http import expiry
from iprog_async.testing import InstantClock, RawGateway
from iprog_async_providers import IprogProvider


PATIENT = RetryPolicy(attempts=50, base=1e9, max_wait=1e9)


@pytest.fixture(params=["no key", "key"])
def key(request: pytest.FixtureRequest) -> str | None:
    """Return the key of a send."""
    return "order-1" if request.param == "key" else None


async def test_what_is_too_late_is_not_sent(tmp_path: Path, key: str | None) -> None:
    """Before any network; the error says until when it was to leave, and is no reason to repeat."""
    wire = Wire(ACCEPTED)
    with Journal.open(tmp_path / "j.db") as journal:
        error = await send(posting(wire, journal), key=key, not_after=soon(0))

    assert isinstance(error, ExpiredError)
    assert (soon(0), False, False) == (error.not_after, error.may_have_been_sent, error.healable)
    assert (
        "the text expired before it could be sent: it was to leave by 2026-01-01 00:00:00+00:00 "
        "(not_after). It was not sent"
    ) == str(error)
    assert [] == wire.requests


@pytest.mark.parametrize("seconds", [0.001, 1e9])
async def test_what_is_in_time_is_sent(tmp_path: Path, key: str | None, seconds: float) -> None:
    """At once, as without it."""
    wire = Wire(ACCEPTED)
    with Journal.open(tmp_path / "j.db") as journal:
        error = await send(posting(wire, journal), key=key, not_after=soon(seconds))

    assert (None, 1, []) == (error, len(wire.requests), wire.clock.sleeps)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (Message(NUMBER, "Hi", not_after=datetime(2999, 1, 1)), "not_after .* has no time zone"),
        (Message(NUMBER, "Hi", not_after="noon"), "'noon' is no datetime"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a mistake
        (
            Message(NUMBER, "Hi", schedule_at=soon(60), not_after=soon(59)),
            "schedule_at 2026-01-01T00:01:00.* is later than not_after 2026-01-01T00:00:59",
        ),
    ],
)
async def test_an_end_that_makes_no_sense_is_refused(message: Message, words: str) -> None:
    """A single send says so, and a row of a run ends with it."""
    async with posting(Wire(ACCEPTED)) as client:
        with pytest.raises(InvalidMessageError, match=words):
            await client.send(
                NUMBER, "Hi", schedule_at=message.schedule_at, not_after=message.not_after
            )
        (outcome,) = await run_over(client, [message])

    assert isinstance(outcome, NotSent)
    assert isinstance(outcome.error, InvalidMessageError)


WAITS: dict[str, tuple[Any, float, str]] = {
    "a try again": (DOWN, 30, "and fake could not be reached in time"),
    "a pause": (SLOW_DOWN, 4, "and fake asks to wait for 5 s"),
}


@pytest.mark.parametrize("case", WAITS)
async def test_nobody_waits_past_the_end(tmp_path: Path, key: str | None, case: str) -> None:
    """Whoever would have to is told at once, and in a journal nothing is claimed."""
    reply, seconds, words = WAITS[case]
    wire = Wire(reply)
    with Journal.open(tmp_path / "j.db") as journal:
        client = posting(wire, journal, retry=PATIENT)
        error = await send(client, key=key, not_after=soon(seconds))

    assert isinstance(error, ExpiredError)
    assert words in str(error)
    assert wire.clock.now() < soon(seconds)
    assert ["not_sent"][: key is not None] == states_in(tmp_path / "j.db")


async def test_a_pause_that_ends_in_time_is_waited_for() -> None:
    """The end takes nothing away from what there is time for."""
    wire = Wire(SLOW_DOWN, ACCEPTED)
    error = await send(posting(wire), not_after=soon(6))

    assert (None, [5.0]) == (error, wire.clock.sleeps)


async def test_a_text_that_stands_in_the_queue_of_the_rate_expires_there() -> None:
    """The one before it goes out, and it does not."""
    wire = Wire(iprog_ok)
    provider = IprogProvider(TOKEN, rate="1/100s")
    async with SmsClient(provider, pool=wire.pool) as client:
        await client.send(NUMBER, "Hi", not_after=soon(50))
        with pytest.raises(ExpiredError):
            await client.send(NUMBER, "Ho", not_after=soon(50))

    assert 1 == len(wire.requests)


async def test_a_text_that_waits_for_a_pause_of_others_expires_at_once() -> None:
    """The account was asked to slow down for longer than the text has."""
    wire = Wire(SLOW_DOWN, ACCEPTED)
    async with posting(wire) as client:
        pace = wire.pool.pace(client.provider.gateway)
        pace.pause(100)
        with pytest.raises(ExpiredError, match="its turn"):
            await client.send(NUMBER, "Hi", not_after=soon(50))

    assert ([], []) == (wire.requests, wire.clock.sleeps)


@pytest.mark.parametrize("engine", BOTH)
async def test_no_byte_is_written_later(
    engine: EngineName, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that took until the end carries nothing."""
    clock = InstantClock()

    def hours_later() -> float:
        clock.advance(20_000)
        return 20_000.0

    monkeypatch.setattr(expiry, "uptime", lambda: 1.0)
    monkeypatch.setattr(base, "uptime", hours_later)
    async with RawGateway(OK) as gateway, HttpPool(engine=engine, clock=clock) as pool:
        client = client_of(gateway.base_url, None, pool=pool)
        error = await send(client, not_after=soon(60))

        assert 0 == gateway.begun
    assert isinstance(error, ExpiredError)


async def test_a_key_stands_for_one_text_whenever_it_expires(tmp_path: Path) -> None:
    """One that expired is sent with a later end, and one that was sent keeps its receipt."""
    wire = Wire(ACCEPTED)
    receipts: list[Any] = []
    with Journal.open(tmp_path / "j.db") as journal:
        async with posting(wire, journal) as client:
            with pytest.raises(ExpiredError):
                await client.send(NUMBER, "Hi", key="1", not_after=soon(-1))
            for end in (soon(60), soon(-1), None):
                receipts.append(await client.send(NUMBER, "Hi", key="1", not_after=end))

    assert (1, 1) == (len(wire.requests), len(set(map(repr, receipts))))


async def test_what_is_unknown_stays_unknown() -> None:
    """A second try that was too late proves nothing about the first one."""
    wire = Wire(BROKEN)
    async with posting(wire, retry=PATIENT) as client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.send(NUMBER, "Hi", on_unknown="resend", not_after=soon(1))

    assert 1 == len(wire.requests)
    assert "expired" in caught.value.__notes__[0]


async def test_other_failures_are_told_as_they_are() -> None:
    """Where there was time left, the end explains nothing."""
    error = await send(posting(Wire(DOWN), retry=RetryPolicy.off()), not_after=soon(60))

    assert isinstance(error, ConnectionFailedError)
