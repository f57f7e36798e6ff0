"""Claims of keys of which nobody hears any more: whoever asked was cancelled, or its loop ended."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from support.core.fakes import NUMBER, Wire, prepared
from support.journal.gate import Gate
from support.journal.journaling import BUSY, Place, posting, states_in
from support.outbox.looking import until
from support.waiting import LONG

from iprog_async import Journal, Outcome, RejectedError, SmsError
from iprog_async._journal.keys import KeysUnderWay
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.rows import Row
from iprog_async._journal.single_ledger import SingleLedger


KNOWN = pytest.mark.parametrize("known", [False, True], ids=["new", "refused for now"])
"""Whether something is on record of the key: then it is looked up first, and claimed after that."""


async def _refused(journal: Journal) -> None:
    with pytest.raises(RejectedError):
        await posting(Wire(BUSY), journal).send(NUMBER, "Hi", key="k")


def _before(journal: Journal, monkeypatch: pytest.MonkeyPatch, *, known: bool) -> Gate:
    """Put on record what is known, and stop the thread before the next claim."""
    if known:
        asyncio.run(_refused(journal))
    return Gate(monkeypatch, after=1 if known else 0)


async def _begin_to_claim(journal: Journal, gate: Gate) -> asyncio.Task[Outcome | None]:
    task = asyncio.create_task(_admit(journal))
    await until(gate.reached.is_set)
    return task


async def _begin_and_be_cancelled(journal: Journal, gate: Gate) -> None:
    task = await _begin_to_claim(journal, gate)
    task.cancel()
    await asyncio.wait([task])


async def _admit(journal: Journal) -> Outcome | None:
    return await SingleLedger(journal).admit_single(prepared(0, NUMBER, key="k"))


async def _is_free(journal: Journal) -> None:
    """Claim the message of a key that somebody has begun to claim and was cancelled."""
    journal.under_way = KeysUnderWay()
    assert await _admit(journal) is None


@KNOWN
def test_a_claim_of_a_cancelled_task_is_given_back(
    path: Place, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    """Whoever is cancelled while a key is claimed for it leaves no claim."""
    with Journal.open(path) as journal:
        gate = _before(journal, monkeypatch, known=known)

        async def cancel_and_claim() -> None:
            await _begin_and_be_cancelled(journal, gate)
            gate.opened.set()
            await _is_free(journal)

        asyncio.run(cancel_and_claim())


@KNOWN
def test_a_claim_that_came_with_the_cancelling_is_given_back(
    path: Place, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    """A task that is cancelled when its claim is there, and before it goes on, leaves none."""

    async def claim_and_be_cancelled(journal: Journal) -> None:
        queue, name = journal.store.of_loop(), "claim" if known else "claim_new"
        really: Callable[..., asyncio.Future[Row | SmsError | None]] = getattr(queue, name)

        def claim(*asked: Any) -> asyncio.Future[Row | SmsError | None]:
            claimed, task = really(*asked), asyncio.current_task()
            assert task is not None
            # Before the task hears of it.
            claimed.add_done_callback(lambda _: task.cancel())
            return claimed

        with monkeypatch.context() as context:
            context.setattr(queue, name, claim)
            task = asyncio.create_task(_admit(journal))
            await asyncio.wait([task])
        assert task.cancelled()
        await _is_free(journal)

    with Journal.open(path) as journal:
        if known:
            asyncio.run(_refused(journal))
        asyncio.run(claim_and_be_cancelled(journal))


@KNOWN
def test_a_claim_for_a_loop_that_ended_is_given_back(
    path: Place, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    """Where an event loop ends while a key is claimed for it, the thread gives the claim back."""
    with Journal.open(path) as journal:
        gate = _before(journal, monkeypatch, known=known)
        asyncio.run(_begin_to_claim(journal, gate))
        gate.opened.set()
        asyncio.run(_is_free(journal))


@KNOWN
def test_a_claim_that_a_loop_never_heard_of_is_given_back(
    path: Place, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    """Where an event loop ends between two of its steps, what came for it is given back."""
    heard = threading.Event()

    def hear(_: object) -> None:
        heard.set()

    loop = asyncio.new_event_loop()
    with Journal.open(path) as journal:
        gate = _before(journal, monkeypatch, known=known)
        task = loop.run_until_complete(_begin_to_claim(journal, gate))
        monkeypatch.setattr(loop, "call_soon_threadsafe", hear)
        gate.opened.set()
        assert heard.wait(LONG)
        task.cancel()
        loop.run_until_complete(asyncio.wait([task]))
        loop.close()
        asyncio.run(_is_free(journal))


@KNOWN
def test_a_cancelled_claim_of_a_journal_that_is_closed_is_given_back(
    path: Place, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    """The thread takes it back itself: the event loop hears of it once all is closed."""

    async def be_cancelled_and_close() -> None:
        with Journal.open(path) as journal:
            if known:
                await _refused(journal)
            gate = Gate(monkeypatch, after=1 if known else 0)
            await _begin_and_be_cancelled(journal, gate)
            gate.opened.set()

    asyncio.run(be_cancelled_and_close())
    assert ["released"] == states_in(path)


async def test_a_cancelled_claim_takes_no_later_one_with_it(path: Place) -> None:
    """Who gave it back, and has claimed the text once more meanwhile, has it on record."""
    with Journal.open(path) as journal:
        claim = Ledger(journal).claim([prepared(key="k")])
        claim.take().cancel()
        claim.release()
        assert await claim.take() is None
        assert 1 == (await journal.counts())["unknown"]
    assert ["claimed"] == states_in(path)
