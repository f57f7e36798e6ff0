"""Settling, pruning and forgetting by hand, in a file and in a database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import pytest
from support.core.fakes import NUMBER, FakeProvider, accept, lose, prepared, refusing, to_many
from support.journal.ageing import age
from support.journal.journaling import Place, rows_in, run_over, states_in, take

from iprog_async import (
    Accepted,
    ConfigurationError,
    InvalidMessageError,
    Journal,
    JournalConflictError,
    JournalError,
    Message,
    NotSent,
    Outcome,
    OutcomeUnknownError,
    SmsClient,
    Unknown,
)
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.pseudonyms import is_pseudonym
from iprog_async._journal.store import ClaimLostError
from iprog_async.adapter import PreparedMessage, unclear


OTHER = "+639187654321"
MONTHS = timedelta(days=90)
HIDDEN_KEY = "order-42"


async def _send(
    path: Place, *messages: Message, send: object = accept, **opening: bool
) -> tuple[list[Outcome], int]:
    """Run over messages; return the outcomes, and how many were handed to the gateway."""
    provider = FakeProvider(send=send)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - as the test gives it
    with Journal.open(path, **opening) as journal:  # type: ignore[arg-type]
        outcomes = await run_over(SmsClient(provider), messages, journal=journal)
    return outcomes, len(provider.sent)


async def _single(path: Place, key: str, send: object = accept, **opening: bool) -> int:
    """Send one text with a key; return how many were handed to the gateway."""
    provider = FakeProvider(send=send)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - as the test gives it
    with Journal.open(path, **opening) as journal:  # type: ignore[arg-type]
        async with SmsClient(provider, journal=journal) as sms:
            try:
                await sms.send(NUMBER, "Hi", key=key)
            except OutcomeUnknownError:
                return len(provider.sent)
    return len(provider.sent)


async def _remove(path: Place, how: str) -> int:
    """Take the people out of a journal, as old ones or by their number."""
    if how == "prune":
        age(path, 91)
        with Journal.open(path) as journal:
            return await journal.prune(older_than=MONTHS)
    with Journal.open(path) as journal:
        return await journal.forget("0917 123 4567", region="PH")


both_ways = pytest.mark.parametrize("how", ["prune", "forget"])


@pytest.mark.parametrize("key", [None, "order-42"])
async def test_settled_as_accepted(path: Place, key: str | None) -> None:
    """An unknown text that a person found to be out is accepted, and not sent again."""
    message = Message(NUMBER, "Hi", key=key)
    await _send(path, message, send=lose)
    with Journal.open(path) as journal:
        entry = await journal.settle("0917 123 4567", outcome="accepted", key=key, region="PH")
    assert (NUMBER, key, "accepted", None) == (
        entry.number,
        entry.key,
        entry.state,
        entry.message_id,
    )
    outcomes, sent = await _send(path, message, resend_unknown=True)
    assert (Accepted, 0) == (type(outcomes[0]), sent)


@pytest.mark.parametrize("key", [None, "order-42"])
async def test_settled_as_not_sent(path: Place, key: str | None) -> None:
    """An unknown text that certainly never went out is sent by the next run."""
    message = Message(NUMBER, "Hi", key=key)
    await _send(path, message, send=lose)
    with Journal.open(path) as journal:
        assert "waiting" == (await journal.settle(NUMBER, outcome="not_sent")).state
    outcomes, sent = await _send(path, message)
    assert (Accepted, 1) == (type(outcomes[0]), sent)


@pytest.mark.parametrize(
    ("send", "words"),
    [(accept, "is not unknown, but accepted"), (refusing(), "is not unknown, but not sent")],
)
async def test_only_an_unknown_text_is_settled(path: Place, send: object, words: str) -> None:
    """What is known can't be changed by hand."""
    await _send(path, Message(NUMBER, "Hi"), send=send)
    before = rows_in(path, "number, key, state, detail")
    with Journal.open(path) as journal:
        with pytest.raises(JournalError, match=words):
            await journal.settle(NUMBER, outcome="accepted")
        with pytest.raises(JournalError, match="is not in this journal"):
            await journal.settle(OTHER, outcome="accepted")
        with pytest.raises(JournalError, match="has no key 'x'"):
            await journal.settle(NUMBER, outcome="accepted", key="x")
    assert before == rows_in(path, "number, key, state, detail")


async def test_several_unknown_texts_need_a_key(path: Place) -> None:
    """Nobody guesses which of two texts was meant."""
    await _send(path, *(Message(NUMBER, "Hi", key=key) for key in ("a", "b")), send=lose)
    with Journal.open(path) as journal:
        with pytest.raises(JournalError, match=r"is unknown 2 times: .*'a', 'b'"):
            await journal.settle(NUMBER, outcome="accepted")
        await journal.settle(NUMBER, outcome="accepted", key="b")
    assert ["unknown", "accepted"] == states_in(path)


async def test_what_is_on_its_way_is_left_alone(path: Place) -> None:
    """A claim of a process that is there is neither settled nor forgotten."""
    with Journal.open(path) as ours:
        await take(Ledger(ours).claim([prepared(key="a")]))
        with Journal.open(path) as journal:
            with pytest.raises(JournalError, match="is on its way at this moment"):
                await journal.settle(NUMBER, outcome="not_sent", key="a")
            with pytest.raises(JournalError, match="is on its way at this moment"):
                await journal.forget(NUMBER)
            assert 0 == await journal.prune(older_than=timedelta(days=1))
    assert ["claimed"] == states_in(path)


async def test_a_claim_of_a_dead_process_is_settled(path: Place) -> None:
    """Who left it claimed is gone, so nobody else can say what became of it."""
    with Journal.open(path) as ours:
        await take(Ledger(ours).claim([prepared(key="a")]))
    with Journal.open(path) as journal:
        await journal.settle(NUMBER, outcome="accepted", key="a")
    assert 0 == await _single(path, "a")


async def test_a_text_that_was_sent_meanwhile_is_not_forgotten(path: Place) -> None:
    """Rows that were written since they were read stay, and the person can be forgotten after."""
    await _send(path, Message(NUMBER, "Hi", key=HIDDEN_KEY), send=refusing(healable=True))
    with Journal.open(path) as journal:
        rows = await journal.store.rows_of(NUMBER)
        assert 1 == await _single(path, HIDDEN_KEY)
        before = rows_in(path, "number, key, state, detail")
        with pytest.raises(JournalError, match="nothing was changed, try again"):
            await journal.store.forget(NUMBER, rows)
        assert before == rows_in(path, "number, key, state, detail")
        assert 1 == await journal.forget(NUMBER)
    assert 0 == await _single(path, HIDDEN_KEY)


async def test_who_was_sent_it_and_forgotten_meanwhile_is_not_claimed(path: Place) -> None:
    """A text that waits for its turn is not sent after others sent it and forgot the person."""
    message = prepared(key=HIDDEN_KEY)
    with Journal.open(path) as ours:
        ledger = Ledger(ours)
        assert ([message], []) == await ledger.admit([message])
        assert 1 == await _single(path, HIDDEN_KEY)
        assert 1 == await _remove(path, "forget")
        with pytest.raises(ClaimLostError):
            await take(ledger.claim([message]))
    assert ["accepted"] == states_in(path)


async def test_who_was_sent_it_again_and_forgotten_meanwhile_is_not_claimed(path: Place) -> None:
    """An unknown text that two want to send again goes out again once, though it was forgotten."""
    message = prepared(key=HIDDEN_KEY)
    await _single(path, HIDDEN_KEY, send=lose)
    await _remove(path, "forget")
    with Journal.open(path, resend_unknown=True) as ours:
        ledger = Ledger(ours)
        assert ([message], []) == await ledger.admit([message])
        assert 1 == await _single(path, HIDDEN_KEY, resend_unknown=True)
        await _remove(path, "forget")
        with pytest.raises(ClaimLostError):
            await take(ledger.claim([message]))
    assert "claimed" not in states_in(path)


async def test_a_run_keeps_people_out(path: Place) -> None:
    """While a run of this journal goes on, nothing is settled, pruned or forgotten."""
    with Journal.open(path) as journal:
        async with SmsClient(FakeProvider()).send_many([], journal=journal):
            for work in (
                journal.settle(NUMBER, outcome="accepted"),
                journal.prune(older_than=MONTHS),
                journal.forget(NUMBER),
            ):
                with pytest.raises(JournalError, match="another run"):
                    await work


@pytest.mark.parametrize("outcome", ["sent", "unknown", ""])
async def test_only_two_outcomes_are_settled(path: Place, outcome: Literal["accepted"]) -> None:
    """Another word is no outcome, and a number that is none is told."""
    with Journal.open(path) as journal:
        with pytest.raises(ConfigurationError, match="'accepted' or 'not_sent'"):
            await journal.settle(NUMBER, outcome=outcome)
        with pytest.raises(InvalidMessageError):
            await journal.settle("x", outcome="accepted")


@both_ways
@pytest.mark.parametrize("key", [None, HIDDEN_KEY])
@pytest.mark.parametrize("again", [HIDDEN_KEY, None])
async def test_nobody_is_texted_again(
    path: Place, how: str, key: str | None, again: str | None
) -> None:
    """A run that is repeated texts nobody who was pruned or forgotten, with the key or without."""
    await _send(path, Message(NUMBER, "Hi", key=key))
    assert 1 == await _remove(path, how)
    outcomes, sent = await _send(path, Message(NUMBER, "Hi", key=again))
    assert 0 == sent
    if key == again:
        assert isinstance(outcomes[0], Accepted)
        receipt = outcomes[0].receipt
        assert ("fake", None, NUMBER[1:], 1) == (
            receipt.provider,
            receipt.message_id,
            receipt.to,
            receipt.segments,
        )
    else:
        assert isinstance(outcomes[0], NotSent)
        assert isinstance(outcomes[0].error, JournalConflictError)


@both_ways
async def test_a_typo_that_was_mended_texts_nobody_again(path: Place, how: str) -> None:
    """Another text for a number that was removed is a conflict, as it was before."""
    await _send(path, Message(NUMBER, "Hi"))
    await _remove(path, how)
    (outcome,), sent = await _send(path, Message(NUMBER, "Hello"))
    assert (0, NotSent) == (sent, type(outcome))
    _, sent = await _send(path, Message(NUMBER, "Hello"), allow_changed_text=True)
    assert 1 == sent


@both_ways
async def test_a_single_send_is_not_repeated(path: Place, how: str) -> None:
    """A key outlives the number: its send returns what is left of the receipt."""
    assert 1 == await _single(path, HIDDEN_KEY)
    await _remove(path, how)
    assert 0 == await _single(path, HIDDEN_KEY)
    assert 1 == await _single(path, "another")
    assert 0 == await _single(path, "another")


@both_ways
async def test_what_was_unknown_stays_unknown(path: Place, how: str) -> None:
    """It is not sent again, unless somebody asks for that, and then once."""
    await _single(path, HIDDEN_KEY, send=lose)
    await _remove(path, how)
    assert 0 == await _single(path, HIDDEN_KEY)
    assert 1 == await _single(path, HIDDEN_KEY, resend_unknown=True)
    assert 0 == await _single(path, HIDDEN_KEY, resend_unknown=True)
    await _remove(path, how)
    assert 0 == await _single(path, HIDDEN_KEY, resend_unknown=True)


@both_ways
async def test_an_unknown_row_of_a_run_stays_unknown(path: Place, how: str) -> None:
    """A repeated run lists it as unknown."""
    await _send(path, Message(NUMBER, "Hi"), send=lose)
    await _remove(path, how)
    (outcome,), sent = await _send(path, Message(NUMBER, "Hi"))
    assert (0, Unknown) == (sent, type(outcome))
    (outcome,), sent = await _send(path, Message(NUMBER, "Hi"), resend_unknown=True)
    assert (1, Accepted) == (sent, type(outcome))
    _, sent = await _send(path, Message(NUMBER, "Hi"), resend_unknown=True)
    assert 0 == sent


@both_ways
async def test_what_was_not_sent_leaves_nothing(path: Place, how: str) -> None:
    """Of a text that nobody got no row stays, and it is sent if it comes again."""
    await _send(path, Message(NUMBER, "Hi"), send=refusing())
    assert 1 == await _remove(path, how)
    assert [] == rows_in(path)
    _, sent = await _send(path, Message(NUMBER, "Hi"))
    assert 1 == sent


@both_ways
async def test_the_rows_name_nobody(path: Place, how: str) -> None:
    """Neither number nor key nor the gateway's id is left, and the counts are what they were."""
    await _send(path, Message(NUMBER, "Hi", key=HIDDEN_KEY))
    await _single(path, "private", send=lose)
    with Journal.open(path) as journal:
        before = await journal.counts(), await journal.deliveries()
    await _remove(path, how)
    left = repr(rows_in(path, "number, key, provider, detail, status"))
    assert [] == [word for word in (NUMBER[3:], HIDDEN_KEY, "private", "id-0") if word in left]
    with Journal.open(path) as journal:
        assert before == (await journal.counts(), await journal.deliveries())
        entries = [entry async for entry in journal.entries()]
    assert [True, True] == [is_pseudonym(entry.number) for entry in entries]


async def test_others_stay(path: Place) -> None:
    """Who is forgotten takes nobody along."""
    await _send(path, Message(NUMBER, "Hi"), Message(OTHER, "Hi"))
    with Journal.open(path) as journal:
        assert 1 == await journal.forget(NUMBER)
        assert 0 == await journal.forget(NUMBER)
    assert OTHER in [number for number, *_ in rows_in(path)]


async def test_what_others_errors_say(path: Place) -> None:
    """A number that an error of somebody else's text speaks of goes, too."""

    async def confuse(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        reason = "639171234567 and 09171234567 are blocked"
        return [unclear(one, "fake", reason) for one in batch]

    await _send(path, Message(NUMBER, "Hi"))
    await _send(path, Message(OTHER, "Hi"), send=confuse)
    assert "09171234567" in repr(rows_in(path, "detail"))
    with Journal.open(path) as journal:
        await journal.forget(NUMBER)
    details = repr(rows_in(path, "detail"))
    assert ("171234567" in details, "are blocked" in details) == (False, True)
    with Journal.open(path) as journal:
        assert 1 == (await journal.counts())["unknown"]


async def test_only_what_is_old_is_pruned(path: Place) -> None:
    """What was written since stays as it is."""
    await _send(path, Message(NUMBER, "Hi"))
    age(path, 91)
    await _send(path, Message(OTHER, "Hi"))
    with Journal.open(path) as journal:
        assert 1 == await journal.prune(older_than=MONTHS)
        assert 0 == await journal.prune(older_than=MONTHS)
    hidden, kept = sorted(number for number, *_ in rows_in(path, "number"))[::-1]
    assert (True, OTHER) == (is_pseudonym(hidden), kept)


@pytest.mark.slow
async def test_many_are_pruned(path: Place) -> None:
    """More than fit into one transaction go, and a repeated run sends nothing."""
    await _send(path, *to_many(1100))
    age(path, 91)
    with Journal.open(path) as journal:
        assert 1100 == await journal.prune(older_than=MONTHS)
    outcomes, sent = await _send(path, *to_many(1100))
    assert (0, 1100) == (sent, sum(isinstance(outcome, Accepted) for outcome in outcomes))


@pytest.mark.parametrize("hours", [23, 47])
async def test_only_whole_days(path: Place, hours: int) -> None:
    """A journal keeps days, and not hours: nobody is pruned sooner than was asked for."""
    with (
        Journal.open(path) as journal,
        pytest.raises(ConfigurationError, match="a day or more, in whole days"),
    ):
        await journal.prune(older_than=timedelta(hours=hours))
