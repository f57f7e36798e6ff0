"""Contacts, campaigns and the account in Infopromo's part of the sandbox."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.infopromo.sandbox import GATEWAYS, sandbox
from support.infopromo.wire import collect

from iprog_async import (
    NotFoundError,
    OutcomeUnknownError,
    RejectedError,
)
from iprog_async.sandbox import FAILS_DELIVERY, SandboxState
from iprog_async_providers.infopromo import (
    ContactGroup,
)
from iprog_async_providers.infopromo._sandbox import (
    TOKEN,
    ZONE,
)


FLAVOURS = list(GATEWAYS)


GOOD = "+639171234567"


OTHER = "+639181234567"


FAILING = f"+63917123{FAILS_DELIVERY}"


TEXT = "Your parcel has shipped."


@pytest.fixture
def state() -> SandboxState:
    """Return a sandbox whose texts arrive at once."""
    return SandboxState(delivered_after=0)


MISSING: dict[str, Callable[[Any], Awaitable[object]]] = {
    "message": lambda provider: provider.messages.get("none"),
    "queued": lambda provider: provider.status("queue:none"),
    "campaign": lambda provider: provider.campaigns.get("none"),
    "group": lambda provider: provider.contacts.groups.show("none"),
    "group's contacts": lambda provider: collect(provider.contacts.all("none")),
    "contact": lambda provider: provider.contacts.store("none", GOOD),
}


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("call", MISSING.values(), ids=MISSING)
async def test_missing_things(
    state: SandboxState, flavour: str, call: Callable[[Any], Awaitable[object]]
) -> None:
    """A uid that the account does not have is not found, though HTTP says 200."""
    async with sandbox(state, flavour) as sms:
        with pytest.raises(NotFoundError):
            await call(sms.provider)


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_groups(state: SandboxState, flavour: str) -> None:
    """Groups can be created, read, listed, renamed and deleted."""
    async with sandbox(state, flavour) as sms:
        groups = sms.provider.contacts.groups
        made = [await groups.create(f"Group {n}") for n in range(26)]
        await groups.update(made[0], "Friends")
        assert ContactGroup(made[0].uid, "Friends") == await groups.show(made[0])
        await groups.delete(made[1])

        listed = [group.uid for group in await collect(groups.list())]
        assert [made[0].uid, *(group.uid for group in made[2:])] == listed


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_contacts(state: SandboxState, flavour: str) -> None:
    """Contacts can be stored once, found, listed, changed and deleted."""
    async with sandbox(state, flavour) as sms:
        contacts = sms.provider.contacts
        group = await contacts.groups.create("Friends")
        made = await contacts.store(group, GOOD, {"first_name": "Ann"})
        with pytest.raises(RejectedError, match="already subscribed to Friends"):
            await contacts.store(group, GOOD)
        await contacts.update(group, made, OTHER, {"FIRST_NAME": "Bob"})
        found = await contacts.search(group, made)
        assert (OTHER[1:], [{"tag": "FIRST_NAME", "value": "Bob"}], {"FIRST_NAME": "Bob"}) == (
            found.phone,
            found.custom_fields,
            found.fields,
        )
        assert [found] == await collect(contacts.all(group))
        await contacts.delete(group, found)
        with pytest.raises(NotFoundError):
            await contacts.search(group, found)
        assert await collect(contacts.all(group)) == []


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_campaign(state: SandboxState, flavour: str) -> None:
    """A campaign reaches each contact of its groups once, and counts how far it is."""
    async with sandbox(state, flavour) as sms:
        groups = [await sms.provider.contacts.groups.create(name) for name in ("A", "B")]
        for group in groups:
            await sms.provider.contacts.store(group, GOOD)
        await sms.provider.contacts.store(groups[0], FAILING)
        campaign = await sms.provider.campaigns.send(groups, TEXT)
        viewed = await sms.provider.campaigns.get(campaign)

    assert [GOOD[1:], FAILING[1:]] == [text.to for text in state.texts()]
    assert (campaign.uid, campaign.name, "plain", "done") == (
        viewed.uid,
        viewed.name,
        viewed.sms_type,
        viewed.status,
    )
    stats = viewed.stats
    assert (stats.delivered_count, stats.undelivered_count, stats.enroute_count) == (1, 1, 0)


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_scheduled_campaign(flavour: str) -> None:
    """A campaign waits for its time, on the account's clock."""
    state = SandboxState(delivered_after=3600)
    when = (datetime.now(UTC) + timedelta(days=1)).replace(second=0, microsecond=0)
    async with sandbox(state, flavour) as sms:
        group = await sms.provider.contacts.groups.create("A")
        await sms.provider.contacts.store(group, GOOD)
        later = await sms.provider.campaigns.send(group, TEXT, schedule_at=when)
        now = await sms.provider.campaigns.send(group, TEXT)
        viewed = await sms.provider.campaigns.get(later)
        on_its_way = await sms.provider.campaigns.get(now)

    counts = [one.stats and one.stats.enroute_count for one in (viewed, on_its_way)]
    assert [0, 1] == counts
    assert (later.status, now.status) == ("scheduled", "sending")
    assert when.astimezone(ZONE).isoformat() == viewed.start_at
    assert when == state.texts()[0].due_at


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_campaign_of_nobody(state: SandboxState, flavour: str) -> None:
    """How a server refuses a campaign for nobody was never seen, so that it is unknown."""
    async with sandbox(state, flavour) as sms:
        with pytest.raises(OutcomeUnknownError):
            await sms.provider.campaigns.send("none", TEXT)
    assert not state.texts()


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_me(state: SandboxState, flavour: str) -> None:
    """The account's record holds the token, which the adapter masks."""
    async with sandbox(state, flavour) as sms:
        found = await sms.provider.me()

    assert ("***", ZONE.key) == (found["api_token"], found["timezone"])
    assert TOKEN not in str(found)
