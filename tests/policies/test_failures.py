"""A policy that fails in whatever way refuses its own text, and ends nothing of anybody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve, frozen
from support.core.fakes import NUMBER, FakeProvider, different_texts, to_many
from support.core.misbehaving import CLOSED, ask_cancelled, await_cancelled
from support.policies.rules import Counting

from iprog_async import (
    Allow,
    Decision,
    NotSent,
    Outgoing,
    PolicyError,
    PolicyRefusedError,
    Refuse,
    Rewrite,
    SendLaterError,
    SmsClient,
    WaitUntil,
)
from iprog_async.adapter import Batching


LATER = datetime(2999, 1, 1, tzinfo=UTC)
Rule = Callable[[Outgoing], Any]


def raising_a_closed_row(_: Outgoing) -> Decision:
    """Fail with an error that can't be shown."""
    raise LookupError(CLOSED)


def rewriting_to(**changes: Any) -> Rule:
    """Return what sends another message in the place of each."""
    return lambda text: Rewrite(evolve(text.message, **changes))


async def cancelled(_: Outgoing) -> Decision:
    """Await what was cancelled."""
    await await_cancelled()
    return Allow()


FAILING: dict[str, tuple[Rule, str]] = {
    "a cancellation that it awaited": (cancelled, "failed with CancelledError"),
    "a cancellation of a future": (lambda _: ask_cancelled(), "failed with CancelledError"),
    "an object that can't be shown": (lambda _: CLOSED, "answered <support.*Closed object"),
    "an error that can't be shown": (raising_a_closed_row, "failed with LookupError"),
    "words that can't be read": (lambda _: Refuse(CLOSED), "failed with _UnboundError"),
    "a reason that can't be read": (
        lambda _: WaitUntil(LATER, CLOSED),
        "failed with _UnboundError",
    ),
    "another number that can't be compared": (rewriting_to(to=CLOSED), "can't be sent"),
    "another text that can't be read": (rewriting_to(text=CLOSED), "is no text|can't be sent"),
    "a rewriting with half a decision": (
        lambda text: Rewrite(text.message, CLOSED),
        "answered Rewrite|answered <",
    ),
}
failing = pytest.mark.parametrize(("rule", "words"), FAILING.values(), ids=FAILING)


@failing
async def test_a_failing_policy_refuses_one_row_of_a_run(rule: Rule, words: str) -> None:
    """The others of the run are sent, and no `CancelledError` reaches its reader."""
    provider = FakeProvider()

    def decide(text: Outgoing) -> Any:
        return rule(text) if text.number.endswith("2") else Allow()

    async with (
        SmsClient(provider, policies=[decide]) as client,
        client.send_many(different_texts(5), concurrency=5) as run,
    ):
        outcomes = {outcome.index: outcome async for outcome in run}

    assert 4 == len(provider.sent)
    refused = outcomes[2]
    assert isinstance(refused, NotSent)
    with pytest.raises(Exception, match=words):
        raise refused.error


@failing
async def test_a_failing_policy_refuses_a_send(rule: Rule, words: str) -> None:
    """The caller has an error that says that nothing was sent."""
    provider = FakeProvider()
    async with SmsClient(provider, policies=[rule]) as client:
        with pytest.raises(Exception, match=words) as caught:
            await client.send(NUMBER, "Hi")

    assert not getattr(caught.value, "may_have_been_sent", True)
    assert [] == provider.sent


@frozen
class DecidingAtOnce:
    """Is asked about all texts of a request at once, and gives what a test says."""

    answers: Callable[[Sequence[Outgoing]], Any]
    name: str = "at once"

    def decide(self, _: Outgoing) -> Decision:
        """Allow one."""
        return Allow()

    async def decide_all(self, texts: Sequence[Outgoing]) -> Any:
        """Decide about many."""
        return self.answers(texts)


WRONG: dict[str, Callable[[Sequence[Outgoing]], object]] = {
    "nothing": lambda _: None,
    "too few": lambda texts: [Allow()] * (len(texts) - 1),
    "too many": lambda texts: [Allow()] * (len(texts) + 1),
    "cancelled": lambda _: ask_cancelled(),
}


@pytest.mark.parametrize("answers", WRONG.values(), ids=WRONG)
@pytest.mark.usefixtures("whole_batches")
async def test_wrong_answers_about_many_refuse_all_of_them(answers: Any) -> None:
    """Nobody knows which answer is whose."""
    provider = FakeProvider(limits=Batching(max_batch=3))
    async with (
        SmsClient(provider, policies=[DecidingAtOnce(answers)]) as client,
        client.send_many(to_many(3)) as run,
    ):
        errors = [outcome.error async for outcome in run if isinstance(outcome, NotSent)]

    assert [PolicyError] * 3 == list(map(type, errors))
    assert [] == provider.sent


@pytest.mark.usefixtures("whole_batches")
async def test_one_answer_of_many_that_is_no_decision_spoils_no_other() -> None:
    """Each text has its own answer."""
    provider = FakeProvider(limits=Batching(max_batch=3))
    policy = DecidingAtOnce(lambda _: [Allow(), CLOSED, Refuse(CLOSED)])
    async with (
        SmsClient(provider, policies=[policy]) as client,
        client.send_many(to_many(3)) as run,
    ):
        states = {outcome.index: outcome.state async for outcome in run}

    assert {0: "accepted", 1: "not_sent", 2: "not_sent"} == states


class Words:
    """A text that is translated as it is shown."""

    def __str__(self) -> str:
        return "she said STOP"


WORDS: Any = Words()


@pytest.mark.parametrize(
    ("decision", "error"),
    [
        (Refuse(WORDS), PolicyRefusedError),
        (WaitUntil(LATER, WORDS), SendLaterError),
    ],
)
async def test_words_may_be_translated_as_they_are_shown(
    decision: Decision, error: type[Exception]
) -> None:
    """What web frameworks have for a text in the reader's language is a reason, too."""
    async with SmsClient(FakeProvider(), policies=[lambda _: decision]) as client:
        with pytest.raises(error, match="she said STOP"):
            await client.send(NUMBER, "Hi")


class CountingBadly(Counting):
    """Fails when it is told what became of a text."""

    async def settle(self, text: Outgoing, outcome: Any) -> None:
        """Await what was cancelled."""
        await super().settle(text, outcome)
        await await_cancelled()


async def test_a_policy_that_fails_to_settle_changes_no_outcome() -> None:
    """Every text was sent, whatever its policy says after that."""
    policy = CountingBadly()
    async with (
        SmsClient(FakeProvider(), policies=[policy]) as client,
        client.send_many(different_texts(3)) as run,
    ):
        counts = await run.drain()

    assert (3, 3) == (counts.accepted, len(policy.settled))


async def test_a_policy_that_is_cancelled_with_its_caller_refuses_nothing() -> None:
    """A cancellation that is meant for the caller reaches it."""
    asked = asyncio.Event()

    async def waiting(_: Outgoing) -> Decision:
        asked.set()
        await asyncio.sleep(60)
        return Allow()

    async with SmsClient(FakeProvider(), policies=[waiting]) as client:
        sending = asyncio.create_task(client.send(NUMBER, "Hi"))
        await asked.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
