"""A key that somebody else sends while it waits for its turn here."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.core.fakes import NUMBER, Wire, to_many
from support.journal.journaling import (
    ACCEPTED,
    BROKEN,
    REFUSED,
    PostingProvider,
    posting,
    states_in,
)

from iprog_async import (
    ClientClosedError,
    Failover,
    InvalidMessageError,
    Journal,
    Message,
    OutcomeUnknownError,
    SmsClient,
    SmsError,
)
from iprog_async._client import idempotency
from iprog_async._journal import ledger
from iprog_async.testing import InstantClock


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give claims back as soon as a text waits."""
    monkeypatch.setattr(idempotency, "_IDLE_CLAIM_SECONDS", 0)


class _Queue:
    """A client whose texts wait for a connection that is never free, until they may go."""

    def __init__(self, wire: Wire, journal: Journal, provider: Any = None) -> None:
        self._slots = wire.pool.slots
        self._taken: list[int] = []
        self._journal = journal
        self.client: SmsClient[Any] = SmsClient(
            provider or PostingProvider(), pool=wire.pool, journal=journal
        )

    async def send(self) -> asyncio.Task[object]:
        """Begin to send, and return once the claim was given back."""
        self._taken = [await self._slots.acquire() for _ in range(self._slots.size)]
        sending = asyncio.create_task(self._send())
        for _ in range(1000):
            if (await self._journal.counts())["waiting"]:
                break
        assert 1 == (await self._journal.counts())["waiting"]
        return sending

    async def _send(self) -> object:
        try:
            return (await self.client.send(NUMBER, "Hi", key="a")).message_id
        except SmsError as error:
            return type(error)

    def go(self) -> None:
        """Let the text have its turn."""
        for slot in self._taken:
            self._slots.release(slot)


@pytest.mark.parametrize(
    ("elsewhere", "here"),
    [(ACCEPTED, "id-1"), (BROKEN, OutcomeUnknownError), (REFUSED, ClientClosedError)],
    ids=["accepted", "unknown", "refused"],
)
async def test_what_another_process_sent_meanwhile_is_not_called_unsent(
    tmp_path: Path, elsewhere: httpx.Response, here: object
) -> None:
    """Whoever gives up waiting learns what became of the key in the other process."""
    path = tmp_path / "j.db"
    ours, theirs = Wire(ACCEPTED), Wire(elsewhere)
    with Journal.open(path) as journal, Journal.open(path) as other:
        queue = _Queue(ours, journal)
        sending = await queue.send()
        with suppress(SmsError):
            await posting(theirs, other).send(NUMBER, "Hi", key="a")
        await ours.pool.aclose()
        queue.go()
        assert here == await sending
    assert (0, 1) == (len(ours.requests), len(theirs.requests))


async def test_a_text_whose_turn_comes_too_late_is_not_sent_again(tmp_path: Path) -> None:
    """A claim that another process has by now is lost, and its receipt is returned."""
    path = tmp_path / "j.db"
    ours, theirs = Wire(ACCEPTED), Wire(ACCEPTED)
    with Journal.open(path) as journal, Journal.open(path) as other:
        queue = _Queue(ours, journal)
        sending = await queue.send()
        await posting(theirs, other).send(NUMBER, "Hi", key="a")
        queue.go()
        assert "id-1" == await sending
    assert (0, 1) == (len(ours.requests), len(theirs.requests))


async def test_a_router_asks_no_further_member(tmp_path: Path) -> None:
    """A lost claim is no member's failure: nobody else is asked, and nobody waits."""
    path = tmp_path / "j.db"
    ours, theirs = Wire(ACCEPTED), Wire(ACCEPTED)
    router = Failover(PostingProvider(name="one"), PostingProvider(name="two"), region="PH")
    with Journal.open(path) as journal, Journal.open(path) as other:
        queue = _Queue(ours, journal, router)
        sending = await queue.send()
        await posting(theirs, other).send(NUMBER, "Hi", key="a")
        queue.go()
        assert "id-1" == await sending
        assert isinstance(clock := ours.pool.clock, InstantClock)
        assert [] == clock.sleeps
    assert (0, 1) == (len(ours.requests), len(theirs.requests))


@pytest.mark.parametrize("key", [None, "a"])
async def test_a_machine_that_has_just_started_claims_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    """In the first seconds of a machine's clock, too, what leaves is on record."""
    monkeypatch.setattr(ledger, "uptime", lambda: 0.5)
    path = tmp_path / "j.db"
    seen: list[list[str]] = []

    def answer(_: httpx.Request) -> httpx.Response:
        seen.append(states_in(path))
        return ACCEPTED

    message = Message(to_many(1)[0].to, "Hi", key=key)
    with Journal.open(path) as journal:
        async with posting(Wire(answer), journal).send_many([message]) as run:
            await run.drain()
    assert [["claimed"]] == seen


async def test_a_key_with_the_character_0(tmp_path: Path) -> None:
    """A key that one kind of journal can't keep is refused by all."""
    wire = Wire(ACCEPTED)
    with (
        Journal.open(tmp_path / "j.db") as journal,
        pytest.raises(InvalidMessageError, match="character 0"),
    ):
        await posting(wire, journal).send(NUMBER, "Hi", key="a\0b")
    assert [] == wire.requests
