"""An outbox keeps what was sent, and behaves as a gateway does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.sms_outbox import GLOBE, SMART, client, send

from iprog_async import (
    Accepted,
    ConfigurationError,
    ConnectionFailedError,
    Failover,
    InsufficientCreditError,
    InvalidMessageError,
    Journal,
    Message,
    NotSent,
    OutcomeUnknownError,
    RejectedError,
    RoundRobin,
    RunHaltedError,
    SmsClient,
    SmsError,
    Unknown,
)
from iprog_async.testing import OutboxMessage, SmsOutbox


LATER = datetime(2027, 1, 1, 9, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("sms_clock")


async def test_texts_are_kept_as_they_were_sent(outbox: SmsOutbox, tmp_path: Path) -> None:
    """Number as E.164, text, sender, time, key and options: all that the app gave."""
    options = object()
    with Journal.open(tmp_path / "texts.db") as journal:
        sms = client(outbox, journal=journal)
        await sms.send("0917 123 4567", "Hi")
        await sms.send(
            SMART, "Later", sender_id="ACME", schedule_at=LATER, key="order-1", options=options
        )

    assert [
        OutboxMessage(GLOBE, "Hi"),
        OutboxMessage(SMART, "Later", "ACME", LATER, "order-1", options),
    ] == outbox.messages
    assert outbox.messages[1] == outbox.last
    assert [] == outbox.refused


async def test_receipt_is_like_a_gateway_s(outbox: SmsOutbox) -> None:
    """It names the outbox, an id of its own, the segments, and whether the text waits."""
    async with client(outbox) as sms:
        now = await sms.send(GLOBE, "x" * 161)
        later = await sms.send(GLOBE, "Hi", schedule_at=LATER)

    assert ("outbox", 2, False, "pending") == (
        now.provider,
        now.segments,
        now.scheduled,
        now.status.state,
    )
    assert (True, 1) == (later.scheduled, later.segments)
    assert now.ref != later.ref
    assert [now.message_id, later.message_id] == [text.message_id for text in outbox.messages]


@pytest.mark.parametrize(
    ("text", "segments", "encoding"),
    [("Hi", 1, "GSM-7"), ("ñ" * 200, 2, "GSM-7"), ("👋", 1, "UCS-2")],
)
async def test_a_kept_text_tells_its_segments(
    outbox: SmsOutbox, text: str, segments: int, encoding: str
) -> None:
    """A test can check what a text would cost."""
    await send(outbox, text=text)

    assert (segments, encoding) == (outbox.last.segments, outbox.last.encoding)


async def test_texts_for_one_number(outbox: SmsOutbox) -> None:
    """`to` takes a number however it is written."""
    await send(outbox, GLOBE, SMART, GLOBE)

    assert [GLOBE, GLOBE] == [text.to for text in outbox.to("0917-123-4567")]
    assert [SMART] == [text.to for text in outbox.to(SMART)]
    assert [] == outbox.to("0919 123 4567")
    with pytest.raises(InvalidMessageError, match="nobody"):
        outbox.to("nobody")


async def test_last_of_nothing_fails_the_test(outbox: SmsOutbox) -> None:
    """Without a text it is an assertion that says what happened instead."""
    with pytest.raises(AssertionError, match="no text went out; refused were none"):
        _ = outbox.last
    outbox.refuse(RejectedError)
    await send(outbox)

    with pytest.raises(AssertionError, match=r"refused were \[OutboxMessage\('\+639171234567', "):
        _ = outbox.last


def test_equal_is_what_was_sent() -> None:
    """What came of a text makes no difference, any part of it does."""
    text = OutboxMessage(GLOBE, "Hi")

    assert OutboxMessage(GLOBE, "Hi", state="unknown", provider="b", message_id="1") == text
    assert OutboxMessage(GLOBE, "Ho") != text
    assert OutboxMessage(GLOBE, "Hi", key="1") != text


async def test_repr_is_for_people(outbox: SmsOutbox, tmp_path: Path) -> None:
    """It shows what was given, and how a send ended if that is worth a word."""
    outbox.lose(to=SMART)
    outbox.refuse(RejectedError, when=lambda text: text.key == "bad")
    with Journal.open(tmp_path / "texts.db") as journal:
        sms = client(outbox, journal=journal)
        await sms.send(GLOBE, "Hi", sender_id="ACME")
        for number, key in ((SMART, None), (GLOBE, "bad")):
            with pytest.raises(SmsError):
                await sms.send(number, "Hi", key=key)

    assert (
        f"<SmsOutbox messages=[OutboxMessage('{GLOBE}', 'Hi', sender_id='ACME'), "
        f"OutboxMessage('{SMART}', 'Hi', state='unknown')], "
        f"refused=[OutboxMessage('{GLOBE}', 'Hi', key='bad', state='not_sent')]>"
    ) == repr(outbox)
    assert "<SmsOutbox messages=[]>" == repr(SmsOutbox())


async def test_credit_is_spent_by_what_went_out(outbox: SmsOutbox) -> None:
    """A text that costs more than is left is refused; a refused one costs nothing."""
    outbox.credit = 3
    outbox.refuse(RejectedError)
    outbox.lose()
    assert ["RejectedError", "OutcomeUnknownError"] == await send(outbox, GLOBE, GLOBE)
    assert ["InsufficientCreditError"] == await send(outbox, text="x" * 400)
    assert ["accepted", "accepted", "InsufficientCreditError"] == await send(outbox, *[GLOBE] * 3)

    async with client(outbox) as sms:
        balance = await sms.balance()
    assert (Decimal(0), "credits") == (balance.amount, balance.unit)
    assert Decimal(0) == outbox.credit


async def test_clear_makes_everything_new(outbox: SmsOutbox) -> None:
    """Texts, rules, reports and credit are as at the start."""
    outbox.lose(times=None)
    outbox.report("failed")
    await send(outbox)
    outbox.credit = 1
    outbox.clear()

    assert ([], []) == (outbox.messages, outbox.refused)
    assert Decimal(1_000_000) == outbox.credit
    async with client(outbox) as sms:
        assert "delivered" == (await sms.wait(await sms.send(GLOBE, "Hi"))).state


async def test_bad_input_never_reaches_it(outbox: SmsOutbox) -> None:
    """The checks of the library are the real ones."""
    assert ["InvalidMessageError"] == await send(outbox, "nobody")
    assert ["InvalidMessageError"] == await send(outbox, text=" ")
    assert ([], []) == (outbox.messages, outbox.refused)


async def test_national_numbers_are_read_in_its_region() -> None:
    """The region is Philippine by default, can be another, and can be none."""
    ugandan = SmsOutbox(region="ug")
    await send(ugandan, "0772 123456")
    assert "+256772123456" == ugandan.last.to

    ugandan.region = None
    assert ["InvalidMessageError", "accepted"] == await send(ugandan, "0772 123456", GLOBE)
    with pytest.raises(ConfigurationError, match="'Uganda'"):
        SmsOutbox(region="Uganda")


async def test_bulk_comes_to_each_of_the_three_ways(outbox: SmsOutbox) -> None:
    """Equal texts travel together, and still each ends by its own rule."""
    outbox.refuse(RejectedError, to="+639170000003")
    outbox.lose(to="+639170000005")
    messages = [Message(f"+63917000000{digit}", "Hi") for digit in range(8)]
    async with client(outbox) as sms, sms.send_many(messages) as run:
        outcomes = {outcome.index: type(outcome) async for outcome in run}

    assert dict.fromkeys(range(8), Accepted) | {3: NotSent, 5: Unknown} == outcomes
    assert (7, 1) == (len(outbox.messages), len(outbox.refused))


async def test_bulk_halts_on_what_every_text_would_meet(outbox: SmsOutbox) -> None:
    """Out of credit stops a run, as with a gateway."""
    outbox.credit = 2
    messages = [Message(GLOBE, f"Text {number}") for number in range(50)]
    async with client(outbox) as sms, sms.send_many(messages, concurrency=1) as run:
        with pytest.raises(RunHaltedError) as caught:
            await run.drain()

    assert InsufficientCreditError is type(caught.value.cause)
    assert 2 == len(outbox.messages)


async def test_failover_moves_on_only_from_what_is_certain() -> None:
    """The second outbox gets what the first refused for a reason that heals, and nothing else."""
    first, second = SmsOutbox(name="first"), SmsOutbox(name="second")
    first.refuse(ConnectionFailedError)
    first.lose()
    first.refuse(RejectedError)
    async with SmsClient(Failover(first.provider, second.provider, region="PH")) as sms:
        receipt = await sms.send("0917 123 4567", "one")
        with pytest.raises(OutcomeUnknownError):
            await sms.send(GLOBE, "two")
        with pytest.raises(RejectedError):
            await sms.send(GLOBE, "three")
        second.report("failed")
        state = (await sms.wait(receipt)).state
        balances = await sms.balance()

    assert ("second", "failed") == (receipt.provider, state)
    assert (["two"], ["one"]) == (
        [text.text for text in first.messages],
        [text.text for text in second.messages],
    )
    assert {"first": Decimal(999_999), "second": Decimal(999_999)} == {
        name: balance.amount for name, balance in balances.items()
    }


async def test_round_robin_takes_turns() -> None:
    """Two outboxes share the texts."""
    first, second = SmsOutbox(name="first"), SmsOutbox(name="second")
    async with SmsClient(RoundRobin(first.provider, second.provider)) as sms:
        for number in range(4):
            await sms.send(GLOBE, f"Text {number}")

    assert (2, 2) == (len(first.messages), len(second.messages))


async def test_a_journal_makes_keyed_sends_one(outbox: SmsOutbox, tmp_path: Any) -> None:
    """An app that relies on a journal is tested with it."""
    with Journal.open(tmp_path / "orders.db", campaign="orders") as journal:
        async with client(outbox, journal=journal) as sms:
            first = await sms.send(GLOBE, "Thank you!", key="order-42")
            again = await sms.send(GLOBE, "Thank you!", key="order-42")
            outbox.lose()
            for _ in range(2):
                with pytest.raises(OutcomeUnknownError):
                    await sms.send(GLOBE, "Thank you!", key="order-43")

    assert first == again
    assert ["order-42", "order-43"] == [text.key for text in outbox.messages]


async def test_sends_from_several_threads_are_all_kept(outbox: SmsOutbox) -> None:
    """Test clients of web frameworks run the app in a thread of its own."""
    outbox.refuse(RejectedError, times=10)

    def work() -> list[str]:
        return asyncio.run(send(outbox, *[GLOBE] * 25))

    await asyncio.gather(*(asyncio.to_thread(work) for _ in range(4)))

    assert (90, 10) == (len(outbox.messages), len(outbox.refused))
    assert 90 == len({text.message_id for text in outbox.messages})
