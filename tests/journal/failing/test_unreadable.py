"""What is told of texts about which the journal could not be asked: others may have sent them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import count
from typing import Any

import httpx
import pytest
from support.core.clock import soon
from support.core.fakes import NUMBER, Wire
from support.journal.journaling import (
    ACCEPTED,
    BROKEN,
    BUSY,
    WRONG_TOKEN,
    Place,
    PostingProvider,
    failing_later,
    posting,
    run_over,
    sent_to,
)
from support.not_after import kinds

from iprog_async import (
    Allow,
    AuthenticationError,
    BulkRun,
    Failover,
    Journal,
    JournalError,
    JournalUnknownError,
    Message,
    NotSent,
    Outcome,
    OutcomeUnknownError,
    Outgoing,
    RunHaltedError,
    SmsClient,
    SmsError,
    Unknown,
)
from iprog_async._journal.postgres.address import is_address
from iprog_async.fleet import _chunks


ANA, BEN, CLEO = "+639170000001", "+639170000002", "+639170000003"
GONE = JournalError("the disk is gone for a moment")

LookUp = Callable[..., Awaitable[Any]]


def failing(journal: Journal, *, after: int = 0, times: int = 1_000) -> LookUp:
    """Return a journal's look-up that works so often, and then fails so often."""
    look_up, fails, looks = journal.store.look_up, range(after, after + times), count()

    async def fail(*asked: Any, **how: Any) -> Any:
        if next(looks) in fails:
            raise JournalError(*GONE.args)
        return await look_up(*asked, **how)

    return fail


async def sent_before(path: Place, *messages: Message) -> None:
    """Let an earlier run send texts."""
    with Journal.open(path) as journal:
        outcomes = await run_over(posting(Wire(ACCEPTED)), messages, journal=journal)
    assert {"accepted"} == {outcome.state for outcome in outcomes}


def met(outcome: Outcome) -> SmsError | None:
    """Return why a text was not sent this time that may have been sent before."""
    return outcome.error.not_resent if isinstance(outcome, Unknown) else None


async def _outcomes(run: BulkRun) -> list[Outcome]:
    """Return the outcomes of a run that its journal halts, by index."""
    outcomes: list[Outcome] = []
    with suppress(RunHaltedError):
        async for outcome in run:
            outcomes.append(outcome)
    assert isinstance(run.halted, JournalError)
    return sorted(outcomes, key=lambda outcome: outcome.index)


@pytest.mark.parametrize(
    ("key", "late"),
    [(None, False), ("order-1", False), (None, True)],
    ids=["in time", "with a key", "too late"],
)
async def test_what_a_run_could_not_look_up_is_unknown(
    key: str | None, late: bool, path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was not sent this time, and an earlier run may have sent it, as the next one can say."""
    people = [Message(number, "Hi", key=key) for number in (ANA, BEN)]
    await sent_before(path, people[0])
    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        with monkeypatch.context() as patch:
            patch.setattr(journal.store, "look_up", failing(journal))
            not_after = soon(-1) if late else None
            async with posting(wire).send_many(people, journal=journal, not_after=not_after) as run:
                outcomes = await _outcomes(run)
        after = await run_over(posting(wire), people, journal=journal)

    assert [RunHaltedError] * 2 == [type(met(outcome)) for outcome in outcomes]
    assert (0, 2, 0) == (run.counts.not_sent, run.counts.unknown, run.counts.resumed)
    assert (["accepted"] * 2, [BEN]) == (kinds(after), sent_to(wire))


async def test_what_was_found_before_the_journal_was_away_is_told(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts that are too late are looked up first: what an earlier run had of them is no doubt."""
    await sent_before(path, Message(ANA, "Hi"))
    people = [Message(ANA, "Hi", not_after=soon(-1)), Message(BEN, "Hi", not_after=soon(60))]
    with Journal.open(path) as journal:
        monkeypatch.setattr(journal.store, "look_up", failing(journal, after=1))
        outcomes = await run_over(posting(Wire(ACCEPTED)), people, journal=journal)

    assert ["accepted", "unknown"] == kinds(outcomes)


async def test_an_unknown_text_says_what_is_known(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its error is for whoever decides about it: what happened, why, and what to do."""
    await sent_before(path, Message(ANA, "Hi"))
    with Journal.open(path) as journal:
        monkeypatch.setattr(journal.store, "look_up", failing(journal))
        (outcome,) = await run_over(posting(Wire(ACCEPTED)), [Message(ANA, "Hi")], journal=journal)

    assert isinstance(outcome, Unknown)
    words = str(outcome.error)
    for known in (ANA, "not sent this time", "an earlier run", str(GONE), "Ask the journal again"):
        assert known in words
    assert "certainly" not in words


async def test_a_fleet_leaves_it_to_the_next_worker(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is unknown to people, and open to whoever comes to it next."""
    await sent_before(path, Message(ANA, "Hi"))
    with Journal.open(path) as journal:
        monkeypatch.setattr(journal.store, "look_up", failing(journal))
        (outcome,) = await run_over(posting(Wire(ACCEPTED)), [Message(ANA, "Hi")], journal=journal)

    assert isinstance(outcome, Unknown)
    assert _chunks._is_open(outcome)  # pyright: ignore[reportPrivateUsage] - what a chunk goes by


async def test_only_what_others_can_have_sent_is_unknown(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a file's first run that are those with a key: nobody else has the others."""
    people = [Message(ANA, "Hi", key="a"), Message(BEN, "Hi"), Message(CLEO, "Hi", key="a\0b")]
    with Journal.open(path) as journal:
        monkeypatch.setattr(journal.store, "look_up", failing(journal))
        outcomes = await run_over(posting(Wire(ACCEPTED)), people, journal=journal)

    without_key = "unknown" if is_address(path) else "RunHaltedError"
    assert ["unknown", without_key, "RunHaltedError"] == kinds(outcomes)


async def test_a_journal_that_is_back_as_the_run_halts_is_asked_again(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then each text is told as it is on record, and what is not there is certainly not sent."""
    people = [Message(number, "Hi") for number in (ANA, BEN)]
    await sent_before(path, people[0])
    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        monkeypatch.setattr(journal.store, "look_up", failing(journal, times=1))
        async with posting(wire).send_many(people, journal=journal) as run:
            outcomes = await _outcomes(run)

    assert (["accepted", "RunHaltedError"], []) == (kinds(outcomes), sent_to(wire))
    assert (1, 1) == (run.counts.resumed, run.counts.not_sent)


HALTS: dict[str, tuple[httpx.Response, dict[str, Any]]] = {
    "wrong token": (WRONG_TOKEN, {}),
    "credit limit": (ACCEPTED, {"max_credits": 1}),
    "too many unknown": (BROKEN, {"halt_after_unknown": 1}),
}


@pytest.mark.parametrize(
    ("why", "readable"), [*((why, True) for why in HALTS), ("wrong token", False)]
)
async def test_what_others_have_sent_since_is_told_as_a_run_halts(
    why: str, readable: bool, path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever halts it: a row that waited may have been sent in another process meanwhile."""
    answer, settings = HALTS[why]
    with Journal.open(path) as journal, Journal.open(path) as other:

        async def happen(_: httpx.Request) -> httpx.Response:
            await posting(Wire(ACCEPTED), other).send(BEN, "Hi", key="b")
            return answer

        if not readable:
            monkeypatch.setattr(journal.store, "look_up", failing_later(journal))
        people = [Message(ANA, "Hi", key="a"), Message(BEN, "Hi", key="b"), Message(CLEO, "Hi")]
        outcomes = await run_over(
            posting(Wire(happen)), people, journal=journal, concurrency=1, **settings
        )

    _, ben, cleo = outcomes
    assert ("accepted" if readable else "unknown") == ben.state
    # Without key, and in a first run: of a file nobody else has it.
    assert (is_address(path) and not readable) == (cleo.state == "unknown")
    assert "accepted" != cleo.state


async def test_what_could_not_be_claimed_is_unknown(path: Place) -> None:
    """Hours may lie between the look and the claim, and whoever sent it meanwhile can't be seen."""
    await sent_before(path, Message(ANA, "Hi"))
    with Journal.open(path) as journal:

        def close(_: Outgoing) -> Allow:
            journal.close()
            return Allow()

        client = SmsClient(PostingProvider(), pool=Wire(ACCEPTED).pool, policies=[close])
        (outcome,) = await run_over(client, [Message(BEN, "Hi")], journal=journal)

    assert isinstance(met(outcome), JournalError)


async def test_a_receipt_that_can_not_be_read_is_one_persons_trouble(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text of an earlier run was accepted; the others of its window are sent."""
    people = [Message(number, "Hi") for number in (ANA, BEN)]
    await sent_before(path, people[0])
    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        monkeypatch.setattr(
            "iprog_async._journal.resume_rules.unpack_receipt", _raising(JournalError("damaged"))
        )
        outcomes = await run_over(posting(wire), people, journal=journal)

    assert (["unknown", "accepted"], [BEN]) == (kinds(outcomes), sent_to(wire))
    # It is settled: no worker of a fleet has to look at it once more.
    assert met(outcomes[0]) is None


def _raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: object) -> Any:
        raise error

    return fail


def _allow(_: Outgoing) -> Allow:
    return Allow()


@pytest.mark.parametrize("policies", [(), (_allow,)], ids=["alone", "with policies"])
async def test_a_send_whose_key_can_not_be_looked_up_is_unknown(
    policies: Sequence[Any], path: Place
) -> None:
    """It may have been sent in an earlier process; with the journal back it is told as it was."""
    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        receipt = await posting(wire, journal).send(NUMBER, "Hi", key="a")
    client = posting(wire, journal, policies=policies)
    with pytest.raises(JournalUnknownError, match="is closed") as caught:
        await client.send(NUMBER, "Hi", key="a")
    assert isinstance(caught.value.not_resent, JournalError)
    with Journal.open(path) as again:
        assert receipt == await posting(wire, again).send(NUMBER, "Hi", key="a")
    assert 1 == len(wire.requests)


async def test_a_text_that_is_to_be_resent_and_can_not_be_claimed_stays_unknown(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What became of the first sending is as unknown as before."""
    with Journal.open(path) as journal, pytest.raises(OutcomeUnknownError):
        await posting(Wire(BROKEN), journal).send(NUMBER, "Hi", key="a")
    with Journal.open(path, resend_unknown=True) as journal:
        _fail_claims(journal, monkeypatch)
        with pytest.raises(OutcomeUnknownError, match="the first time") as caught:
            await posting(Wire(ACCEPTED), journal).send(NUMBER, "Hi", key="a")
    assert isinstance(caught.value.not_resent, JournalError)


async def test_a_text_that_was_refused_and_can_not_be_claimed_is_unknown(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal said that nobody had it; others may have sent it until the claim had failed."""
    with Journal.open(path) as journal, Journal.open(path) as other:
        with pytest.raises(SmsError, match="try later"):
            await posting(Wire(BUSY), journal).send(NUMBER, "Hi", key="a")

        async def send_there() -> None:
            await posting(Wire(ACCEPTED), other).send(NUMBER, "Hi", key="a")

        _fail_claims(journal, monkeypatch, send_there)
        with pytest.raises(JournalUnknownError, match="is gone"):
            await posting(Wire(ACCEPTED), journal).send(NUMBER, "Hi", key="a")
        entry = await journal.outcome_of(NUMBER, "a")
    assert entry is not None
    assert "accepted" == entry.state


async def _nothing() -> None:
    """Do nothing."""


def _fail_claims(
    journal: Journal,
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: Callable[[], Awaitable[None]] = _nothing,
) -> None:
    """Let what was looked up not be claimed."""
    queue = journal.store.of_loop()

    async def fail() -> JournalError:
        await meanwhile()
        return GONE

    def claim(*_: object) -> asyncio.Future[JournalError]:
        return asyncio.ensure_future(fail())

    monkeypatch.setattr(queue, "claim", claim)


async def test_a_router_asks_no_gateway(path: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may have been sent before goes to no other gateway, from a run or alone."""
    await sent_before(path, Message(ANA, "Hi", key="a"))
    wire = Wire(ACCEPTED)
    router = Failover(PostingProvider(name="one"), PostingProvider(name="two"), region="PH")
    with Journal.open(path) as journal:
        client = SmsClient(router, pool=wire.pool, journal=journal)
        monkeypatch.setattr(journal.store, "look_up", failing(journal))
        (outcome,) = await run_over(client, [Message(ANA, "Hi", key="a")])
        journal.close()
        with pytest.raises(OutcomeUnknownError):
            await client.send(ANA, "Hi", key="a")

    assert ("unknown", []) == (outcome.state, sent_to(wire))


async def test_a_refusal_says_nothing_of_a_text_that_others_had(path: Place) -> None:
    """Where the run's own request was refused, it is the refusal that is told."""
    await sent_before(path, Message(BEN, "Hi"))
    with Journal.open(path) as journal:
        client = posting(Wire(WRONG_TOKEN))
        (outcome,) = await run_over(client, [Message(ANA, "Hi")], journal=journal)

    assert isinstance(outcome, NotSent)
    assert isinstance(outcome.error, AuthenticationError)
