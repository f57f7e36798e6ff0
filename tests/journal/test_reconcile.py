"""Settling unknown outcomes by a gateway's list of messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import field, frozen
from support.core.fakes import LATER, NUMBER, FakeProvider, Wire, accept, lose, to_many
from support.journal.journaling import ACCEPTED, Place, posting, run_over, sqlite_store, states_in

from iprog_async import (
    Accepted,
    DeliveryStatus,
    InvalidMessageError,
    Journal,
    JournalError,
    Message,
    NoAnswerError,
    Outcome,
    OutcomeUnknownError,
    SmsClient,
    UnsupportedError,
)
from iprog_async.adapter import PreparedMessage, accepted


@frozen
class Item:
    """A message as the gateway lists it."""

    uid: str
    to: str | None = NUMBER[1:]
    message: str | None = "Hi"
    delivery_status: DeliveryStatus = field(factory=lambda: DeliveryStatus("delivered", "DELIVRD"))


@frozen
class DatedItem(Item):
    """The same, of a gateway that says when it was sent."""

    sent_at: object = None


async def _nothing() -> None:
    """Do nothing."""


@frozen
class Listing:
    """What the gateway lists, from when it was asked, and what happens while it is read."""

    items: Sequence[Item] = ()
    starts: list[datetime | None] = field(factory=list[datetime | None])
    broken: bool = False
    meanwhile: Callable[[], Awaitable[object]] = _nothing

    async def list(self, *, start: datetime | None = None) -> AsyncIterator[Item]:
        """Iterate over the messages."""
        self.starts.append(start)
        await self.meanwhile()
        for item in self.items:
            yield item
        if self.broken:
            raise NoAnswerError("the second page is missing")


@frozen(kw_only=True, eq=False, slots=False)
class ListingProvider(FakeProvider):
    """A provider that lists messages."""

    messages: Listing = field(factory=Listing)


def listing(*items: Item, **settings: object) -> ListingProvider:
    """Return a provider that lists some messages."""
    return ListingProvider(messages=Listing(items, **settings))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - as the test gives them


async def _lose(journal: Journal, *messages: Message) -> None:
    """Leave messages with an unknown outcome."""
    client = SmsClient(FakeProvider(send=lose))
    await run_over(client, messages or [Message(NUMBER, "Hi")], journal=journal)


async def test_what_the_list_has_is_settled(path: Place) -> None:
    """An unknown message that the gateway lists is accepted from then on, and not sent again."""
    with Journal.open(path) as journal:
        await _lose(journal, *to_many(3))
        items = [Item(f"u{index}", message.to) for index, message in enumerate(to_many(2))]
        result = await journal.reconcile(listing(Item("x", "44123"), *items))
        assert (2, 1, 3) == (result.settled, result.unknown, result.listed)
        assert ["accepted", "accepted", "unknown"] == states_in(path)

        provider = FakeProvider()
        outcomes = await run_over(SmsClient(provider), to_many(3), journal=journal)
        assert [] == provider.sent
    assert isinstance(outcomes[0], Accepted)
    receipt = outcomes[0].receipt
    assert ("fake", "u0", 1) == (receipt.provider, receipt.message_id, receipt.segments)
    assert DeliveryStatus("delivered", "DELIVRD") == receipt.status


@pytest.mark.parametrize(
    "item",
    [
        Item("u", "639170000009"),
        Item("u", message="Hi!"),
        Item("u", message=None),
        Item("u", to=None),
        Item("u", to=""),
    ],
)
async def test_what_the_list_lacks_stays_unknown(item: Item, path: Place) -> None:
    """Another number, another text and an empty list settle nothing."""
    with Journal.open(path) as journal:
        await _lose(journal)
        for provider in (listing(item), listing()):
            result = await journal.reconcile(provider)
            assert (0, 1) == (result.settled, result.unknown)
        assert ["unknown"] == states_in(path)


async def test_an_empty_journal_asks_nobody(path: Place) -> None:
    """Where nothing is in doubt, the gateway is not asked."""
    provider = listing(Item("u"))
    with Journal.open(path) as journal:
        result = await journal.reconcile(provider)
    assert (0, 0, 0, []) == (
        result.settled,
        result.unknown,
        result.listed,
        provider.messages.starts,
    )


async def test_an_item_serves_one_message(path: Place) -> None:
    """Two unknown messages of one text need two items: nobody could tell whose the one is."""
    both = [Message(NUMBER, "Hi", key=key) for key in ("a", "b")]
    with Journal.open(path) as journal:
        await _lose(journal, *both)
        assert 0 == (await journal.reconcile(listing(Item("u"), Item("u")))).settled
        assert 2 == (await journal.reconcile(listing(Item("u"), Item("v")))).settled


async def test_an_item_of_an_accepted_message_is_taken(path: Place) -> None:
    """The item of a message that was accepted settles no other one with the same text."""

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        return [accepted(prepared, "fake", message_id="u") for prepared in batch]

    with Journal.open(path) as journal:
        client = SmsClient(FakeProvider(send=send))
        await run_over(client, [Message(NUMBER, "Hi", key="a")], journal=journal)
        await _lose(journal, Message(NUMBER, "Hi", key="b"))
        assert 0 == (await journal.reconcile(listing(Item("u")))).settled
        assert 1 == (await journal.reconcile(listing(Item("u"), Item("v")))).settled


async def test_an_item_is_not_used_by_a_second_look(path: Place) -> None:
    """What one look settled can't be settled with again."""
    with Journal.open(path) as journal:
        await _lose(journal, Message(NUMBER, "Hi", key="a"))
        assert 1 == (await journal.reconcile(listing(Item("u")))).settled
        await _lose(journal, Message(NUMBER, "Hi", key="b"))
        assert 0 == (await journal.reconcile(listing(Item("u")))).settled


async def test_an_accepted_message_without_an_id_takes_an_item(path: Place) -> None:
    """Where an accepted message has no id, one of the items is its own."""

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        return [accepted(prepared, "fake", message_id=None) for prepared in batch]

    with Journal.open(path) as journal:
        client = SmsClient(FakeProvider(send=send))
        await run_over(client, [Message(NUMBER, "Hi", key="a")], journal=journal)
        await _lose(journal, Message(NUMBER, "Hi", key="b"))
        assert 0 == (await journal.reconcile(listing(Item("u")))).settled
        assert 1 == (await journal.reconcile(listing(Item("u"), Item("v")))).settled


async def test_accepted_messages_of_others_matter_not(path: Place) -> None:
    """What was accepted for other numbers takes no item."""
    with Journal.open(path) as journal:
        await run_over(SmsClient(FakeProvider(send=accept)), to_many(2), journal=journal)
        await _lose(journal)
        assert 1 == (await journal.reconcile(listing(Item("u")))).settled


async def test_another_accounts_messages_stay_unknown(path: Place) -> None:
    """A gateway settles what it was asked to send, and what says nothing of whom."""
    with Journal.open(path) as journal:
        await _lose(journal)
        provider = ListingProvider(name="second", messages=Listing([Item("u")]))
        result = await journal.reconcile(provider)
    assert (0, 1) == (result.settled, result.unknown)


async def test_a_scheduled_message_is_found_by_its_text(path: Place) -> None:
    """When a text was to go out says nothing about whether the gateway has it."""
    with Journal.open(path) as journal:
        await _lose(journal, Message(NUMBER, "Hi", schedule_at=LATER))
        assert 1 == (await journal.reconcile(listing(Item("u")))).settled


async def test_a_client_will_do(path: Place) -> None:
    """A client is asked by its provider."""
    with Journal.open(path) as journal:
        await _lose(journal)
        assert 1 == (await journal.reconcile(SmsClient(listing(Item("u"))))).settled


async def test_a_gateway_without_a_list(path: Place) -> None:
    """A provider that lists nothing can't settle anything, and the journal is free after."""
    with Journal.open(path) as journal:
        for gateway in (SmsClient(FakeProvider()), FakeProvider()):
            with pytest.raises(UnsupportedError, match="fake lists no messages"):
                await journal.reconcile(gateway)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a wrong one


async def test_from_when_on_it_looks(path: Place) -> None:
    """It looks from the making of the journal on, or from the time that was given."""
    start = datetime.now(UTC)
    provider = listing()
    with Journal.open(path) as journal:
        await _lose(journal)
        await journal.reconcile(provider)
        await journal.reconcile(provider, start=LATER)
        with pytest.raises(InvalidMessageError, match="has no time zone"):
            await journal.reconcile(provider, start=LATER.replace(tzinfo=None))
    made_at, given = provider.messages.starts
    assert LATER == given
    assert made_at is not None
    # The time of a journal has no fractions of a second.
    assert start - timedelta(seconds=1) < made_at < datetime.now(UTC) + timedelta(seconds=1)


async def test_a_list_that_breaks_off_settles_nothing(path: Place) -> None:
    """Half a list may lack the item that would show whose the others are."""
    with Journal.open(path) as journal:
        await _lose(journal)
        with pytest.raises(NoAnswerError):
            await journal.reconcile(listing(Item("u"), broken=True))
        assert ["unknown"] == states_in(path)
        assert 1 == (await journal.reconcile(listing(Item("u")))).settled


async def test_a_run_and_a_look_exclude_one_another(path: Place) -> None:
    """While a run uses the journal, what is on its way must not be settled."""
    with Journal.open(path) as journal:
        async with SmsClient(FakeProvider()).send_many([], journal=journal):
            with pytest.raises(JournalError, match="another run"):
                await journal.reconcile(listing())


async def test_a_single_send_on_its_way_is_left_alone(path: Place) -> None:
    """A send with a key that is under way comes to its own outcome."""
    arrived, may_answer = asyncio.Event(), asyncio.Event()

    async def answer(request: object) -> object:
        arrived.set()
        await may_answer.wait()
        return ACCEPTED

    with Journal.open(path) as journal:
        client = posting(Wire(answer), journal)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - it is a handler
        sending = asyncio.create_task(client.send(NUMBER, "Hi", key="a"))
        await arrived.wait()
        assert 0 == (await journal.reconcile(listing(Item("u")))).settled
        may_answer.set()
        assert "id-1" == (await sending).message_id


async def test_a_result_that_cannot_be_written(tmp_path: Path) -> None:
    """Where the file takes no more, it is said that nothing was settled."""
    with Journal.open(tmp_path / "j.db") as journal:
        await _lose(journal)
        sqlite_store(journal)._intake.failure = JournalError("full disk")  # pyright: ignore[reportPrivateUsage] - stands for a disk
        with pytest.raises(JournalError, match="full disk"):
            await journal.reconcile(listing(Item("u")))
    assert ["unknown"] == states_in(tmp_path / "j.db")


def _ago(**before: float) -> datetime:
    return datetime.now(UTC) - timedelta(**before)


def _plain(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S}"


SINCE = datetime.now(UTC) + timedelta(hours=1)


@pytest.mark.parametrize(
    ("sent_at", "expected"),
    [
        ([None], 1),
        (["yesterday"], 1),
        (["0001-01-01 00:00:00"], 0),
        (["9999-12-31 23:59:59"], 1),
        ([SINCE], 1),
        ([SINCE.isoformat()], 1),
        ([_plain(SINCE)], 1),
        ([_ago(days=300)], 0),
        ([_ago(days=300).isoformat()], 0),
        ([_plain(_ago(days=300))], 0),
        # A clock that is behind ours may have shown this after the journal was made.
        ([_plain(_ago(hours=3))], 1),
        # Not where the list has what is certainly older: it does not look at the time asked for.
        ([_plain(_ago(hours=3)), _ago(days=300)], 0),
        ([SINCE, _ago(days=300)], 1),
        ([None, _ago(days=300)], 0),
    ],
)
async def test_what_was_sent_before_settles_nothing(
    path: Place, sent_at: Sequence[object], expected: int
) -> None:
    """An older server lists everything, and last year's text is not today's."""
    items = [DatedItem(f"u{place}", sent_at=when) for place, when in enumerate(sent_at)]
    with Journal.open(path) as journal:
        await _lose(journal)
        assert expected == (await journal.reconcile(listing(*items))).settled


@pytest.mark.parametrize("ends", ["accepted", "unknown"])
async def test_a_text_that_is_sent_meanwhile_is_not_taken_for_another(
    path: Place, ends: str
) -> None:
    """What was claimed while the list was read may be the one that it has."""

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        return [accepted(prepared, "fake", message_id="of-b") for prepared in batch]

    with Journal.open(path) as journal:
        await _lose(journal, Message(NUMBER, "Hi", key="a"))

        async def meanwhile() -> None:
            provider = FakeProvider(send=send if ends == "accepted" else lose)
            client = SmsClient(provider, journal=journal)
            try:
                await client.send(NUMBER, "Hi", key="b")
            except OutcomeUnknownError:
                assert ends == "unknown"

        result = await journal.reconcile(listing(Item("of-b"), meanwhile=meanwhile))
        assert 0 == result.settled
        assert (2 if ends == "unknown" else 1) == result.unknown
        # Where both are listed, the one that was waited for is settled.
        assert 1 <= (await journal.reconcile(listing(Item("of-a"), Item("of-b")))).settled


async def test_a_text_that_is_on_its_way_meanwhile_is_not_taken_for_another(path: Place) -> None:
    """The list may have what a send with another key just handed over."""
    arrived, may_answer = asyncio.Event(), asyncio.Event()

    async def answer(request: object) -> object:
        arrived.set()
        await may_answer.wait()
        return ACCEPTED

    with Journal.open(path) as journal:
        await _lose(journal, Message(NUMBER, "Hi", key="a"))
        client = posting(Wire(answer), journal)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - it is a handler
        sending = asyncio.create_task(client.send(NUMBER, "Hi", key="b"))
        await arrived.wait()
        assert 0 == (await journal.reconcile(listing(Item("u")))).settled
        may_answer.set()
        assert "id-1" == (await sending).message_id
