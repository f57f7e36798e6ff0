"""Texts whose time is over when a run reads them, beside the same ones that can still be sent."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from attrs import evolve
from support.core.clock import soon
from support.core.fakes import NUMBER, Wire
from support.journal.journaling import ACCEPTED, Place, posting, run_over, sent_to

from iprog_async import ExpiredError, Journal, Message, NotSent


@pytest.mark.parametrize("key", [None, "order-1"])
async def test_a_late_text_keeps_no_other_from_being_sent(key: str | None, path: Place) -> None:
    """Neither its key nor its text is taken by one that nobody gets; a second run repeats none."""
    text = Message(NUMBER, "Hi", key=key)
    messages = [evolve(text, not_after=soon(minutes)) for minutes in (-2, -1, 60)]
    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        first, second = [await run_over(posting(wire), messages, journal=journal) for _ in range(2)]

    *late, sent = first
    assert [True, True] == [
        isinstance(one, NotSent) and isinstance(one.error, ExpiredError) for one in late
    ]
    assert ["accepted"] * 4 == [one.state for one in (sent, *second)]
    assert 1 == len(sent_to(wire))


async def test_a_late_text_that_another_run_has_sent_is_told_as_sent(
    postgres_journal: str,
) -> None:
    """In the first run of a campaign, too, beside which the other one has begun."""
    with Journal.open(postgres_journal) as journal, Journal.open(postgres_journal) as other:

        async def people() -> AsyncIterator[Message]:
            await run_over(posting(Wire(ACCEPTED)), [Message(NUMBER, "Hi")], journal=other)
            yield Message(NUMBER, "Hi", not_after=soon(-1))

        async with posting(Wire()).send_many(people(), journal=journal) as run:
            outcomes = [outcome async for outcome in run]
    assert (["accepted"], 1) == ([one.state for one in outcomes], run.counts.resumed)
