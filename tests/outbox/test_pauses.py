"""Where no text would get through, all wait, and none is lost."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from support.outbox.looking import rows, told, until
from support.outbox.sending import NUMBER, put, returned, sending, texts

from iprog_async import (
    ConnectionFailedError,
    InsufficientCreditError,
    Journal,
    OutcomeUnknownError,
    RateLimitError,
    SmsClient,
)
from iprog_async.testing import SmsOutbox


async def test_empty_account_stops_it_until_it_is_told(
    address: str, journal: Journal, gateway: SmsOutbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is lost: all texts wait, one line says why, and `resume` goes on with all of them."""
    gateway.credit = 0
    async with sending(gateway, journal, concurrency=4) as sender:
        await put(address, journal, *texts(20))
        await until(lambda: sender.paused_by)
        await until(lambda: {takes for (takes,) in rows(address, "takes")} == {0, 1})
        waiting = {state for (state,) in rows(address, "state")}
        cause = sender.paused_by
        gateway.credit = 1000
        sender.resume()
        await until(lambda: len(gateway.messages) == 20)
        await until(lambda: sender.paused_by is None)

    assert ({"waiting"}, InsufficientCreditError) == (waiting, type(cause))
    assert 4 >= len(gateway.refused)
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert 1 == len(errors)
    assert "credit and credentials" in errors[0]
    assert NUMBER[:7] not in errors[0]


async def test_texts_to_be_sent_again_wait_for_the_account_as_well(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """What may have been sent once, and is sent again when told, is not given up either."""
    waiting = texts(4)
    gateway.lose(times=None)
    async with SmsClient(gateway.provider, journal=journal) as client:
        for message in waiting:
            with pytest.raises(OutcomeUnknownError):
                await client.send(message.to, message.text, key=message.key)
    gateway.clear()
    gateway.credit = 0
    await put(address, journal, *waiting)
    with Journal.open(address, resend_unknown=True) as told_to:
        async with sending(gateway, told_to) as sender:
            await until(lambda: sender.paused_by)
            cause = sender.paused_by
            await until(lambda: sum(returned(address)) == len(gateway.refused))
            assert {("waiting", True)} == set(rows(address, "state, text IS NOT NULL"))
            gateway.credit = 1000
            sender.resume()
            await until(lambda: len(gateway.messages) == 4)

    assert InsufficientCreditError is type(cause)


@pytest.mark.parametrize("rows_when_analysed", [0, 1, 2, 20])
async def test_takes_no_more_than_it_has_room_for_whatever_the_planner_knows(
    address: str, journal: Journal, gateway: SmsOutbox, rows_when_analysed: int
) -> None:
    """An empty account costs `concurrency` refusals, with every plan that statistics lead to."""
    gateway.credit = 0
    await put(address, journal, *texts(20)[:rows_when_analysed])
    told(address, "ANALYZE {outbox}")
    await put(address, journal, *texts(20)[rows_when_analysed:])
    async with sending(gateway, journal, concurrency=4) as sender:
        await until(lambda: sender.paused_by)
        await until(lambda: sum(returned(address)) == len(gateway.refused))
    assert 4 == sum(takes for (takes,) in rows(address, "takes"))


async def test_gateway_that_asks_for_a_pause_is_tried_with_one_text(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """While it lasts all texts wait, and after it one of them goes ahead of the others."""
    slower = RateLimitError("slower", provider="outbox", retry_after=3600)
    gateway.refuse(slower, times=5)
    async with sending(gateway, journal, concurrency=4) as sender:
        await put(address, journal, *texts(10))
        for refused in (4, 5):
            await until(lambda: sum(returned(address)) == refused)  # noqa: B023 - called at once
            assert refused == len(gateway.refused)
            sender.resume()
        await until(lambda: len(gateway.messages) == 10)
    assert 15 == sum(takes for (takes,) in rows(address, "takes"))


async def test_unreachable_gateway_loses_nothing(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """The texts wait until it is back."""
    gateway.refuse(ConnectionFailedError, times=2)
    async with sending(gateway, journal, concurrency=1) as sender:
        await put(address, journal, *texts(3))

        def all_are_sent() -> bool:
            sender.resume()
            return len(gateway.messages) == 3

        await until(all_are_sent)
    assert 2 == len(gateway.refused)


async def test_text_that_expired_does_not_say_that_the_gateway_is_back(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """The pause is over only when the gateway has answered."""
    slower = RateLimitError("slower", provider="outbox", retry_after=3600)
    gateway.refuse(slower, times=1)
    first, second = texts(2)
    async with sending(gateway, journal) as sender:
        await put(address, journal, first, max_age=timedelta(minutes=5))
        await until(lambda: sum(returned(address)) == 1)
        told(address, "UPDATE {outbox} SET expires_at = now() - interval '1 s'")
        sender.resume()
        await until(lambda: rows(address, "state") == [("done",)])
        cause = sender.paused_by
        await put(address, journal, second)
        await until(lambda: gateway.messages)
        await until(lambda: sender.paused_by is None)

    assert isinstance(cause, RateLimitError)
