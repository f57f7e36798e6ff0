"""The credits that the workers of a fleet share."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest
from support.fleet.sending import CAMPAIGN, client_of, gateway, people, rows, until_ended, working

from iprog_async import Allow, Outgoing
from iprog_async.fleet import FleetCampaign, Worker, enqueue_many
from iprog_async.fleet import _run_state as run_state
from iprog_async.fleet import _session as session_module


@pytest.mark.slow
async def test_max_credits_holds_over_all_workers(postgres_journal: str) -> None:
    """Two workers never spend more than the limit, say why they stop, and can be let go on."""
    with gateway() as counting:
        async with client_of(counting.base_url) as sms, client_of(counting.base_url) as other:
            await enqueue_many(
                sms, people(400), journal=postgres_journal, campaign=CAMPAIGN, max_credits=150
            )
            async with working(sms, postgres_journal), working(other, postgres_journal):
                status = await until_ended(postgres_journal)
                sent = counting.texts.total()
                assert "max_credits of 150" in (status.halted or "")
                assert 0 < sent <= 150
                async with FleetCampaign(postgres_journal, CAMPAIGN) as campaign:
                    assert 0 < await campaign.resume(max_credits=10_000)
                status = await until_ended(postgres_journal)
    assert (400, {1}) == (len(counting.texts), set(counting.texts.values()))
    assert status.halted is None


@pytest.mark.slow
async def test_credits_come_back_from_a_connection_that_is_lost(
    postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker lives, and knows what it has not spent: it takes no more than it needs."""
    asked, lost = 0, asyncio.Event()

    async def until_lost(_: Outgoing) -> Allow:
        nonlocal asked
        asked += 1
        if asked > 50:
            await lost.wait()
        return Allow()

    async def read_states(*args: Any) -> Any:
        # All that may be sent before is sent, and what is next has its credits.
        is_held_up = counting.texts.total() == 50 and asked >= 52
        if is_held_up and not lost.is_set():
            lost.set()
            raise psycopg.OperationalError("the connection is lost")
        return await real(*args)

    real = run_state.read_states
    monkeypatch.setattr(session_module, "read_states", read_states)
    limits: dict[str, Any] = {"max_credits": 4000, "chunk_size": 10}
    with gateway() as counting:
        async with client_of(counting.base_url, policies=[until_lost]) as sms:
            await enqueue_many(
                sms, people(200), journal=postgres_journal, campaign=CAMPAIGN, **limits
            )
            async with working(sms, postgres_journal, concurrency=2):
                status = await until_ended(postgres_journal)
    (run,) = status.runs
    taken = rows(postgres_journal, "SELECT credits_taken FROM {schema}.fleet_runs")
    assert (True, 200, 200) == (lost.is_set(), run.accepted, counting.texts.total())
    assert [(200,)] == taken


@pytest.mark.slow
async def test_a_worker_that_is_killed_takes_few_credits_with_it(postgres_journal: str) -> None:
    """It has taken no more than it was about to spend, whatever the limit is."""
    limits: dict[str, Any] = {"max_credits": 100_000, "chunk_size": 10}
    asked, is_stuck = 0, asyncio.Event()

    async def at_most_ten(_: Outgoing) -> Allow:
        nonlocal asked
        asked += 1
        if asked > 10:
            is_stuck.set()
            await asyncio.Event().wait()
        return Allow()

    with gateway() as counting:
        async with client_of(counting.base_url, policies=[at_most_ten]) as sms:
            await enqueue_many(
                sms, people(200), journal=postgres_journal, campaign=CAMPAIGN, **limits
            )
            worker = asyncio.create_task(Worker(sms, postgres_journal, concurrency=2).run())
            await is_stuck.wait()
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
    ((taken,),) = rows(postgres_journal, "SELECT credits_taken FROM {schema}.fleet_runs")
    assert 10 <= taken < 250
