"""What the gateway says it took counts, and is told where it is not what was planned."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.core.fakes import TOKEN, FakeProvider, Sending, Wire, different_texts, lose, to_many

from iprog_async import (
    Accepted,
    BulkRun,
    CreditLimitError,
    Outcome,
    RunHaltedError,
    SmsClient,
)
from iprog_async.adapter import Batching, PreparedMessage, accepted
from iprog_async_providers import IprogProvider
from iprog_async_providers.infopromo import InfopromoProvider


def taking(*prices: Any, cost: Any = None) -> Sending:
    """Return what accepts texts, and says what it took for each; the last price is repeated."""
    left = list(prices)

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        price = left.pop(0) if len(left) > 1 else left[0]
        return [
            accepted(prepared, "fake", message_id="1", cost=cost, credits=price)
            for prepared in batch
        ]

    return send


async def run_over(
    provider: Any, messages: Any, client: SmsClient[Any] | None = None, **settings: Any
) -> BulkRun:
    """Send, and return the run when it is over."""
    async with (
        client or SmsClient(provider) as sms,
        sms.send_many(messages, **settings) as run,
    ):
        with suppress(RunHaltedError):
            await run.drain()
    return run


@pytest.mark.parametrize("concurrency", [1, 3, 100])
@pytest.mark.parametrize("max_batch", [1, 100])
@pytest.mark.parametrize(("price", "people"), [("2", 5), ("2.0", 5), ("3", 3), ("1.5", 6)])
async def test_a_run_spends_no_more_than_its_credits_at_the_gateways_price(
    concurrency: int, max_batch: int, price: str, people: int
) -> None:
    """Ten credits pay for five texts at two each, however many go at once."""
    provider = FakeProvider(limits=Batching(max_batch=max_batch), send=taking(Decimal(price)))

    run = await run_over(provider, to_many(40), concurrency=concurrency, max_credits=10)

    assert (people, people * Decimal(price)) == (run.counts.accepted, run.credits)
    assert isinstance(run.halted, CreditLimitError)
    assert people * Decimal(price) == run.halted.spent


async def test_the_highest_price_is_reserved() -> None:
    """Once a text has cost three, as much is kept for each that follows."""
    provider = FakeProvider(send=taking(Decimal(1), Decimal(3), Decimal(1)))

    run = await run_over(provider, to_many(40), concurrency=1, max_credits=10)

    assert (6, Decimal(8)) == (run.counts.accepted, run.credits)


@pytest.mark.parametrize("price", [None, Decimal("0.35"), Decimal(-4), Decimal("NaN"), "two"])
async def test_no_text_counts_less_than_its_segments(price: Any) -> None:
    """A gateway that says nothing, or what can't be, takes a credit for each segment."""
    provider = FakeProvider(send=taking(price, cost=Decimal(35)))

    run = await run_over(provider, to_many(40), max_credits=10)

    assert (10, Decimal(10)) == (run.counts.accepted, run.credits)


async def test_lost_texts_count_at_the_price_that_is_known() -> None:
    """What a lost text took is not known, but what texts cost is."""
    answers = iter([taking(Decimal(2)), lose])

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        return await next(answers, lose)(batch)

    run = await run_over(FakeProvider(send=send), to_many(40), concurrency=1, max_credits=10)

    assert (1, 4) == (run.counts.accepted, run.counts.unknown)


async def test_a_resumed_run_counts_by_the_gateways_price(tmp_path: Path) -> None:
    """What an earlier run sent is not paid again, and the rest at the gateway's price."""
    runs = [
        await run_over(
            FakeProvider(send=taking(Decimal(2))),
            to_many(12),
            max_credits=10,
            journal=tmp_path / "j.db",
        )
        for _ in range(3)
    ]

    assert [(0, Decimal(10)), (5, Decimal(10)), (10, Decimal(4))] == [
        (run.counts.resumed, run.credits) for run in runs
    ]


async def test_another_price_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """The run has the first text that cost other than planned, and the log one record of it."""
    provider = FakeProvider(send=taking(Decimal(1), Decimal(2)))

    run = await run_over(provider, to_many(40), concurrency=1)

    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert 1 == len(told)
    assert told[0].startswith("fake took 2 credits for a text of 1 segment; ")
    assert run.price_difference is not None
    assert (1, Decimal(2)) == (run.price_difference.segments, run.price_difference.credits)
    assert 1 + 39 * 2 == run.credits


async def test_the_planned_price_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    """A credit for each segment is what everybody expects, in whatever spelling."""
    run = await run_over(FakeProvider(send=taking(Decimal("1.0"))), to_many(4))

    assert (None, []) == (run.price_difference, caplog.records)


def _iprog(request: httpx.Request) -> httpx.Response:
    numbers = str(json.loads(request.content)["phone_number"]).split(",")
    if len(numbers) == 1:
        body = {"status": 200, "message_id": "iSms-1", "sms_rate": "2.0"}
        return httpx.Response(200, json=body)
    ids = ",".join(f"iSms-{place}" for place in range(len(numbers)))
    rates = ",".join(["2.0"] * len(numbers))
    body = {"status": 200, "message_ids": ids, "sms_rates": rates}
    return httpx.Response(200, json=body)


@pytest.mark.parametrize("alike", [True, False])
async def test_iprogs_rate_counts(alike: bool) -> None:
    """Its `sms_rate` is in credits: with a header and a footer, ten pay for five texts."""
    wire = Wire(_iprog)
    client = SmsClient(IprogProvider(TOKEN), pool=wire.pool)
    messages = to_many(20) if alike else different_texts(20)

    run = await run_over(None, messages, client, max_credits=10)

    assert (5, Decimal(10)) == (run.counts.accepted, run.credits)


@pytest.mark.parametrize(("count", "expected"), [(2, Decimal(2)), ("3", Decimal(3)), (None, None)])
async def test_ultimate_sms_counts_segments_beside_its_cost(
    count: object, expected: Decimal | None
) -> None:
    """Its cost may be money; `sms_count` is segments."""
    data = {"uid": "u1", "status": "Delivered", "cost": "35.5", "sms_count": count}
    body = {"status": "success", "message": "sent", "data": data}
    wire = Wire(httpx.Response(200, json=body))
    provider = InfopromoProvider("t", base_url="https://host.test", sender_id="S", region="PH")
    async with (
        SmsClient(provider, pool=wire.pool) as client,
        client.send_many(to_many(1)) as run,
    ):
        (outcome,) = [outcome async for outcome in run]

    assert isinstance(outcome, Accepted)
    assert (Decimal("35.5"), expected) == (outcome.receipt.cost, outcome.receipt.credits)
