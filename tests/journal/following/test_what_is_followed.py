"""Which texts are followed, by whom, and what is told of those that can't be."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from support.core.fakes import NUMBER, FakeProvider, to_many
from support.journal.following import (
    DELIVERED,
    SENT,
    accept,
    follow,
    ids_of,
    leave,
    saying,
    statuses_in,
)
from support.journal.journaling import Place, run_over
from support.journal.listing import AskedProvider

from iprog_async import (
    ConfigurationError,
    DeliveryState,
    DeliveryStatus,
    Failover,
    Journal,
    Message,
    Outcome,
    SmsClient,
)
from iprog_async.adapter import PreparedMessage, accepted


async def _accept_without_id(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    return [accepted(one, "fake", message_id=None) for one in batch]


async def test_a_gateway_that_tells_no_status(path: Place) -> None:
    """It is said how many can't be followed, and by whom they were sent."""
    await leave(path, 3)
    found = await follow(path, FakeProvider())
    assert ({"fake": 3}, 3) == (dict(found.no_status), found.pending)
    other = AskedProvider(name="other")
    assert {"fake": 3} == dict((await follow(path, other)).no_status)
    assert [] == other.asked


async def test_texts_without_an_id(path: Place) -> None:
    """Nothing can be asked about a text that got no id, and it is told how many there are."""
    await leave(path, 2, _accept_without_id)
    provider = saying(2, DELIVERED)
    found = await follow(path, provider)
    assert (2, 2, []) == (found.without_id, found.pending, provider.asked)


async def test_each_gateway_of_a_router_is_asked_about_its_own(path: Place) -> None:
    """Of several gateways, the one that took a text is asked."""
    await leave(path, 2)
    ours, other = saying(2, DELIVERED), AskedProvider(name="other")
    assert 2 == (await follow(path, Failover(other, ours, region="PH"))).delivered
    assert (ids_of(2), []) == (ours.asked, other.asked)


async def test_beside_a_run(path: Place) -> None:
    """A campaign is followed while it is being sent, and both find what the other wrote."""
    with Journal.open(path) as journal:
        client = SmsClient(FakeProvider(send=accept), journal=journal)
        async with client.send_many(to_many(4)) as run:
            async for _ in run:
                await follow(path, saying(4, DELIVERED))
    assert ["delivered"] * 4 == statuses_in(path)


async def test_single_sends_are_followed(path: Place) -> None:
    """Texts with keys are followed as those of a run, and their repeat has the new status."""
    with Journal.open(path) as journal:
        async with SmsClient(saying(1, DELIVERED), journal=journal) as sms:
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

    await leave(path, 2, send)
    provider = saying(2, SENT)
    assert (await follow(path, provider)).finished
    assert [] == provider.asked


async def test_what_can_be_wrong_with_the_arguments(path: Place) -> None:
    """Numbers start above zero, and there has to be a journal."""
    client = SmsClient(saying(1, DELIVERED))
    for wrong in ({"timeout": 0}, {"interval": 0}, {"concurrency": 0}):
        with pytest.raises(ConfigurationError):
            await client.follow(path, **wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - wrong ones
    with pytest.raises(ConfigurationError, match="needs a journal"):
        await client.follow()


async def test_a_campaign_is_followed_by_its_path(path: Place) -> None:
    """A path or address is enough, whatever the campaign is called."""
    with Journal.open(path, campaign="june") as journal:
        await run_over(
            SmsClient(FakeProvider(send=accept)), [Message(NUMBER, "Hi")], journal=journal
        )
    provider = AskedProvider(statuses={f"u{NUMBER[1:]}": [DELIVERED]})
    assert 1 == (await follow(path, provider)).delivered
