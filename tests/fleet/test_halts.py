"""What is wrong with the account, or the gateway, stops all workers and leaves the rest to wait."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from support.fleet.sending import CAMPAIGN, counts_of, people, until_ended, working
from support.waiting import LONG

from iprog_async import (
    AuthenticationError,
    InsufficientCreditError,
    ProviderError,
    RejectedError,
    SmsClient,
)
from iprog_async.fleet import CampaignStatus, FleetCampaign, enqueue_many
from iprog_async.fleet._database import ask, connected, parse_address
from iprog_async.fleet._run_state import give_back_credits, lease_credits, next_lease
from iprog_async.testing import SmsOutbox


PEOPLE = 300
MOST = 20


async def worked_off_by_two(gateway: SmsOutbox, journal: str) -> CampaignStatus:
    """Let two workers work until a campaign has ended or is halted."""
    # On a busy machine a worker may be silent for seconds. Here all that are at work are alive.
    options = {"concurrency": 4, "stalled_after": LONG}
    async with (
        SmsClient(gateway.provider) as sms,
        SmsClient(gateway.provider) as other,
        working(sms, journal, **options),
        working(other, journal, **options),
    ):
        return await until_ended(journal)


async def load(gateway: SmsOutbox, journal: str, **options: Any) -> None:
    """Load a campaign of several chunks."""
    options = {"halt_after_unknown": MOST, "chunk_size": 30, **options}
    async with SmsClient(gateway.provider) as sms:
        await enqueue_many(sms, people(PEOPLE), journal=journal, campaign=CAMPAIGN, **options)


async def resume(journal: str) -> None:
    """Let the workers go on."""
    async with FleetCampaign(journal, CAMPAIGN) as campaign:
        assert 0 < await campaign.resume()


@pytest.mark.slow
@pytest.mark.parametrize(
    "trouble",
    [
        AuthenticationError("the token is wrong", provider="outbox"),
        InsufficientCreditError("no credit", provider="outbox"),
    ],
    ids=["credentials", "credit"],
)
async def test_trouble_with_the_account_halts_everybody(
    trouble: ProviderError, postgres_journal: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody is skipped for it: the campaign is halted with the reason, and sent once resumed."""
    caplog.set_level(logging.WARNING, "iprog_async")
    gateway = SmsOutbox()
    await load(gateway, postgres_journal)
    gateway.refuse(trouble, times=None)
    halted = await worked_off_by_two(gateway, postgres_journal)
    assert (str(trouble), 0, 0) == (halted.halted, halted.done, len(gateway.messages))
    assert f"the campaign 'june' is halted: {trouble}" in caplog.text

    gateway.clear()
    await resume(postgres_journal)
    ended = await worked_off_by_two(gateway, postgres_journal)
    assert (None, PEOPLE) == (ended.halted, ended.done)
    assert PEOPLE == len({message.to for message in gateway.messages}) == len(gateway.messages)


@pytest.mark.slow
async def test_trouble_with_the_account_skips_nobody_who_is_to_be_sent_again(
    postgres_journal: str,
) -> None:
    """Who may have got a text, and is to be sent it again, waits with all others until then."""
    gateway, many = SmsOutbox(), PEOPLE + 1
    await load(gateway, postgres_journal, halt_after_unknown=many)
    gateway.lose(times=None)
    assert PEOPLE == (await worked_off_by_two(gateway, postgres_journal)).runs[-1].unknown

    gateway.clear()
    await load(gateway, postgres_journal, halt_after_unknown=many, resend_unknown=True)
    gateway.refuse(InsufficientCreditError("no credit", provider="outbox"), times=None)
    halted = await worked_off_by_two(gateway, postgres_journal)
    assert ("no credit", 0, 0) == (halted.halted, halted.runs[-1].done, len(gateway.messages))

    gateway.clear()
    await resume(postgres_journal)
    ended = await worked_off_by_two(gateway, postgres_journal)
    assert (None, PEOPLE) == (ended.halted, ended.runs[-1].accepted)
    assert PEOPLE == (await counts_of(postgres_journal))["accepted"]
    assert PEOPLE == len({message.to for message in gateway.messages}) == len(gateway.messages)


@pytest.mark.slow
async def test_unknown_outcomes_halt_everybody(postgres_journal: str) -> None:
    """Two workers stop when their unknown outcomes in a row are too many; the rest waits."""
    gateway = SmsOutbox()
    await load(gateway, postgres_journal)
    gateway.lose(times=None)
    halted = await worked_off_by_two(gateway, postgres_journal)
    counts = await counts_of(postgres_journal)
    unknown = counts["unknown"]
    assert halted.halted is not None
    # Each worker hears of the other's within a second, so it may come to its own bound meanwhile.
    assert MOST <= unknown <= 2 * MOST
    assert {"unknown": unknown} == {name: count for name, count in counts.items() if count}

    gateway.clear()
    await resume(postgres_journal)
    ended = await worked_off_by_two(gateway, postgres_journal)
    assert (None, PEOPLE) == (ended.halted, ended.done)
    assert PEOPLE - unknown == len(gateway.messages)


@pytest.mark.slow
async def test_one_that_is_refused_for_now_halts_nobody(postgres_journal: str) -> None:
    """It is not sent, the others are, and loading all of it again adds that one alone."""
    gateway = SmsOutbox()
    await load(gateway, postgres_journal)
    gateway.refuse(RejectedError("later", provider="outbox", healable=True), to="09170000007")
    first = await worked_off_by_two(gateway, postgres_journal)
    assert (None, PEOPLE, 1) == (first.halted, first.done, first.runs[0].not_sent)

    await load(gateway, postgres_journal)
    again = await worked_off_by_two(gateway, postgres_journal)
    assert [PEOPLE, 1] == [run.size for run in again.runs]
    assert PEOPLE == len({message.to for message in gateway.messages}) == len(gateway.messages)


async def test_a_limit_that_was_lowered_grants_nothing(postgres_journal: str) -> None:
    """What was taken counts, also beyond the limit: only what comes back below it is granted."""
    address = parse_address(postgres_journal)
    async with SmsClient(SmsOutbox().provider) as sms:
        await enqueue_many(
            sms, people(10), journal=postgres_journal, campaign=CAMPAIGN, max_credits=400
        )
    async with connected(address) as connection:
        find = f'SELECT campaign, run FROM "{address.schema}".fleet_runs'  # noqa: S608 - ours
        run_of: tuple[int, int] = await ask(connection, find)
        taken = [await lease_credits(connection, address.schema, run_of) for _ in range(2)]
        assert [100, 75] == taken

        async with FleetCampaign(postgres_journal, CAMPAIGN) as opened:
            await opened.resume(max_credits=90)
        assert 0 == await lease_credits(connection, address.schema, run_of)
        await give_back_credits(connection, address.schema, run_of, 75)
        assert 0 == await lease_credits(connection, address.schema, run_of)
        await give_back_credits(connection, address.schema, run_of, 40)
        assert 20 == await lease_credits(connection, address.schema, run_of)


@pytest.mark.parametrize(
    ("before", "seconds", "expected"),
    [
        (20, 0.1, 40),
        (40, 0.99, 80),
        (800, 0.1, 1000),
        (1000, 0.0, 1000),
        (1000, 1.0, 500),
        (500, 60.0, 250),
        (30, 2.0, 20),
        (20, 1e9, 20),
    ],
)
def test_a_worker_takes_credits_for_about_a_second(
    before: int, seconds: float, expected: int
) -> None:
    """Twice as many where they were spent sooner, and half as many where they lasted longer."""
    assert expected == next_lease(before, seconds)
