"""Whoever was given a list obeys it: before any network, and from the moment of the STOP on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from support.core.clock import VirtualClock
from support.core.fakes import FakeProvider, Wire, different_texts, to_many
from support.engines.pace_gateway import OK, VirtualGateway
from support.journal.journaling import ACCEPTED, PostingProvider, run_over, sent_to, states_in
from support.policies.rules import Noting

from iprog_async import (
    ConfigurationError,
    Failover,
    HttpPool,
    Journal,
    Message,
    NotSent,
    RoundRobin,
    RunHaltedError,
    SmsClient,
    SuppressedError,
    Suppressions,
    SuppressionsError,
    sync,
)
from iprog_async._policies.asking import read_policies
from iprog_async._suppressions.policy import SuppressionPolicy
from iprog_async.adapter import Batching
from iprog_async_providers.iprog import IprogProvider


NUMBER = "+639170000001"


async def test_send_is_refused(suppressions: Suppressions) -> None:
    """A text to a number on the list raises before the gateway is asked, and policies are."""
    provider, rule = FakeProvider(), Noting()
    await suppressions.add(NUMBER)
    async with SmsClient(provider, suppressions=suppressions, policies=[rule]) as client:
        with pytest.raises(SuppressedError, match=r"\+639170000001"):
            await client.send("0917 000 0001", "Hi")
        assert ([], []) == (provider.sent, rule.asked)
        await client.send("0917 000 0002", "Hi")
        await suppressions.remove(NUMBER)
        await client.send(NUMBER, "Welcome back")
    assert 2 == len(provider.sent)
    assert suppressions is client.suppressions


async def test_send_with_a_key_is_refused(suppressions: Suppressions, tmp_path: Path) -> None:
    """The journal has nothing of a refused text, so that it can be sent when the number is off."""
    provider = FakeProvider()
    await suppressions.add(NUMBER)
    with Journal.open(tmp_path / "j.db", campaign="june") as journal:
        async with SmsClient(provider, journal=journal, suppressions=suppressions) as client:
            with pytest.raises(SuppressedError):
                await client.send(NUMBER, "Hi", key="order-1")
            await suppressions.remove(NUMBER)
            await client.send(NUMBER, "Hi", key="order-1")
    assert ["accepted"] == states_in(tmp_path / "j.db")


@pytest.mark.parametrize("router", [Failover, RoundRobin])
async def test_routers_obey(suppressions: Suppressions, router: Any) -> None:
    """No gateway of several is tried for a number that must not be texted."""
    members = [FakeProvider(name=name) for name in ("a", "b")]
    await suppressions.add(NUMBER)
    async with SmsClient(router(*members, region="PH"), suppressions=suppressions) as client:
        with pytest.raises(SuppressedError):
            await client.send(NUMBER, "Hi")
    assert [[], []] == [member.sent for member in members]


async def test_run_leaves_them_out(suppressions: Suppressions, tmp_path: Path) -> None:
    """The others of a batch go on, and the journal has no row of those that were left out."""
    wire = Wire(ACCEPTED)
    provider = PostingProvider(limits=Batching(max_batch=100))
    await suppressions.import_lines([NUMBER, "+639170000004"])
    async with SmsClient(provider, pool=wire.pool, suppressions=suppressions) as client:
        outcomes = await run_over(client, to_many(6), journal=tmp_path / "j.db")
    left_out = {each.index: type(each.error) for each in outcomes if isinstance(each, NotSent)}
    assert {1: SuppressedError, 4: SuppressedError} == left_out
    assert ["accepted"] * 4 == states_in(tmp_path / "j.db")
    assert 4 == len(sent_to(wire))


async def test_run_obeys_from_the_stop_on(suppressions: Suppressions) -> None:
    """A number that says STOP after a run began and had read it is skipped from then on."""
    async with (
        SmsClient(FakeProvider(), suppressions=suppressions) as client,
        client.send_many(different_texts(5), concurrency=1, window=5) as run,
    ):
        await anext(run)
        await suppressions.add("+639170000004")
        states = [outcome.state async for outcome in run]
    assert ["accepted"] * 3 + ["not_sent"] == states


@pytest.mark.parametrize("name", ["stop.txt", "stop.db"])
async def test_text_that_waits_for_the_rate_obeys(tmp_path: Path, name: str) -> None:
    """A STOP holds for a text that has had its turn, and leaves a second later."""
    clock = VirtualClock()
    gateway = VirtualGateway(clock, lambda _: OK)
    pool = HttpPool(clock=clock)
    pool.engine = gateway
    provider = IprogProvider("t", base_url="http://sms.example.test", rate="1/s")
    with Suppressions.open(tmp_path / name) as suppressions:
        async with (
            SmsClient(provider, pool=pool, suppressions=suppressions) as client,
            client.send_many(different_texts(3), concurrency=3) as run,
        ):
            reading = asyncio.create_task(run.drain())
            await clock.pass_time(0.5)
            await suppressions.add(NUMBER)
            await clock.pass_time(100)
            counts = await reading
    assert (2, 1, 2) == (counts.accepted, counts.not_sent, len(gateway.arrivals))


def test_word_of_a_database_is_short(suppressions: Suppressions) -> None:
    """A look holds not at all where it takes microseconds, and a second where it is a query."""
    policy = SuppressionPolicy(suppressions)
    assert (0.0 if suppressions.is_quick else 1.0) == policy.holds_for
    (named,) = read_policies([policy])
    assert ("suppressions", policy.holds_for) == (named.name, named.holds_for)


async def test_list_that_is_gone_stops_everybody(tmp_path: Path) -> None:
    """A list that can't be asked lets nobody be texted, and halts a run."""
    provider = FakeProvider()
    path = tmp_path / "stop.db"
    with Suppressions.open(path) as suppressions:
        path.unlink()
        async with SmsClient(provider, suppressions=suppressions) as client:
            with pytest.raises(SuppressionsError, match="Nothing was sent"):
                await client.send(NUMBER, "Hi")
            async with client.send_many(different_texts(5)) as run:
                with pytest.raises(RunHaltedError) as caught:
                    await run.drain()
    assert (SuppressionsError, []) == (type(caught.value.cause), provider.sent)


def test_synchronous_client_obeys(suppressions: Suppressions) -> None:
    """In synchronous code the same list is obeyed the same way."""
    provider = FakeProvider()
    asyncio.run(_add(suppressions))
    with sync.SmsClient(provider, suppressions=suppressions) as client:
        with pytest.raises(SuppressedError):
            client.send(NUMBER, "Hi")
        with client.send_many([Message(NUMBER, "Hi"), Message("+639170000002", "Hi")]) as run:
            assert ["accepted", "not_sent"] == sorted(outcome.state for outcome in run)
    assert 1 == len(provider.sent)


async def _add(suppressions: Suppressions) -> None:
    await suppressions.add(NUMBER)


@pytest.mark.parametrize("given", ["stop.txt", ["+639170000001"], Suppressions])
def test_list_has_to_be_open(given: Any) -> None:
    """What is no list is an error when the client is made, and never ignored."""
    for client in (SmsClient, sync.SmsClient):
        with pytest.raises(ConfigurationError, match="suppressions="):
            client(FakeProvider(), suppressions=given)
