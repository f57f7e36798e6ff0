"""Where a gateway lists nothing, it is asked about each text, in rounds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from support.journal.following import (
    DELIVERED,
    FAILED,
    PENDING,
    SENT,
    follow,
    ids_of,
    leave,
    saying,
    statuses_in,
)
from support.journal.journaling import Place
from support.journal.listing import AskedProvider

from iprog_async import AuthenticationError, DeliveryStatus, FollowUp, NoAnswerError, Outcome
from iprog_async.adapter import PreparedMessage, accepted
from iprog_async.testing import InstantClock


async def _accept_as_one(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    return [accepted(one, "fake", message_id="queue:1") for one in batch]


async def test_without_a_list_each_text_is_asked_for(path: Place) -> None:
    """In rounds, with longer and longer waits, and only about what is not final."""
    await leave(path, 3)
    provider = saying(3, DELIVERED)
    late = ids_of(3)[1]
    provider.statuses[late] = [PENDING, SENT, SENT, FAILED]
    clock = InstantClock()

    found = await follow(path, provider, clock)

    assert (2, 1, True) == (found.delivered, found.failed, found.finished)
    assert [*ids_of(3), late, late, late] == provider.asked
    assert [15.0, 30.0, 60.0] == clock.sleeps
    assert ["delivered", "failed", "delivered"] == statuses_in(path)


async def test_few_are_asked_for_at_once(path: Place) -> None:
    """No more questions are under way than allowed."""
    await leave(path, 23)
    now, most = 0, 0

    class _Slow(AskedProvider):
        async def status(self, message_id: str, /) -> DeliveryStatus:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0)
            now -= 1
            return DELIVERED

    assert 23 == (await follow(path, _Slow(), concurrency=4)).delivered
    assert 4 == most


async def test_one_request_for_many_is_asked_for_once(path: Place) -> None:
    """Texts that the gateway queued as one request share its id, and get its status."""
    await leave(path, 30, _accept_as_one)
    provider = AskedProvider(statuses={"queue:1": [DELIVERED]})
    assert 30 == (await follow(path, provider)).delivered
    assert ["queue:1"] == provider.asked


async def test_what_the_gateway_does_not_know_is_given_up(path: Place) -> None:
    """After three rounds nobody asks any more, and the text stays as it was."""
    await leave(path, 2)
    provider = AskedProvider(statuses={ids_of(2)[0]: [DELIVERED]})
    clock = InstantClock()
    found = await follow(path, provider, clock)
    assert (1, 1, 1) == (found.delivered, found.pending, found.not_found)
    assert [ids_of(2)[0], *[ids_of(2)[1]] * 3] == provider.asked
    assert ["delivered", "pending"] == statuses_in(path)


async def test_an_error_of_a_question_is_no_outcome(path: Place) -> None:
    """The text keeps its status, and is asked for again."""
    await leave(path, 1)
    provider = saying(1, NoAnswerError("away"), NoAnswerError("still away"), DELIVERED)
    seen: list[str] = []

    def look(told: FollowUp) -> None:
        seen.extend(statuses_in(path))

    found = await follow(path, provider, progress=look)
    assert (1, "still away") == (found.delivered, str(found.last_error))
    assert ["pending", "pending", "delivered"] == seen


async def test_a_gateway_that_is_away_is_left_alone_for_a_while(path: Place) -> None:
    """A round ends early if nothing is answered."""
    await leave(path, 100)
    provider = saying(100, NoAnswerError("away"))
    await follow(path, provider, timeout=10)
    assert 20 == len(provider.asked)


async def test_wrong_credentials_end_it(path: Place) -> None:
    """What is said of the account ends the follow-up, and changes no text."""
    await leave(path, 2)
    provider = saying(2, AuthenticationError("wrong token", provider="fake"))
    with pytest.raises(AuthenticationError):
        await follow(path, provider)
    assert ["pending"] * 2 == statuses_in(path)


async def test_it_ends_in_time(path: Place) -> None:
    """What is not final when the time is over is told as pending."""
    await leave(path, 1)
    clock = InstantClock()
    found = await follow(path, saying(1, SENT), clock, timeout=100)
    assert (1, False) == (found.sent, found.finished)
    assert 100 == clock.monotonic()


async def test_a_word_that_nobody_knows_is_no_news(path: Place) -> None:
    """A status that no table knows does not replace one that it does."""
    await leave(path, 1)
    found = await follow(path, saying(1, DeliveryStatus("unknown", "???")), timeout=10)
    assert (1, 0, 0) == (found.pending, found.unclear, found.changed)
