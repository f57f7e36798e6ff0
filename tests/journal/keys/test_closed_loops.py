"""Single sends whose event loop was closed before they had ended, as with a loop per request."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import httpx
import pytest
from support.core.fakes import NUMBER, Wire
from support.journal.journaling import ACCEPTED, Place, posting, states_in

from iprog_async import Journal, OutcomeUnknownError, SmsError


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
        assert set() == journal.under_way
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
        assert set() == journal.under_way
    assert [True] == held


@pytest.mark.parametrize("key", ["a", "b"])
def test_sends_of_closed_loops_are_not_kept(path: Place, key: str) -> None:
    """The next send lets go of them, with their clients and sockets, whatever its key."""
    with Journal.open(path) as journal:
        _leave(journal)
        _send(journal, key=key)
        assert ({}, set()) == (journal.sending, set(journal.under_way))
