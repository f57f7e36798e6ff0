"""Sends and runs whose event loop was closed before they had ended, as with a loop per request."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from support.core.fakes import NUMBER, Wire
from support.journal.gate import Gate
from support.journal.journaling import ACCEPTED, Place, posting, run_over, states_in
from support.waiting import LONG

from iprog_async import (
    Journal,
    JournalError,
    JournalUnknownError,
    Message,
    OutcomeUnknownError,
    SmsError,
)
from iprog_async._journal.postgres.store import PostgresStore


OTHER = "+639180000009"


async def _never(_: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError


def _leave(journal: Journal, key: str = "a") -> None:
    """Send, wait until the request has left, give up, and close the event loop."""
    loop = asyncio.new_event_loop()

    async def give_up() -> None:
        left = asyncio.Event()

        async def answer(request: httpx.Request) -> httpx.Response:
            left.set()
            return await _never(request)

        caller = asyncio.create_task(posting(Wire(answer), journal).send(NUMBER, "Hi", key=key))
        await left.wait()
        caller.cancel()
        await asyncio.wait([caller])

    loop.run_until_complete(give_up())
    loop.close()


def _leave_run(journal: Journal, key: str | None = "a") -> list[asyncio.Task[object]]:
    """Begin a run, wait until its request has left, and close the event loop; return its task."""
    loop, left = asyncio.new_event_loop(), asyncio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        left.set()
        return await _never(request)

    # It would say of each task that it was not done.
    loop.set_exception_handler(lambda _loop, _context: None)
    messages = [Message(NUMBER, "Hi", key=key)]
    running = loop.create_task(
        run_over(posting(Wire(answer)), messages, journal=journal, concurrency=1)
    )
    loop.run_until_complete(left.wait())
    loop.close()
    return [running]


def _send(journal: Journal, answer: Any = ACCEPTED, key: str = "a") -> SmsError | None:
    async def send() -> SmsError | None:
        try:
            await posting(Wire(answer), journal).send(NUMBER, "Hi", key=key)
        except SmsError as error:
            return error
        return None

    return asyncio.run(send())


def test_a_send_of_a_closed_loop_is_told_by_the_record(path: Place) -> None:
    """It is a claim that was left: unknown, and not on its way for as long as the process lives."""
    with Journal.open(path) as journal:
        _leave(journal)
        error = _send(journal)
        assert {} == journal.sending
        assert set() == set(journal.under_way)
    assert isinstance(error, OutcomeUnknownError)
    assert "whether the text" in str(error)
    assert "on its way through this journal" not in str(error)
    assert ["claimed"] == states_in(path)


def test_a_send_of_a_closed_loop_can_be_sent_again_on_purpose(path: Place) -> None:
    """Where unknown texts are, and only once, as the next one finds its receipt."""
    with Journal.open(path, resend_unknown=True) as journal:
        _leave(journal)
        assert [None, None] == [_send(journal), _send(journal, _never)]
    assert ["accepted"] == states_in(path)


def test_what_is_left_of_a_closed_loop_frees_no_key(path: Place) -> None:
    """Whenever its tasks are freed, a key that another send has by then stays that one's."""
    held: list[bool] = []
    with Journal.open(path, resend_unknown=True) as journal:
        _leave(journal)
        left = list(journal.sending.values())

        def answer(_: httpx.Request) -> httpx.Response:
            left.clear()
            gc.collect()
            held.append((NUMBER, "a") in journal.under_way)
            return ACCEPTED

        assert _send(journal, answer) is None
        assert set() == set(journal.under_way)
    assert [True] == held


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_run_of_a_closed_loop_frees_no_key(path: Place) -> None:
    """Whenever it is freed, the key that a send has by then is taken for everybody else."""
    others: list[SmsError | None] = []
    with Journal.open(path, resend_unknown=True) as journal:
        left = _leave_run(journal)

        async def answer(_: httpx.Request) -> httpx.Response:
            left.clear()
            gc.collect()
            others.append(await asyncio.to_thread(_send, journal, _never))
            return ACCEPTED

        assert _send(journal, answer) is None
        assert set() == set(journal.under_way)
    assert [JournalUnknownError] == [type(error) for error in others]


async def _run(journal: Journal | Place, answer: Any = ACCEPTED, number: str = NUMBER) -> list[str]:
    """Run over the message that a run of a closed loop left, or another; return its state."""
    outcomes = await run_over(posting(Wire(answer)), [Message(number, "Hi")], journal=journal)
    return [outcome.state for outcome in outcomes]


async def _run_of_another_opening(journal: Journal) -> list[str]:
    return await _run(_place(journal), number=OTHER)


async def _run_once_closed(journal: Journal) -> list[str]:
    await asyncio.to_thread(journal.close)
    return await _run(_place(journal))


async def _forget(journal: Journal) -> list[str]:
    assert 0 == await journal.forget(OTHER)
    return states_in(_place(journal))


async def _prune(journal: Journal) -> list[str]:
    await journal.prune(older_than=timedelta(days=1))
    return states_in(_place(journal))


def _place(journal: Journal) -> Place:
    store = journal.store
    return str(store.address) if isinstance(store, PostgresStore) else store.path


NEXT = {
    "a run": (_run, ["unknown"]),
    "a run of another opening": (_run_of_another_opening, ["accepted"]),
    "a run once it is closed": (_run_once_closed, ["unknown"]),
    "forgetting": (_forget, ["claimed"]),
    "pruning": (_prune, ["claimed"]),
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("then", "expected"), NEXT.values(), ids=NEXT)
def test_a_run_of_a_closed_loop_keeps_nobody_out(
    then: Callable[[Journal], Awaitable[list[str]]], expected: list[str], path: Place
) -> None:
    """It has ended, though its task is still there; what it left on its way is unknown."""
    with Journal.open(path) as journal:
        left = _leave_run(journal, key=None)

        async def go_on() -> list[str]:
            return await then(journal)

        assert expected == asyncio.run(go_on())
        left.clear()
        gc.collect()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_run_of_a_closed_loop_ends_no_other(path: Place) -> None:
    """Whenever it is freed, the run that has begun by then has the journal, and what it sent."""
    with Journal.open(path, resend_unknown=True) as journal:
        left = _leave_run(journal, key=None)

        async def answer(_: httpx.Request) -> httpx.Response:
            left.clear()
            gc.collect()
            with pytest.raises(JournalError, match="let it end first"):
                await journal.begin_run()
            return ACCEPTED

        states = [asyncio.run(_run(journal, reply)) for reply in (answer, _never)]
    assert [["accepted"]] * 2 == states
    assert {"accepted"} >= set(states_in(path)) - {"claimed"}


def test_a_run_whose_loop_was_closed_as_it_began(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps nobody out either, and takes nothing from the next one as it is freed."""
    loop = asyncio.new_event_loop()
    with Journal.open(path) as journal:
        gate = Gate(monkeypatch)
        left = [loop.create_task(journal.begin_run())]
        loop.run_until_complete(asyncio.sleep(0))
        assert gate.reached.wait(LONG)
        loop.close()
        gate.opened.set()

        async def begin() -> None:
            run = await journal.begin_run()
            left.clear()
            gc.collect()
            with pytest.raises(JournalError, match="let it end first"):
                await journal.begin_run()
            await journal.end_run(run)

        asyncio.run(begin())


@pytest.mark.parametrize("key", ["a", "b"])
def test_sends_of_closed_loops_are_not_kept(path: Place, key: str) -> None:
    """The next send lets go of them, with their clients and sockets, whatever its key."""
    with Journal.open(path) as journal:
        _leave(journal)
        _send(journal, key=key)
        assert ({}, set()) == (journal.sending, set(journal.under_way))
