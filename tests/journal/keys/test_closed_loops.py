"""Sends and runs whose event loop was closed before they had ended, as with a loop per request."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import httpx
import pytest
from support.core.fakes import NUMBER, Wire
from support.journal.journaling import ACCEPTED, Place, posting, run_over, states_in

from iprog_async import Journal, JournalUnknownError, Message, OutcomeUnknownError, SmsError


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

    messages = [Message(NUMBER, "Hi", key=key)]
    running = loop.create_task(run_over(posting(Wire(answer)), messages, journal=journal))
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


@pytest.mark.parametrize("key", ["a", "b"])
def test_sends_of_closed_loops_are_not_kept(path: Place, key: str) -> None:
    """The next send lets go of them, with their clients and sockets, whatever its key."""
    with Journal.open(path) as journal:
        _leave(journal)
        _send(journal, key=key)
        assert ({}, set()) == (journal.sending, set(journal.under_way))
