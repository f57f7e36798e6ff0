"""What a run does not send is asked about once more: others may have sent it since it was read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import httpx
import pytest
from attrs import frozen
from support.core.clock import soon
from support.core.fakes import Wire, prepared
from support.journal.journaling import (
    ACCEPTED,
    BROKEN,
    BUSY,
    REFUSED,
    WRONG_TOKEN,
    Place,
    PostingProvider,
    failing_later,
    numbers_of,
    posting,
    run_over,
    sent_to,
    states_in,
    take,
)

from iprog_async import (
    Allow,
    AuthenticationError,
    Counts,
    ExpiredError,
    Journal,
    JournalError,
    JournalUnknownError,
    Message,
    NotSent,
    Outcome,
    Outgoing,
    PolicyRefusedError,
    Refuse,
    RejectedError,
    RunHaltedError,
    SmsClient,
    SmsError,
    Unknown,
)
from iprog_async._journal.ledger import Ledger
from iprog_async.adapter import Batching


FIRST, ANA = "+639170000001", "+639170000002"
_PEOPLE = [f"+63917000000{place}" for place in range(7)]
_HOUR = 3600.0

Meanwhile = Callable[[], Awaitable[object]]
"""Sends Ana her text from another process."""


@frozen
class Way:
    """How a run comes not to send Ana's text, which it has read.

    Args:
        run: Makes the run; it awaits what it is given while her row waits, which has the key.
        error: What she was refused with.
    """

    run: Callable[[Journal, Meanwhile, str | None], Awaitable[tuple[Outcome, Counts, list[str]]]]
    error: type[SmsError]


async def _of_ana(
    client: SmsClient[PostingProvider], messages: Sequence[Message], journal: Journal, wire: Wire
) -> tuple[Outcome, Counts, list[str]]:
    """Return what Ana's row comes to, the counts of the run, and what the gateway was sent."""
    outcomes: list[Outcome] = []
    async with client.send_many(messages, journal=journal, concurrency=1) as run:
        with suppress(RunHaltedError):
            async for one in run:
                outcomes.append(one)
    (outcome,) = [one for one in outcomes if one.message.to == ANA]
    return outcome, run.counts, sent_to(wire)


async def _expires(
    journal: Journal, meanwhile: Meanwhile, key: str | None
) -> tuple[Outcome, Counts, list[str]]:
    async def happen(_: httpx.Request) -> httpx.Response:
        await meanwhile()
        await wire.clock.sleep(_HOUR)
        return ACCEPTED

    wire = Wire(happen)
    ana = Message(ANA, "Hi", key=key, not_after=soon(_HOUR / 2))
    return await _of_ana(posting(wire), [Message(FIRST, "First"), ana], journal, wire)


async def _policy(
    journal: Journal, meanwhile: Meanwhile, key: str | None
) -> tuple[Outcome, Counts, list[str]]:
    def stop(text: Outgoing) -> Allow | Refuse:
        return Refuse("STOP") if text.number == ANA else Allow()

    async def happen(_: httpx.Request) -> httpx.Response:
        await meanwhile()
        return ACCEPTED

    wire = Wire(happen)
    people = [Message(FIRST, "First"), Message(ANA, "Hi", key=key)]
    return await _of_ana(posting(wire, policies=[stop]), people, journal, wire)


async def _keeps(
    journal: Journal, meanwhile: Meanwhile, key: str | None
) -> tuple[Outcome, Counts, list[str]]:
    """Refuse four for one of them, and lose the first two of these alone; Ana is the last."""

    async def answer(request: httpx.Request) -> httpx.Response:
        numbers = numbers_of(request)
        if ANA in numbers:
            return REFUSED
        if _PEOPLE[3] not in numbers:
            return ACCEPTED
        await meanwhile()
        return BROKEN

    wire = Wire(answer)
    client = SmsClient(PostingProvider(limits=Batching(max_batch=10)), pool=wire.pool)
    others = [f"+63918000000{place}" for place in range(3)]
    people = [*others, *_PEOPLE[3:6], ANA]
    messages = [Message(to, "Hi", key=key) for to in people]
    return await _of_ana(client, messages, journal, wire)


async def _halts(
    journal: Journal, meanwhile: Meanwhile, key: str | None
) -> tuple[Outcome, Counts, list[str]]:
    async def happen(_: httpx.Request) -> httpx.Response:
        await meanwhile()
        return WRONG_TOKEN

    wire = Wire(happen)
    people = [Message(FIRST, "First"), Message(ANA, "Hi", key=key)]
    return await _of_ana(posting(wire), people, journal, wire)


WAYS = {
    "expired": Way(_expires, ExpiredError),
    "refused by a policy": Way(_policy, PolicyRefusedError),
    "refused for another": Way(_keeps, RejectedError),
    "left as the run halted": Way(_halts, RunHaltedError),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_what_others_sent_is_told_as_sent(way: Way, path: Place) -> None:
    """Ana's row has the outcome of her text, as if the other process had sent it before the run."""
    with Journal.open(path) as journal, Journal.open(path) as other:
        outcome, counts, asked = await way.run(
            journal, lambda: posting(Wire(ACCEPTED), other).send(ANA, "Hi", key="k"), "k"
        )
    assert "accepted" == outcome.state
    assert 1 == counts.resumed
    assert counts.total == counts.accepted + counts.unknown + counts.not_sent
    assert asked.count(ANA) == (way.error is RejectedError)
    assert "released" not in states_in(path)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("refused", [False, True], ids=["nobody did", "the gateway refused it"])
async def test_what_nobody_sent_keeps_its_error(way: Way, refused: bool, path: Place) -> None:
    """That it is asked about changes nothing, whether or not somebody else has tried."""
    with Journal.open(path) as journal, Journal.open(path) as other:

        async def meanwhile() -> None:
            if refused:
                with pytest.raises(RejectedError):
                    await posting(Wire(BUSY), other).send(ANA, "Hi", key="k")

        outcome, counts, _ = await way.run(journal, meanwhile, "k")
    assert isinstance(outcome, NotSent)
    assert isinstance(outcome.error, way.error)
    assert 0 == counts.resumed


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_what_can_not_be_asked_is_unknown(
    way: Way, path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says so, and has what it was refused with; it is counted by what is told."""
    with Journal.open(path) as journal, Journal.open(path) as other:
        monkeypatch.setattr(journal.store, "look_up", failing_later(journal))
        outcome, counts, _ = await way.run(
            journal, lambda: posting(Wire(ACCEPTED), other).send(ANA, "Hi", key="k"), "k"
        )
    assert isinstance(outcome, Unknown)
    assert isinstance(outcome.error, JournalUnknownError)
    assert isinstance(outcome.error.not_resent, way.error)
    assert counts.total == counts.accepted + counts.unknown + counts.not_sent


@pytest.mark.parametrize("readable", [True, False], ids=["", "and the journal is away"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_what_another_run_sent_is_told_as_sent(
    way: Way, readable: bool, postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the first run of a campaign another may begin, which has its texts without a key."""
    with Journal.open(postgres_journal) as journal, Journal.open(postgres_journal) as other:
        if not readable:
            monkeypatch.setattr(journal.store, "look_up", failing_later(journal))
        outcome, counts, _ = await way.run(
            journal,
            lambda: run_over(posting(Wire(ACCEPTED)), [Message(ANA, "Hi")], journal=other),
            None,
        )
    assert ("accepted" if readable else "unknown") == outcome.state
    assert int(readable) == counts.resumed
    assert counts.total == counts.accepted + counts.unknown + counts.not_sent


async def test_what_expires_while_the_journal_is_asked(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking up waits for others, and what expires in that time may be sent by them as well."""
    with Journal.open(path) as journal, Journal.open(path) as other:
        look_up, asked = journal.store.look_up, 0
        wire = Wire(ACCEPTED)

        async def take_long(*identities: object, **how: object) -> object:
            nonlocal asked
            found, asked = await look_up(*identities, **how), asked + 1  # type: ignore[arg-type]
            if asked == 1:
                await posting(Wire(ACCEPTED), other).send(ANA, "Hi", key="k")
                await wire.clock.sleep(_HOUR)
            return found

        monkeypatch.setattr(journal.store, "look_up", take_long)
        ana = Message(ANA, "Hi", key="k", not_after=soon(_HOUR / 2))
        outcome, counts, sent = await _of_ana(posting(wire), [ana], journal, wire)
    assert ("accepted", 1, []) == (outcome.state, counts.resumed, sent)


async def test_a_refusal_of_what_is_claimed_asks_nothing(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else can have had it, and a list may be full of numbers that a gateway refuses."""
    with Journal.open(path) as journal:
        monkeypatch.setattr(journal.store, "look_up", failing_later(journal))
        messages = [Message(to, f"Hi {to}", key="k") for to in _PEOPLE]
        outcomes = await run_over(posting(Wire(REFUSED)), messages, journal=journal)
    assert {"not_sent"} == {one.state for one in outcomes}


@pytest.mark.parametrize("key", [None, "k"])
async def test_what_a_part_of_a_request_holds(key: str | None, path: Place) -> None:
    """Of a router's request others can have what it has not claimed, or has given back."""
    with Journal.open(path) as journal:
        ledger = await Ledger.of_run(journal)
        batch = [prepared(place, to, key=key) for place, to in enumerate(_PEOPLE[:3])]
        await ledger.admit(batch)
        whole = ledger.claim(batch)

        def held() -> list[bool]:
            return [ledger.holds(one, whole) for one in batch]

        before = held()
        first, second = whole.part([0]), whole.part([1])
        await take(first)
        await take(second)
        taken = held()
        first.release()
        released = held()
        await take(whole.part([0]))
        again = held()
        whole.part([0, 1]).give_back()
        given_back = held()
        ledger.end()
        await ledger.ended()
    assert [False] * 3 == before == given_back
    assert [[True, True, False], [False, True, False]] == [taken, released]
    assert taken == again


@pytest.mark.parametrize("first", [0, 1], ids=["the account first", "the journal first"])
async def test_each_text_of_a_request_is_told_by_its_own_error(first: int, path: Place) -> None:
    """Of a router's batch one was refused for good and one was not claimed, in whatever order."""
    errors = [AuthenticationError("wrong token", provider="fake"), JournalError("it is away")]
    with Journal.open(path) as journal:
        ledger = await Ledger.of_run(journal)
        batch = [prepared(place, to, key="k") for place, to in enumerate((FIRST, ANA))]
        await ledger.admit(batch)
        refused = [
            NotSent(one.index, one.message, error)
            for one, error in zip(batch, (errors[first], errors[1 - first]), strict=True)
        ]
        told, still_unknown = ledger.told(refused, batch)
        ledger.end()
        await ledger.ended()
    assert 1 == still_unknown
    assert ["not_sent", "unknown"] == [told[first].state, told[1 - first].state]


async def test_a_later_text_of_this_very_run_is_expired(path: Place) -> None:
    """While the first is on its way, nobody else can have one with its key that is too late."""
    with Journal.open(path) as journal:
        ledger = await Ledger.of_run(journal)
        batch = [prepared(place, ANA, key="k") for place in range(2)]
        await ledger.admit(batch[:1])
        settled = await ledger.settled(batch[1:])
        late = NotSent(1, batch[1].message, ExpiredError(soon(-1)))
        told = ledger.told_of(late)
        reserved = ledger.looks_up
        ledger.end()
        await ledger.ended()
    assert [] == settled
    assert late is told
    assert reserved
