"""Bringing accepted texts to their final status, in a file and in a database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.core.fakes import NUMBER, FakeProvider, to_many
from support.journal.journaling import Place, rows_in, run_over
from support.journal.listing import AskedProvider, Item, Pages, PagesProvider

from iprog_async import (
    AuthenticationError,
    ConfigurationError,
    DeliveryState,
    DeliveryStatus,
    Failover,
    FollowUp,
    HttpPool,
    Journal,
    Message,
    NoAnswerError,
    Outcome,
    RejectedError,
    SmsClient,
    SmsError,
)
from iprog_async._client.following.rules import is_worth_another_page
from iprog_async.adapter import Batching, PreparedMessage, accepted
from iprog_async.testing import InstantClock


DELIVERED = DeliveryStatus("delivered", "Delivered")
FAILED = DeliveryStatus("failed", "Undelivered")
SENT = DeliveryStatus("sent", "Enroute")
PENDING = DeliveryStatus("pending", "queued")


class _KilledError(Exception):
    """Ends a follow-up where a kill would."""


async def _accept(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    return [accepted(one, "fake", message_id=f"u{one.to}") for one in batch]


async def _accept_as_one(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    return [accepted(one, "fake", message_id="queue:1") for one in batch]


async def _accept_without_id(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    return [accepted(one, "fake", message_id=None) for one in batch]


async def _send(path: Place, count: int, send: Any = _accept, text: str = "Hi") -> None:
    """Leave a journal with so many accepted texts."""
    with Journal.open(path) as journal:
        provider = FakeProvider(send=send, limits=Batching(max_batch=100))
        await run_over(SmsClient(provider), to_many(count, text), journal=journal)


async def _follow(
    path: Place, provider: Any, clock: InstantClock | None = None, **options: Any
) -> FollowUp:
    """Follow a journal as a process of its own would."""
    # No request comes to a connection.
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(500)))
    pool = HttpPool(http=http, clock=clock or InstantClock())
    return await SmsClient(provider, pool=pool).follow(path, **options)


def _items(count: int, status: DeliveryStatus = DELIVERED) -> list[Item]:
    """Return what a gateway lists of texts to many, the newest first."""
    numbers = [message.to[1:] for message in to_many(count)]
    return [Item(f"u{number}", number, status) for number in reversed(numbers)]


def _of_others(count: int, name: str = "x") -> list[Item]:
    return [Item(f"{name}{number}", "44123", FAILED) for number in range(count)]


def _ids(count: int) -> list[str]:
    return [f"u{message.to[1:]}" for message in to_many(count)]


def _saying(count: int, *answers: DeliveryStatus | SmsError) -> AskedProvider:
    return AskedProvider(statuses={uid: list(answers) for uid in _ids(count)})


def _statuses(path: Place) -> list[str]:
    return [status for (status,) in rows_in(path, "status")]


async def test_a_list_is_read_page_by_page(path: Place) -> None:
    """Where the gateway lists messages, a request brings the statuses of many."""
    await _send(path, 60)
    items = _items(60)
    items[3] = Item(items[3].uid, items[3].to, FAILED)
    provider = PagesProvider(messages=Pages(items))

    found = await _follow(path, provider)

    assert (59, 1, 0, 60, True) == (
        found.delivered,
        found.failed,
        found.pending,
        found.changed,
        found.finished,
    )
    assert ([1, 2, 3], []) == (provider.messages.asked, provider.asked)
    assert ["delivered"] * 56 + ["failed"] + ["delivered"] * 3 == _statuses(path)
    with Journal.open(path) as journal:
        assert {"delivered": 59, "sent": 0, "failed": 1, "pending": 0, "unclear": 0} == (
            await journal.deliveries()
        )
        (entry,) = [entry async for entry in journal.failed()]
    assert (to_many(57)[-1].to, "failed", "Undelivered") == (
        entry.number,
        entry.status,
        entry.detail,
    )


async def test_nothing_is_sent(path: Place) -> None:
    """A follow-up sends nothing, and a run after it has the receipts with their new status."""
    await _send(path, 3)
    provider = PagesProvider(messages=Pages(_items(3)))
    await _follow(path, provider)
    with Journal.open(path) as journal:
        outcomes = await run_over(SmsClient(provider), to_many(3), journal=journal)
    assert [] == provider.sent
    assert [DELIVERED] * 3 == [outcome.receipt.status for outcome in outcomes]  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue] - all were accepted


@pytest.mark.parametrize("pushed", [1, 7, 25, 40])
async def test_new_messages_push_the_pages(path: Place, pushed: int) -> None:
    """While a list moves under the reader, no text is lost, and none gets another one's status."""
    await _send(path, 100)
    items = [
        Item(item.uid, item.to, FAILED if place % 3 else DELIVERED)
        for place, item in enumerate(_items(100))
    ]
    expected = [item.delivery_status.state for item in reversed(items)]
    provider = PagesProvider(messages=Pages(items))

    def push(page: int) -> None:
        if page < 30:
            provider.messages.items[:0] = _of_others(pushed, f"new{page}-")

    provider.messages.after = push
    provider.statuses.update({item.uid: [item.delivery_status] for item in items})

    assert (await _follow(path, provider)).finished
    assert expected == _statuses(path)


async def test_messages_that_are_deleted_pull_the_pages(path: Place) -> None:
    """What slipped to a page that was read already is asked for by itself."""
    await _send(path, 75)
    provider = PagesProvider(messages=Pages(_of_others(10) + _items(75)))
    provider.statuses.update({uid: [DELIVERED] for uid in _ids(75)})

    def delete(page: int) -> None:
        if page == 1:
            del provider.messages.items[:10]

    provider.messages.after = delete

    assert 75 == (await _follow(path, provider)).delivered
    assert 10 == len(provider.asked)


async def test_a_killed_one_goes_on_where_it_was(path: Place) -> None:
    """After each kill the list is read on from the page that comes next, not from the first."""
    await _send(path, 250)
    provider = PagesProvider(messages=Pages(_items(250)))

    def kill(page: int) -> None:
        if page in (3, 7):
            raise _KilledError

    provider.messages.after = kill
    for _ in range(2):
        with pytest.raises(_KilledError):
            await _follow(path, provider)
    assert 250 == (await _follow(path, provider)).delivered
    assert list(range(1, 11)) == provider.messages.asked


async def test_what_was_pending_before_a_kill_is_asked_for_again(path: Place) -> None:
    """Texts on pages that were read before the kill are followed, too, from the first page on."""
    await _send(path, 100)
    items = _items(100)
    items[0] = Item(items[0].uid, items[0].to, SENT)
    provider = PagesProvider(messages=Pages(items))
    provider.statuses[items[0].uid] = [DELIVERED]

    def kill(page: int) -> None:
        if page == 2:
            provider.messages.after = lambda _: None
            raise _KilledError

    provider.messages.after = kill
    with pytest.raises(_KilledError):
        await _follow(path, provider)
    assert "sent" == _statuses(path)[-1]
    assert 100 == (await _follow(path, provider)).delivered
    assert [1, 2, 3, 4] == provider.messages.asked
    assert [items[0].uid] == provider.asked


async def test_a_page_that_is_missing_is_asked_for_again(path: Place) -> None:
    """An error of a request is no outcome: it is told, and the next round goes on there."""
    await _send(path, 60)
    provider = PagesProvider(messages=Pages(_items(60)))

    def fail(page: int) -> None:
        if page == 1:
            raise NoAnswerError("the gateway is away")

    provider.messages.after = fail
    found = await _follow(path, provider)
    assert (60, "the gateway is away") == (found.delivered, str(found.last_error))
    assert [1, 2, 3] == provider.messages.asked


async def test_an_id_of_another_number_is_nobodys(path: Place) -> None:
    """An item with a known id and another number changes no row."""
    await _send(path, 2)
    items = [Item(item.uid, "639990000000", DELIVERED) for item in _items(2)]
    found = await _follow(path, PagesProvider(messages=Pages(items)), timeout=1)
    assert (0, 2, 0) == (found.delivered, found.pending, found.changed)


async def test_a_list_that_does_not_show_them_is_given_up(path: Place) -> None:
    """Reading in vain costs no more than asking for each text would."""
    await _send(path, 4)
    provider = PagesProvider(messages=Pages(_of_others(2500) + _items(4)))
    provider.statuses.update({uid: [DELIVERED] for uid in _ids(4)})
    assert 4 == (await _follow(path, provider)).delivered
    assert ([1, 2, 3, 4], _ids(4)) == (provider.messages.asked, provider.asked)


@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_requests_are_at_worst_twice_the_fewest(pages: list[bool]) -> None:
    """Wherever the texts are in the list, it costs at most twice as much as the better way."""
    texts = sum(pages)
    read = found = 0
    for has_one in pages:
        if not is_worth_another_page(read, found, texts - found):
            break
        read, found = read + 1, found + has_one
    assert read + texts - found <= 2 * min(texts, len(pages))


async def test_where_it_begins_to_look(path: Place) -> None:
    """The list is read from a day before the journal was made: clocks differ."""
    await _send(path, 2)
    provider = PagesProvider(messages=Pages(_items(2)))
    with Journal.open(path) as journal:
        made_at = journal.store.made_at
    await _follow(path, provider)
    assert [made_at - timedelta(days=1)] == provider.messages.starts


@pytest.mark.parametrize("error", [RejectedError("no such filter", provider="fake")])
async def test_a_list_that_is_refused(path: Place, error: SmsError) -> None:
    """A host that has no list, or takes no filter, is asked for each text."""
    await _send(path, 3)
    provider = PagesProvider(messages=Pages(_items(3)))
    provider.statuses.update({uid: [DELIVERED] for uid in _ids(3)})

    def refuse(page: int) -> None:
        raise error

    provider.messages.items[:0] = _of_others(30)
    provider.messages.after = refuse
    assert (3, _ids(3)) == ((await _follow(path, provider)).delivered, provider.asked)


async def test_without_a_list_each_text_is_asked_for(path: Place) -> None:
    """In rounds, with longer and longer waits, and only about what is not final."""
    await _send(path, 3)
    provider = _saying(3, DELIVERED)
    late = _ids(3)[1]
    provider.statuses[late] = [PENDING, SENT, SENT, FAILED]
    clock = InstantClock()

    found = await _follow(path, provider, clock)

    assert (2, 1, True) == (found.delivered, found.failed, found.finished)
    assert [*_ids(3), late, late, late] == provider.asked
    assert [15.0, 30.0, 60.0] == clock.sleeps
    assert ["delivered", "failed", "delivered"] == _statuses(path)


async def test_few_are_asked_for_at_once(path: Place) -> None:
    """No more questions are under way than allowed."""
    await _send(path, 23)
    now, most = 0, 0

    class _Slow(AskedProvider):
        async def status(self, message_id: str, /) -> DeliveryStatus:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0)
            now -= 1
            return DELIVERED

    assert 23 == (await _follow(path, _Slow(), concurrency=4)).delivered
    assert 4 == most


async def test_one_request_for_many_is_asked_for_once(path: Place) -> None:
    """Texts that the gateway queued as one request share its id, and get its status."""
    await _send(path, 30, _accept_as_one)
    provider = AskedProvider(statuses={"queue:1": [DELIVERED]})
    assert 30 == (await _follow(path, provider)).delivered
    assert ["queue:1"] == provider.asked


async def test_what_the_gateway_does_not_know_is_given_up(path: Place) -> None:
    """After three rounds nobody asks any more, and the text stays as it was."""
    await _send(path, 2)
    provider = AskedProvider(statuses={_ids(2)[0]: [DELIVERED]})
    clock = InstantClock()
    found = await _follow(path, provider, clock)
    assert (1, 1, 1) == (found.delivered, found.pending, found.not_found)
    assert [_ids(2)[0], *[_ids(2)[1]] * 3] == provider.asked
    assert ["delivered", "pending"] == _statuses(path)


async def test_an_error_of_a_question_is_no_outcome(path: Place) -> None:
    """The text keeps its status, and is asked for again."""
    await _send(path, 1)
    provider = _saying(1, NoAnswerError("away"), NoAnswerError("still away"), DELIVERED)
    seen: list[str] = []

    def look(told: FollowUp) -> None:
        seen.extend(_statuses(path))

    found = await _follow(path, provider, progress=look)
    assert (1, "still away") == (found.delivered, str(found.last_error))
    assert ["pending", "pending", "delivered"] == seen


async def test_a_gateway_that_is_away_is_left_alone_for_a_while(path: Place) -> None:
    """A round ends early if nothing is answered."""
    await _send(path, 100)
    provider = _saying(100, NoAnswerError("away"))
    await _follow(path, provider, timeout=10)
    assert 20 == len(provider.asked)


async def test_wrong_credentials_end_it(path: Place) -> None:
    """What is said of the account ends the follow-up, and changes no text."""
    await _send(path, 2)
    provider = _saying(2, AuthenticationError("wrong token", provider="fake"))
    with pytest.raises(AuthenticationError):
        await _follow(path, provider)
    assert ["pending"] * 2 == _statuses(path)


async def test_it_ends_in_time(path: Place) -> None:
    """What is not final when the time is over is told as pending."""
    await _send(path, 1)
    clock = InstantClock()
    found = await _follow(path, _saying(1, SENT), clock, timeout=100)
    assert (1, False) == (found.sent, found.finished)
    assert 100 == clock.monotonic()


async def test_a_word_that_nobody_knows_is_no_news(path: Place) -> None:
    """A status that no table knows does not replace one that it does."""
    await _send(path, 1)
    found = await _follow(path, _saying(1, DeliveryStatus("unknown", "???")), timeout=10)
    assert (1, 0, 0) == (found.pending, found.unclear, found.changed)


async def test_a_gateway_that_tells_no_status(path: Place) -> None:
    """It is said how many can't be followed, and by whom they were sent."""
    await _send(path, 3)
    found = await _follow(path, FakeProvider())
    assert ({"fake": 3}, 3) == (dict(found.no_status), found.pending)
    other = AskedProvider(name="other")
    assert {"fake": 3} == dict((await _follow(path, other)).no_status)
    assert [] == other.asked


async def test_texts_without_an_id(path: Place) -> None:
    """Nothing can be asked about a text that got no id, and it is told how many there are."""
    await _send(path, 2, _accept_without_id)
    provider = _saying(2, DELIVERED)
    found = await _follow(path, provider)
    assert (2, 2, []) == (found.without_id, found.pending, provider.asked)


async def test_each_gateway_of_a_router_is_asked_about_its_own(path: Place) -> None:
    """Of several gateways, the one that took a text is asked."""
    await _send(path, 2)
    ours, other = _saying(2, DELIVERED), AskedProvider(name="other")
    assert 2 == (await _follow(path, Failover(other, ours, region="PH"))).delivered
    assert (_ids(2), []) == (ours.asked, other.asked)


async def test_beside_a_run(path: Place) -> None:
    """A campaign is followed while it is being sent, and both find what the other wrote."""
    with Journal.open(path) as journal:
        client = SmsClient(FakeProvider(send=_accept), journal=journal)
        async with client.send_many(to_many(4)) as run:
            async for _ in run:
                await _follow(path, _saying(4, DELIVERED))
    assert ["delivered"] * 4 == _statuses(path)


async def test_single_sends_are_followed(path: Place) -> None:
    """Texts with keys are followed as those of a run, and their repeat has the new status."""
    with Journal.open(path) as journal:
        async with SmsClient(_saying(1, DELIVERED), journal=journal) as sms:
            provider = sms.provider
            provider.statuses["id-0"] = [DELIVERED]
            await sms.send(NUMBER, "Hi", key="a")
            assert 1 == (await sms.follow()).delivered
            assert DELIVERED == (await sms.send(NUMBER, "Hi", key="a")).status
            assert 1 == len(provider.sent)


@pytest.mark.parametrize("state", ["delivered", "failed"])
async def test_what_is_final_is_not_asked_for(path: Place, state: DeliveryState) -> None:
    """A status that was final in the answer of the send stays."""

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        status = DeliveryStatus(state, "x")
        return [accepted(one, "fake", message_id="u", status=status) for one in batch]

    await _send(path, 2, send)
    provider = _saying(2, SENT)
    assert (await _follow(path, provider)).finished
    assert [] == provider.asked


async def test_what_can_be_wrong_with_the_arguments(path: Place) -> None:
    """Numbers start above zero, and there has to be a journal."""
    client = SmsClient(_saying(1, DELIVERED))
    for wrong in ({"timeout": 0}, {"interval": 0}, {"concurrency": 0}):
        with pytest.raises(ConfigurationError):
            await client.follow(path, **wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - wrong ones
    with pytest.raises(ConfigurationError, match="needs a journal"):
        await client.follow()


async def test_an_empty_journal_asks_nobody(path: Place) -> None:
    """Where nothing was accepted, there is nothing to follow."""
    with Journal.open(path) as journal:
        provider = PagesProvider(messages=Pages(_items(2)))
        found = await SmsClient(provider).follow(journal)
    assert (True, [], []) == (found.finished, provider.messages.asked, provider.asked)


async def test_a_campaign_is_followed_by_its_path(path: Place) -> None:
    """A path or address is enough, whatever the campaign is called."""
    with Journal.open(path, campaign="june") as journal:
        await run_over(
            SmsClient(FakeProvider(send=_accept)), [Message(NUMBER, "Hi")], journal=journal
        )
    provider = AskedProvider(statuses={f"u{NUMBER[1:]}": [DELIVERED]})
    assert 1 == (await _follow(path, provider)).delivered
