"""Runs that follow one another on one journal."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import httpx
import pytest
from attrs import evolve
from support.core.fakes import LATER, NUMBER, FakeProvider, Wire, to_many
from support.journal.journaling import (
    ACCEPTED,
    BROKEN,
    BUSY,
    REFUSED,
    WRONG_TOKEN,
    Place,
    PostingProvider,
    posting,
    run_over,
    send_all,
    sent_to,
    states_in,
)

from iprog_async import (
    Accepted,
    InvalidMessageError,
    Journal,
    JournalConflictError,
    JournalError,
    Message,
    NotSent,
    Receipt,
    SmsClient,
)
from iprog_async._journal.sqlite import queries, run_start
from iprog_async.adapter import Batching


@pytest.mark.parametrize(
    ("first", "opening", "again", "states"),
    [
        (ACCEPTED, {}, False, "accepted"),
        (REFUSED, {}, False, "not_sent"),
        (BUSY, {}, True, "accepted"),
        (WRONG_TOKEN, {}, True, "accepted"),
        (BROKEN, {}, False, "unknown"),
        (BROKEN, {"resend_unknown": True}, True, "accepted"),
        (ACCEPTED, {"resend_unknown": True}, False, "accepted"),
        (REFUSED, {"resend_unknown": True}, False, "not_sent"),
    ],
)
async def test_what_a_second_run_does(
    first: httpx.Response, opening: dict[str, bool], again: bool, states: str, path: Place
) -> None:
    """A second run sends what certainly did not go out and may heal, and nothing else."""
    await send_all(path, first, to_many(1))
    second, asked = await send_all(path, ACCEPTED, to_many(1), **opening)
    assert ([states], 1 if again else 0) == (second, len(asked))
    assert 1 == len(states_in(path))


async def test_a_receipt_comes_back_whole(path: Place) -> None:
    """What the second run hands out is the receipt of the first, and counts as resumed."""
    receipts: list[Receipt] = []
    resumed: list[int] = []
    for _ in range(2):
        with Journal.open(path) as journal:
            client = posting(Wire(ACCEPTED))
            async with client.send_many(to_many(1), journal=journal) as run:
                async for outcome in run:
                    assert isinstance(outcome, Accepted)
                    receipts.append(outcome.receipt)
                resumed.append(run.counts.resumed)
    assert ([receipts[0]] * 2, [0, 1]) == (receipts, resumed)


async def test_a_changed_template_texts_nobody_again(path: Place) -> None:
    """A typo fixed in the text is a conflict for all who had it; the others get the new one."""
    await send_all(path, ACCEPTED, to_many(2, "Helo"))
    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        outcomes = await run_over(posting(wire), to_many(3, "Hello"), journal=journal)
    assert [to_many(3)[2].to] == sent_to(wire)
    errors = [type(outcome.error) for outcome in outcomes if isinstance(outcome, NotSent)]
    assert [JournalConflictError] * 2 == errors


async def test_a_changed_template_may_be_allowed(path: Place) -> None:
    """Whoever allows it sends another text, once."""
    await send_all(path, ACCEPTED, to_many(2, "Helo"))
    for expected in (2, 0):
        states, asked = await send_all(path, ACCEPTED, to_many(2, "Hello"), allow_changed_text=True)
        assert (["accepted"] * 2, expected) == (states, len(asked))


async def test_a_key_outlives_its_text(path: Place) -> None:
    """Equal keys are one message, in one run and the next, whatever the text is."""
    first = Message(NUMBER, "Helo", key="a")
    states, asked = await send_all(path, ACCEPTED, [first, evolve(first, text="Hello")])
    assert (["accepted", "not_sent"], 1) == (states, len(asked))
    states, asked = await send_all(path, ACCEPTED, [evolve(first, text="Hello!")])
    assert (["accepted"], 0) == (states, len(asked))


async def test_a_new_key_is_a_new_message(path: Place) -> None:
    """A second key sends to a number that had the text already."""
    await send_all(path, ACCEPTED, [Message(NUMBER, "Hi", key="a")])
    messages = [Message(NUMBER, "Hi", key=key) for key in ("a", "b")]
    for expected in (1, 0):
        states, asked = await send_all(path, ACCEPTED, messages)
        assert (["accepted"] * 2, expected) == (states, len(asked))


async def test_one_key_of_two_numbers_is_two_messages(path: Place) -> None:
    """A key names a message together with its number."""
    messages = [Message(message.to, "Hi", key="a") for message in to_many(2)]
    for expected in (2, 0):
        states, asked = await send_all(path, ACCEPTED, messages)
        assert (["accepted"] * 2, expected) == (states, len(asked))


async def test_one_text_at_two_times_is_two_messages(path: Place) -> None:
    """The same text now and later goes out twice, and a second run sends neither again."""
    messages = [
        Message(NUMBER, "Hi"),
        Message(NUMBER, "Hi", schedule_at=LATER),
        Message(NUMBER, "Hi", schedule_at=LATER + timedelta(hours=1)),
    ]
    for expected in (3, 0):
        states, asked = await send_all(path, ACCEPTED, messages)
        assert (["accepted"] * 3, expected) == (states, len(asked))


async def test_a_time_is_the_same_in_every_zone(path: Place) -> None:
    """The same moment written in another zone is the same message."""
    await send_all(path, ACCEPTED, [Message(NUMBER, "Hi", schedule_at=LATER)])
    manila = LATER.astimezone(timezone(timedelta(hours=8)))
    states, asked = await send_all(path, ACCEPTED, [Message(NUMBER, "Hi", schedule_at=manila)])
    assert (["accepted"], []) == (states, asked)


@pytest.mark.parametrize(
    ("when", "state"),
    [
        (datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-timedelta(hours=8))), "accepted"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=8))), "not_sent"),
    ],
)
async def test_a_time_at_the_end_of_days(when: datetime, state: str, path: Place) -> None:
    """A time that no other zone can write ends no run, and is remembered like any other."""
    messages = [Message(NUMBER, "Hi", schedule_at=when), *to_many(1)]
    for first in (True, False):
        states, asked = await send_all(path, ACCEPTED, messages)
        assert [state, "accepted"] == states
        assert (1 + (state == "accepted") if first else 0) == len(asked)


@pytest.mark.parametrize("key", [7, b"a", "\ud800"])
async def test_a_key_that_is_no_text(key: object, path: Place) -> None:
    """A row of a file can hold anything; its outcome is its own, and the others are sent."""
    odd = Message(NUMBER, "Hi", key=key)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a bad row
    states, asked = await send_all(path, ACCEPTED, [odd, *to_many(1)])
    assert (["not_sent", "accepted"], 1) == (states, len(asked))


@pytest.mark.parametrize("key", [7, None, "\ud800", "a\0b"])
async def test_a_question_about_a_key_that_is_no_text(key: object, path: Place) -> None:
    """Whoever asks is told what is wrong with it, and the journal serves all others as before."""
    with Journal.open(path) as journal:
        with pytest.raises(InvalidMessageError, match="the key"):
            await journal.outcome_of(NUMBER, key)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - as it came from somebody
        await posting(Wire(ACCEPTED), journal).send(NUMBER, "Hi", key="a")


async def test_a_path_will_do(path: Place) -> None:
    """A run opens a journal by its path, and closes it."""
    for expected in (3, 0):
        wire = Wire(ACCEPTED)
        outcomes = await run_over(posting(wire), to_many(3), journal=path)
        assert (3, expected) == (len(outcomes), len(wire.requests))
    Journal.open(path).close()


async def test_the_clients_journal_serves_its_runs(path: Place) -> None:
    """A run without a journal of its own has the client's."""
    with Journal.open(path) as journal:
        for expected in (3, 0):
            wire = Wire(ACCEPTED)
            await run_over(posting(wire, journal), to_many(3))
            assert expected == len(wire.requests)


async def test_two_runs_at_once_are_refused(path: Place) -> None:
    """While a run has the journal, another is refused; when it has ended, it may."""
    with Journal.open(path) as journal:
        client = SmsClient(FakeProvider())
        async with client.send_many([], journal=journal):
            with pytest.raises(JournalError, match="another run of this process"):
                async with client.send_many([], journal=journal):
                    pass
        async with client.send_many([], journal=journal) as run:
            assert 0 == (await run.drain()).total


async def test_a_run_that_could_not_begin_leaves_the_journal_free(path: Place) -> None:
    """An error at the beginning is told again by the next run; it is not 'in use' for ever."""
    journal = Journal.open(path)
    journal.close()
    for _ in range(2):
        with pytest.raises(JournalError, match="is closed"):
            await journal.begin_run()


@pytest.mark.slow
async def test_many_numbers_are_found_again(path: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are found in the index and behind it, in windows of any size."""
    monkeypatch.setattr(run_start, "_FEW_ROWS", 300)
    provider = FakeProvider()
    sent = 0
    for people in (250, 500, 1000, 1100, 1100):
        with Journal.open(path) as journal:
            await run_over(SmsClient(provider), to_many(people), journal=journal, window=700)
            assert people == (await journal.counts())["accepted"]
        assert max(people, sent) == sum(map(len, provider.sent))
        sent = sum(map(len, provider.sent))
    with Journal.open(path) as journal:
        everyone = [entry.number async for entry in journal.entries()]
    assert [message.to for message in to_many(1100)] == sorted(everyone)


async def test_many_keys_are_found_again(path: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages with keys are looked up in as many queries as it takes."""
    monkeypatch.setattr(queries, "_IDENTITIES_PER_QUERY", 7)
    messages = [Message(NUMBER, "Hi", key=f"k{number}") for number in range(40)]
    provider = FakeProvider()
    for _ in range(2):
        await run_over(SmsClient(provider), messages, journal=path)
    assert 40 == len(provider.sent)


@pytest.mark.usefixtures("whole_batches")
async def test_a_refusal_for_somebody_else_is_not_final(path: Place) -> None:
    """Whoever shares a refused request with a bad number, and was not asked for alone, is sent."""
    people = to_many(4)
    limits = Batching(max_batch=4)
    for replies in ([REFUSED, BROKEN], [ACCEPTED]):
        wire = Wire(*replies)
        client = SmsClient(PostingProvider(limits=limits), pool=wire.pool)
        outcomes = await run_over(client, people, journal=path)
    assert [message.to for message in people[2:]] == sent_to(wire)
    assert ["unknown"] * 2 + ["accepted"] * 2 == [outcome.state for outcome in outcomes]
