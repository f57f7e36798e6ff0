from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from support.core.clock import soon
from support.core.fakes import NUMBER, FakeProvider, lose, to_many
from support.journal.journaling import run_over

from iprog_async import (
    DuplicateMessageError,
    ExpiredError,
    HttpPool,
    InvalidMessageError,
    Journal,
    JournalConflictError,
    Message,
    NotSent,
    NumberRepeatedError,
    Outcome,
    SmsClient,
)
from iprog_async.testing import InstantClock


OTHER = "+639170000001"
NAMES = [Message(NUMBER, "Hi Ana"), Message("0917 123 4567", "Hi ANA"), Message(OTHER, "Hi Bo")]


async def outcomes_of(
    provider: FakeProvider, messages: Sequence[Message], **settings: Any
) -> list[Outcome]:
    """Run over messages, one for each number, and return the outcomes in order."""
    client = SmsClient(provider)
    async with client, client.send_many(messages, one_per_number=True, **settings) as run:
        outcomes = [outcome async for outcome in run]
    return sorted(outcomes, key=lambda outcome: outcome.index)


def errors(outcomes: Sequence[Outcome]) -> list[type[Exception] | None]:
    """Return the classes of the errors of what was not sent."""
    return [type(one.error) if isinstance(one, NotSent) else None for one in outcomes]


def texts(provider: FakeProvider) -> list[str]:
    """Return what went out."""
    return sorted(prepared.message.text for batch in provider.sent for prepared in batch)


async def test_each_number_gets_its_first_text() -> None:
    """Later texts for a number are not sent, however it is written, and say which one is."""
    provider = FakeProvider()
    messages = [*NAMES, NAMES[0], Message(NUMBER, "Hi", key="order 1")]

    outcomes = await outcomes_of(provider, messages)

    assert [None, NumberRepeatedError, None, DuplicateMessageError, NumberRepeatedError] == errors(
        outcomes
    )
    assert {0} == {one.error.first_index for one in outcomes if isinstance(one, NotSent)}  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue] - both classes have it
    assert ["Hi Ana", "Hi Bo"] == texts(provider)


async def test_what_can_not_be_sent_takes_nobodys_place() -> None:
    """The first text that can be sent is the one that a number gets."""
    provider = FakeProvider()

    outcomes = await outcomes_of(provider, [Message(NUMBER, " "), *NAMES])

    assert [InvalidMessageError, None, NumberRepeatedError, None] == errors(outcomes)


async def test_several_texts_are_sent_where_nobody_said_otherwise() -> None:
    """Two texts for one number may well be meant."""
    provider = FakeProvider()

    async with SmsClient(provider) as client, client.send_many(NAMES) as run:
        counts = await run.drain()

    assert 3 == counts.accepted


async def test_many_are_told_apart() -> None:
    """One text each, however long the list is, and in whatever window the second one comes."""
    provider = FakeProvider()
    messages = [*to_many(3000), *to_many(3000, "Ho")]

    client = SmsClient(provider)
    async with client, client.send_many(messages, one_per_number=True) as run:
        counts = await run.drain()

    assert (3000, 3000) == (counts.accepted, counts.not_sent)


@pytest.mark.parametrize("keys", [(None, None), ("a", "b"), ("a", None), (None, "b")])
@pytest.mark.parametrize("lost", [False, True])
async def test_number_of_an_earlier_run_gets_nothing_else(
    tmp_path: Path, keys: tuple[str | None, str | None], lost: bool
) -> None:
    """Who was texted by the campaign is not texted again, not even for another key."""
    path = tmp_path / "june.db"
    first = FakeProvider(send=lose) if lost else FakeProvider()
    await outcomes_of(first, [Message(NUMBER, "Hi", key=keys[0])], journal=path)
    provider = FakeProvider()

    outcomes = await outcomes_of(provider, [Message(NUMBER, "Ho", key=keys[1])], journal=path)

    assert [JournalConflictError] == errors(outcomes)
    assert [] == provider.sent


async def test_run_that_goes_on_sends_the_same_first_texts(tmp_path: Path) -> None:
    """After a run that ended early, each number still has or gets the first of its texts."""
    path = tmp_path / "june.db"
    messages = [
        Message(message.to, text, key=text) for message in to_many(40) for text in ("Hi", "Ho")
    ]
    first, second = FakeProvider(), FakeProvider()
    async with (
        SmsClient(first) as client,
        client.send_many(messages, one_per_number=True, journal=path, concurrency=1) as run,
    ):
        async for _ in run:
            if len(first.sent) > 9:
                break

    outcomes = await outcomes_of(second, messages, journal=path)

    assert ["Hi"] * 40 == sorted([*texts(first), *texts(second)])
    assert [None, NumberRepeatedError] * 40 == errors(outcomes)


async def test_single_sends_are_no_part_of_a_run(tmp_path: Path) -> None:
    """A text that somebody got for another reason, with its key, keeps nobody off a list."""
    provider = FakeProvider()
    with Journal.open(tmp_path / "june.db") as journal:
        async with SmsClient(provider, journal=journal) as client:
            await client.send(NUMBER, "Your code", key="login")
            async with client.send_many(NAMES, one_per_number=True) as run:
                counts = await run.drain()

    assert (2, 1) == (counts.accepted, counts.not_sent)


async def test_allowed_text_is_sent_to_who_had_another(tmp_path: Path) -> None:
    """A journal that allows another text to the same people allows it here, too."""
    path = tmp_path / "june.db"
    await outcomes_of(FakeProvider(), NAMES[:1], journal=path)
    with Journal.open(path, allow_changed_text=True) as journal:
        outcomes = await outcomes_of(FakeProvider(), NAMES[1:], journal=journal)

    assert [None, None] == errors(outcomes)


async def test_plan_counts_what_the_run_leaves_out() -> None:
    """A plan knows people: how many, who gets several texts, and what one each would leave out."""
    messages = [*NAMES, Message(NUMBER, "Hi Ana Cruz")]
    async with SmsClient(FakeProvider()) as client:
        every = await client.plan_many(messages)
        one = await client.plan_many(messages, one_per_number=True)

    assert (4, 2, 1, 0) == (every.recipients, every.numbers, every.several, every.repeated)
    assert [(NUMBER, 3, (0, 1, 3))] == [
        (found.number, found.texts, found.indexes) for found in every.several_texts
    ]
    assert (2, 2, 0, 2, ()) == (
        one.recipients,
        one.numbers,
        one.several,
        one.repeated,
        one.several_texts,
    )
    assert 4 == one.total


@pytest.mark.parametrize("one_per_number", [False, True])
async def test_nobody_has_what_came_too_late(one_per_number: bool) -> None:
    """So a text is no repetition of one that had expired before it could leave."""
    late, *others = [Message(NUMBER, "Hi") for _ in range(3)]
    messages = [evolve(late, not_after=soon(-60)), *others]
    client = SmsClient(FakeProvider(), pool=HttpPool(clock=InstantClock()))
    outcomes = await run_over(client, messages, one_per_number=one_per_number)

    expired, sent, repeated = outcomes
    assert sent.state == "accepted"
    assert isinstance(expired, NotSent)
    assert isinstance(expired.error, ExpiredError)
    assert isinstance(repeated, NotSent)
    assert isinstance(repeated.error, DuplicateMessageError)
    assert 1 == repeated.error.first_index


async def test_what_came_too_late_stays_so() -> None:
    """A clock that is set back while a window is read brings no two equal texts back to life."""
    clock = InstantClock()
    late = Message(NUMBER, "Hi", not_after=soon(-1))

    def suppressed(number: str) -> bool:
        if number == OTHER:
            clock.advance(-5)
        return False

    provider = FakeProvider()
    client = SmsClient(provider, pool=HttpPool(clock=clock))
    outcomes = await run_over(client, [late, late, Message(OTHER, "Hi")], suppress=suppressed)

    assert [ExpiredError, ExpiredError, None] == errors(outcomes)
    assert 1 == len(texts(provider))
