"""Texts in Infopromo's part of the sandbox, through the adapters of both flavours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from support.infopromo.sandbox import BASE_URL, GATEWAYS, address, http_client, sandbox
from support.infopromo.wire import collect, submit

from iprog_async import (
    Accepted,
    AuthenticationError,
    InsufficientCreditError,
    Message,
    ProviderError,
    RejectedError,
    SmsClient,
)
from iprog_async.sandbox import BLOCKED_WORD, FAILS_DELIVERY, REFUSED_RECIPIENT, SandboxState
from iprog_async_providers.infopromo import (
    InfopromoHttpProvider,
    InfopromoOptions,
    InfopromoProvider,
    UltimateSmsHttpProvider,
    UltimateSmsProvider,
)
from iprog_async_providers.infopromo._sandbox import (
    QUEUEING_SENDER,
    UNAUTHORISED_SENDER,
)


FLAVOURS = list(GATEWAYS)


GOOD = "+639171234567"


OTHER = "+639181234567"


FAILING = f"+63917123{FAILS_DELIVERY}"


REFUSED = f"+63917123{REFUSED_RECIPIENT}"


TEXT = "Your parcel has shipped."


@pytest.fixture
def state() -> SandboxState:
    """Return a sandbox whose texts arrive at once."""
    return SandboxState(delivered_after=0)


def test_both_flavours_share_one_part() -> None:
    """One mount serves both flavours, with an address for each."""
    assert "infopromo" == GATEWAYS["v3"].prefix == GATEWAYS["http"].prefix
    assert GATEWAYS["v3"].routes is GATEWAYS["http"].routes
    assert address("v3").startswith("infopromo://1%7C")
    assert address("http").startswith("infopromo-http://1%7C")


def test_other_hosts_are_not_played() -> None:
    """The classes for any host have no part in the sandbox, their presets have."""
    assert UltimateSmsProvider.sandbox() is None
    assert UltimateSmsHttpProvider.sandbox() is None
    assert InfopromoProvider.sandbox() is GATEWAYS["v3"]
    assert InfopromoHttpProvider.sandbox() is GATEWAYS["http"]


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(("to", "expected"), [(GOOD, "delivered"), (FAILING, "failed")])
async def test_send_and_wait(state: SandboxState, flavour: str, to: str, expected: str) -> None:
    """A text is accepted, kept in the inbox, and comes to a final status."""
    async with sandbox(state, flavour) as sms:
        receipt = await sms.send(to, TEXT)
        status = await sms.wait(receipt)

    (text,) = state.texts("infopromo")
    assert (to[1:], TEXT, "Sandbox") == (text.to, text.text, text.sender_id)
    assert (receipt.message_id, Decimal(1)) == (text.message_id, receipt.cost)
    assert expected == status.state


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_status_moves(flavour: str) -> None:
    """A text that has not arrived yet is on its way."""
    state = SandboxState(delivered_after=3600)
    async with sandbox(state, flavour) as sms:
        receipt = await sms.send(GOOD, TEXT)
        assert receipt.status.state == "sent"
        assert (await sms.status(receipt)).state == "sent"


SENDS: list[tuple[str, dict[str, str]]] = [
    ("v3", {}),
    ("http", {}),
    ("http", {"token_in": "query"}),
    ("http", {"send_with": "GET"}),
]


@pytest.mark.parametrize(("flavour", "settings"), SENDS)
async def test_every_form_of_sending(
    state: SandboxState, flavour: str, settings: dict[str, str]
) -> None:
    """Every place of the token and both methods are understood."""
    async with sandbox(state, flavour, **settings) as sms:
        await sms.send(GOOD, TEXT)
        assert (await sms.balance()).text == "999"

    assert [text.text for text in state.texts()] == [TEXT]


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_mixed_batch(state: SandboxState, flavour: str) -> None:
    """A refused number among others is missing from the list and named in the message."""
    async with sandbox(state, flavour) as sms:
        batch = [Message(number, TEXT) for number in (GOOD, REFUSED, FAILING)]
        outcomes = await submit(sms, batch)

    assert [outcome.state for outcome in outcomes] == ["accepted", "not_sent", "accepted"]
    assert [GOOD[1:], FAILING[1:]] == [text.to for text in state.texts()]
    accepted = outcomes[0]
    assert isinstance(accepted, Accepted)
    assert accepted.receipt.status.state == "sent"


REFUSALS: dict[str, tuple[dict[str, str], type[ProviderError], str]] = {
    "number": ({"to": REFUSED}, RejectedError, "invalid phone number"),
    "spam": ({"text": f"Our {BLOCKED_WORD}!"}, RejectedError, "spam words"),
    "sender": ({"sender_id": UNAUTHORISED_SENDER}, RejectedError, "not authorized"),
    "length": ({"text": "x" * 200}, InsufficientCreditError, "not enough balance"),
}


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(("change", "error", "words"), REFUSALS.values(), ids=REFUSALS)
async def test_refusals(
    state: SandboxState,
    flavour: str,
    change: dict[str, str],
    error: type[ProviderError],
    words: str,
) -> None:
    """What the gateway refuses before it sends anything is refused with its own words."""
    state.set_credit("infopromo", 1)
    async with sandbox(state, flavour) as sms:
        with pytest.raises(error, match=words):
            await sms.send(
                change.get("to", GOOD), change.get("text", TEXT), sender_id=change.get("sender_id")
            )

    assert state.texts() == []


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_credit_runs_down(state: SandboxState, flavour: str) -> None:
    """When the credit is used up the account is told so."""
    state.set_credit("infopromo", 1)
    async with sandbox(state, flavour) as sms:
        await sms.send(GOOD, TEXT)
        with pytest.raises(InsufficientCreditError, match="exceeded your sending limit"):
            await sms.send(OTHER, TEXT)
        assert Decimal(0) == (await sms.balance()).amount


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_wrong_token(state: SandboxState, flavour: str) -> None:
    """A wrong token is answered with HTTP 200 and recognised all the same."""
    cls = {"v3": InfopromoProvider, "http": InfopromoHttpProvider}[flavour]
    async with http_client(state) as http:
        provider = cls("2|wrong", sender_id="X", base_url=BASE_URL)
        async with SmsClient(provider, http=http) as sms:
            with pytest.raises(AuthenticationError) as caught:
                await sms.send(GOOD, TEXT)

    assert caught.value.http_status == 200


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_scheduled_batch(state: SandboxState, flavour: str) -> None:
    """A schedule for several is kept, without ids, until the time on the account's clock."""
    when = (datetime.now(UTC) + timedelta(days=1)).replace(second=0, microsecond=0)
    async with sandbox(state, flavour) as sms:
        outcomes = await submit(sms, [Message(to, TEXT, schedule_at=when) for to in (GOOD, OTHER)])

    assert [
        outcome.receipt.message_id for outcome in outcomes if isinstance(outcome, Accepted)
    ] == [None, None]
    assert [(when, "pending")] * 2 == [(t.due_at, t.state(state.now())) for t in state.texts()]


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_single_schedule_is_ignored(state: SandboxState, flavour: str) -> None:
    """The trap: a schedule for one goes out at once, and the receipt shows it."""
    when = datetime.now(UTC) + timedelta(days=1)
    async with sandbox(state, flavour, allow_unscheduled_single="yes") as sms:
        receipt = await sms.send(GOOD, TEXT, schedule_at=when)

    assert not receipt.scheduled
    assert state.texts()[0].state(state.now()) == "delivered"


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(
    ("delay", "numbers", "expected"),
    [(3600, [GOOD], "pending"), (0, [GOOD, FAILING], "delivered"), (0, [FAILING], "failed")],
)
async def test_queued(flavour: str, delay: float, numbers: list[str], expected: str) -> None:
    """The queued form has an id of its own, whose status can be asked for."""
    state = SandboxState(delivered_after=delay)
    async with sandbox(state, flavour) as sms:
        outcomes = await submit(sms, [Message(to, TEXT, QUEUEING_SENDER) for to in numbers])
        first = outcomes[0]
        assert isinstance(first, Accepted)
        status = await sms.status(first.receipt)

    assert (first.receipt.message_id or "").startswith("queue:")
    assert expected == status.state


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_messages(state: SandboxState, flavour: str) -> None:
    """Messages can be viewed one by one and listed over pages, newest first."""
    async with sandbox(state, flavour) as sms:
        async with sms.send_many(Message(GOOD, f"Text {n}") for n in range(30)) as run:
            assert len([outcome async for outcome in run]) == 30
        listed = await collect(sms.provider.messages.list())
        viewed = await sms.provider.messages.get(listed[0].uid)

    texts = state.texts()
    assert [text.message_id for text in reversed(texts)] == [message.uid for message in listed]
    assert listed[0] == viewed
    assert (GOOD[1:], "Sandbox", "plain", "outgoing", 1) == (
        viewed.to,
        viewed.sender_id,
        viewed.sms_type,
        viewed.direction,
        viewed.sms_count,
    )
    assert viewed.delivery_status.state == "delivered"


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_filters(state: SandboxState, flavour: str) -> None:
    """The list can be filtered by time, type and direction."""
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    async with sandbox(state, flavour) as sms:
        await sms.send(GOOD, "ünï", options=InfopromoOptions(type="unicode"))
        await sms.send(GOOD, TEXT)

        async def count(**filters: Any) -> int:
            return len(await collect(sms.provider.messages.list(**filters)))

        assert await count(start=now - hour, end=now + hour, timezone="Asia/Manila") == 2
        assert await count(start=now + hour) == 0
        assert await count(end=now - hour) == 0
        assert await count(sms_type="unicode") == 1
        assert await count(direction="outgoing") == 2
        assert await count(direction="incoming") == 0


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_scheduled_texts_are_listed_when_they_have_left(
    state: SandboxState, flavour: str
) -> None:
    """A text that is to go out later is in no list and no count of texts on their way."""
    later = datetime.now(UTC) + timedelta(hours=3)
    async with sandbox(state, flavour) as sms:
        messages = [Message(number, TEXT, schedule_at=later) for number in (GOOD, OTHER)]
        async with sms.send_many(messages) as run:
            assert 2 == (await run.drain()).accepted
        before = await collect(sms.provider.messages.list())
        for text in state.texts():
            text.due_at = text.accepted_at
        after = await collect(sms.provider.messages.list())

    assert ([], 2) == (before, len(after))
