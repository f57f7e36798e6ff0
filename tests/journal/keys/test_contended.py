"""A key that somebody else sends while it waits for its turn here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import httpx
import pytest
from support.core.fakes import NUMBER, Wire, to_many
from support.journal.journaling import (
    ACCEPTED,
    BROKEN,
    REFUSED,
    Place,
    PostingProvider,
    posting,
    states_in,
)

from iprog_async import (
    ClientClosedError,
    Failover,
    InvalidMessageError,
    Journal,
    JournalError,
    JournalUnknownError,
    Message,
    OutcomeUnknownError,
    RejectedError,
    SmsClient,
    SmsError,
)
from iprog_async._client import idempotency
from iprog_async._journal import rows_claim, single_ledger
from iprog_async._journal.rows import Row
from iprog_async.testing import InstantClock


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give claims back as soon as a text waits."""
    monkeypatch.setattr(idempotency, "_IDLE_CLAIM_SECONDS", 0)


class _Queue:
    """A client whose texts wait for a connection that is never free, until they may go."""

    def __init__(
        self, wire: Wire, journal: Journal, provider: Any = None, *, waits_as: Any = "waiting"
    ) -> None:
        self._waits_as = waits_as
        self._given_back = asyncio.Event()
        queue = journal.store.of_loop()
        release = queue.release

        def give_back(rows: Sequence[Row]) -> asyncio.Future[JournalError | None]:
            self._given_back.set()
            return release(rows)

        queue.release = give_back  # type: ignore[method-assign]
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
        await self._given_back.wait()
        assert 1 == (await self._journal.counts())[self._waits_as]
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
@pytest.mark.parametrize("resend", [False, True], ids=["once", "resend"])
async def test_what_another_process_sent_meanwhile_is_not_called_unsent(
    path: Place, elsewhere: httpx.Response, here: object, resend: bool
) -> None:
    """Whoever gives up waiting learns what became of the key in the other process."""
    ours, theirs = Wire(ACCEPTED), Wire(elsewhere)
    with Journal.open(path, resend_unknown=resend) as journal, Journal.open(path) as other:
        queue = _Queue(ours, journal)
        sending = await queue.send()
        with suppress(SmsError):
            await posting(theirs, other).send(NUMBER, "Hi", key="a")
        await ours.pool.aclose()
        queue.go()
        assert here == await sending
    assert (0, 1) == (len(ours.requests), len(theirs.requests))


async def _leave_unknown(path: Place) -> None:
    with Journal.open(path) as journal, pytest.raises(OutcomeUnknownError):
        await posting(Wire(BROKEN), journal).send(NUMBER, "Hi", key="a")


@pytest.mark.parametrize("taken", [False, True])
async def test_a_resend_that_gives_up_leaves_what_is_unknown(path: Place, taken: bool) -> None:
    """Whether or not somebody else has resent it meanwhile, the first may have been sent."""
    await _leave_unknown(path)
    ours, theirs = Wire(ACCEPTED), Wire(BROKEN)
    opened = [Journal.open(path, resend_unknown=True) for _ in range(2)]
    with opened[0] as journal, opened[1] as other:
        queue = _Queue(ours, journal, waits_as="unknown")
        sending = await queue.send()
        if taken:
            with pytest.raises(OutcomeUnknownError):
                await posting(theirs, other).send(NUMBER, "Hi", key="a")
        await ours.pool.aclose()
        queue.go()
        assert OutcomeUnknownError is await sending
    assert (0, int(taken)) == (len(ours.requests), len(theirs.requests))
    assert ["unknown"] == states_in(path)


async def test_a_journal_that_is_gone_hides_what_others_did(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody can say whether others have sent a text meanwhile, it is unknown."""
    ours = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        queue = _Queue(ours, journal)
        sending = await queue.send()

        async def look_up(*_: object, **__: object) -> object:
            raise JournalError("the disk is gone")

        monkeypatch.setattr(type(journal.store), "look_up", look_up)
        await ours.pool.aclose()
        queue.go()
        assert JournalUnknownError is await sending


async def test_another_event_loop_leaves_the_key_alone_until_its_fate_is_known(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between a refusal and its caller no other thread's send of the key makes it unknown."""
    theirs = Wire(ACCEPTED)
    told: list[str] = []

    async def send_there(journal: Journal) -> None:
        try:
            await posting(theirs, journal).send(NUMBER, "Hi", key="a")
        except OutcomeUnknownError as error:
            told.append(str(error))

    with Journal.open(path) as journal:
        real = journal.store.look_up

        async def look_up(*args: Any, **settings: Any) -> Any:
            await asyncio.to_thread(asyncio.run, send_there(journal))
            return await real(*args, **settings)

        monkeypatch.setattr(journal.store, "look_up", look_up)
        with pytest.raises(RejectedError):
            await posting(Wire(REFUSED), journal).send(NUMBER, "Hi", key="a")
        assert set() == set(journal.under_way)
    assert [True] == ["is on its way" in words for words in told]
    assert [] == theirs.requests


async def test_a_text_whose_turn_comes_too_late_is_not_sent_again(path: Place) -> None:
    """A claim that another process has by now is lost, and its receipt is returned."""
    ours, theirs = Wire(ACCEPTED), Wire(ACCEPTED)
    with Journal.open(path) as journal, Journal.open(path) as other:
        queue = _Queue(ours, journal)
        sending = await queue.send()
        await posting(theirs, other).send(NUMBER, "Hi", key="a")
        queue.go()
        assert "id-1" == await sending
    assert (0, 1) == (len(ours.requests), len(theirs.requests))


async def test_a_router_asks_no_further_member(path: Place) -> None:
    """A lost claim is no member's failure: nobody else is asked, and nobody waits."""
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
    path: Place, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    """In the first seconds of a machine's clock, too, what leaves is on record."""
    for module in (single_ledger, rows_claim):
        monkeypatch.setattr(module, "uptime", lambda: 0.5)
    seen: list[list[str]] = []

    def answer(_: httpx.Request) -> httpx.Response:
        seen.append(states_in(path))
        return ACCEPTED

    message = Message(to_many(1)[0].to, "Hi", key=key)
    with Journal.open(path) as journal:
        async with posting(Wire(answer), journal).send_many([message]) as run:
            await run.drain()
    assert [["claimed"]] == seen


async def test_a_key_with_the_character_0(path: Place) -> None:
    """A key that one kind of journal can't keep is refused by all."""
    wire = Wire(ACCEPTED)
    with (
        Journal.open(path) as journal,
        pytest.raises(InvalidMessageError, match="character 0"),
    ):
        await posting(wire, journal).send(NUMBER, "Hi", key="a\0b")
    assert [] == wire.requests
