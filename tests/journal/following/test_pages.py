"""Where a gateway lists its messages, a follow-up reads the list a page at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.core.fakes import to_many
from support.journal.following import (
    DELIVERED,
    FAILED,
    SENT,
    follow,
    ids_of,
    leave,
    listed,
    statuses_in,
)
from support.journal.journaling import Place, run_over
from support.journal.listing import Item, Pages, PagesProvider

from iprog_async import Journal, NoAnswerError, RejectedError, SmsClient, SmsError
from iprog_async._client.following.rules import is_worth_another_page


class _KilledError(Exception):
    """Ends a follow-up where a kill would."""


def _of_others(count: int, name: str = "x") -> list[Item]:
    return [Item(f"{name}{number}", "44123", FAILED) for number in range(count)]


async def test_a_list_is_read_page_by_page(path: Place) -> None:
    """Where the gateway lists messages, a request brings the statuses of many."""
    await leave(path, 60)
    items = listed(60)
    items[3] = Item(items[3].uid, items[3].to, FAILED)
    provider = PagesProvider(messages=Pages(items))

    found = await follow(path, provider)

    assert (59, 1, 0, 60, True) == (
        found.delivered,
        found.failed,
        found.pending,
        found.changed,
        found.finished,
    )
    assert ([1, 2, 3], []) == (provider.messages.asked, provider.asked)
    assert ["delivered"] * 56 + ["failed"] + ["delivered"] * 3 == statuses_in(path)
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
    await leave(path, 3)
    provider = PagesProvider(messages=Pages(listed(3)))
    await follow(path, provider)
    with Journal.open(path) as journal:
        outcomes = await run_over(SmsClient(provider), to_many(3), journal=journal)
    assert [] == provider.sent
    assert [DELIVERED] * 3 == [outcome.receipt.status for outcome in outcomes]  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue] - all were accepted


@pytest.mark.parametrize("pushed", [1, 7, 25, 40])
async def test_new_messages_push_the_pages(path: Place, pushed: int) -> None:
    """While a list moves under the reader, no text is lost, and none gets another one's status."""
    await leave(path, 100)
    items = [
        Item(item.uid, item.to, FAILED if place % 3 else DELIVERED)
        for place, item in enumerate(listed(100))
    ]
    expected = [item.delivery_status.state for item in reversed(items)]
    provider = PagesProvider(messages=Pages(items))

    def push(page: int) -> None:
        if page < 30:
            provider.messages.items[:0] = _of_others(pushed, f"new{page}-")

    provider.messages.after = push
    provider.statuses.update({item.uid: [item.delivery_status] for item in items})

    assert (await follow(path, provider)).finished
    assert expected == statuses_in(path)


async def test_messages_that_are_deleted_pull_the_pages(path: Place) -> None:
    """What slipped to a page that was read already is asked for by itself."""
    await leave(path, 75)
    provider = PagesProvider(messages=Pages(_of_others(10) + listed(75)))
    provider.statuses.update({uid: [DELIVERED] for uid in ids_of(75)})

    def delete(page: int) -> None:
        if page == 1:
            del provider.messages.items[:10]

    provider.messages.after = delete

    assert 75 == (await follow(path, provider)).delivered
    assert 10 == len(provider.asked)


async def test_a_killed_one_goes_on_where_it_was(path: Place) -> None:
    """After each kill the list is read on from the page that comes next, not from the first."""
    await leave(path, 250)
    provider = PagesProvider(messages=Pages(listed(250)))

    def kill(page: int) -> None:
        if page in (3, 7):
            raise _KilledError

    provider.messages.after = kill
    for _ in range(2):
        with pytest.raises(_KilledError):
            await follow(path, provider)
    assert 250 == (await follow(path, provider)).delivered
    assert list(range(1, 11)) == provider.messages.asked


async def test_what_was_pending_before_a_kill_is_asked_for_again(path: Place) -> None:
    """Texts on pages that were read before the kill are followed, too, from the first page on."""
    await leave(path, 100)
    items = listed(100)
    items[0] = Item(items[0].uid, items[0].to, SENT)
    provider = PagesProvider(messages=Pages(items))
    provider.statuses[items[0].uid] = [DELIVERED]

    def kill(page: int) -> None:
        if page == 2:
            provider.messages.after = lambda _: None
            raise _KilledError

    provider.messages.after = kill
    with pytest.raises(_KilledError):
        await follow(path, provider)
    assert "sent" == statuses_in(path)[-1]
    assert 100 == (await follow(path, provider)).delivered
    assert [1, 2, 3, 4] == provider.messages.asked
    assert [items[0].uid] == provider.asked


async def test_a_page_that_is_missing_is_asked_for_again(path: Place) -> None:
    """An error of a request is no outcome: it is told, and the next round goes on there."""
    await leave(path, 60)
    provider = PagesProvider(messages=Pages(listed(60)))

    def fail(page: int) -> None:
        if page == 1:
            raise NoAnswerError("the gateway is away")

    provider.messages.after = fail
    found = await follow(path, provider)
    assert (60, "the gateway is away") == (found.delivered, str(found.last_error))
    assert [1, 2, 3] == provider.messages.asked


async def test_an_id_of_another_number_is_nobodys(path: Place) -> None:
    """An item with a known id and another number changes no row."""
    await leave(path, 2)
    items = [Item(item.uid, "639990000000", DELIVERED) for item in listed(2)]
    found = await follow(path, PagesProvider(messages=Pages(items)), timeout=1)
    assert (0, 2, 0) == (found.delivered, found.pending, found.changed)


async def test_a_list_that_does_not_show_them_is_given_up(path: Place) -> None:
    """Reading in vain costs no more than asking for each text would."""
    await leave(path, 4)
    provider = PagesProvider(messages=Pages(_of_others(2500) + listed(4)))
    provider.statuses.update({uid: [DELIVERED] for uid in ids_of(4)})
    assert 4 == (await follow(path, provider)).delivered
    assert ([1, 2, 3, 4], ids_of(4)) == (provider.messages.asked, provider.asked)


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
    await leave(path, 2)
    provider = PagesProvider(messages=Pages(listed(2)))
    with Journal.open(path) as journal:
        made_at = journal.store.made_at
    await follow(path, provider)
    assert [made_at - timedelta(days=1)] == provider.messages.starts


@pytest.mark.parametrize("error", [RejectedError("no such filter", provider="fake")])
async def test_a_list_that_is_refused(path: Place, error: SmsError) -> None:
    """A host that has no list, or takes no filter, is asked for each text."""
    await leave(path, 3)
    provider = PagesProvider(messages=Pages(listed(3)))
    provider.statuses.update({uid: [DELIVERED] for uid in ids_of(3)})

    def refuse(page: int) -> None:
        raise error

    provider.messages.items[:0] = _of_others(30)
    provider.messages.after = refuse
    assert (3, ids_of(3)) == ((await follow(path, provider)).delivered, provider.asked)


async def test_an_empty_journal_asks_nobody(path: Place) -> None:
    """Where nothing was accepted, there is nothing to follow."""
    with Journal.open(path) as journal:
        provider = PagesProvider(messages=Pages(listed(2)))
        found = await SmsClient(provider).follow(journal)
    assert (True, [], []) == (found.finished, provider.messages.asked, provider.asked)
