"""Numbers that stand alone are read as the provider reads those of messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import pytest
from support.core.fakes import NUMBER, FakeProvider, accept

from iprog_async import (
    Failover,
    InvalidMessageError,
    Message,
    NotSent,
    Outcome,
    SmsClient,
    SuppressedError,
)
from iprog_async._providers.numbers import read_listed_number, read_number
from iprog_async._suppressions.places import number_reader
from iprog_async.adapter import Batching, PreparedMessage
from iprog_async.codes import Codes
from iprog_async_providers import (
    AfricasTalkingProvider,
    EgoSmsProvider,
    InfopromoHttpProvider,
    InfopromoProvider,
    IprogProvider,
    SmsGateProvider,
    UgsmsV1Provider,
    UgsmsV2Provider,
)


class Plain:
    """An adapter of somebody's own that has what the protocol asks for and no more."""

    name = "plain"
    batching = Batching()

    def bind(self, call: object, /) -> Self:
        """Need no calls."""
        return self

    async def submit(self, batch: Sequence[PreparedMessage], /) -> Sequence[Outcome]:
        """Take every text."""
        return await accept(batch)

    def prepare(self, message: Message, /, index: int = 0) -> PreparedMessage:
        """Prepare a message as an adapter with the base class does."""
        return FakeProvider().prepare(message, index)


@pytest.mark.parametrize(
    "provider",
    [Plain(), FakeProvider(), IprogProvider("token"), InfopromoProvider("1|token", region="PH")],
    ids=["plain", "fake", "iprog", "infopromo"],
)
def test_national_number_is_of_the_providers_region(provider: Any) -> None:
    """Whether or not its adapter has our base class, or its account a sender ID."""
    assert NUMBER == read_number(provider, "0917 123 4567")
    with pytest.raises(InvalidMessageError, match="'0917 123'"):
        read_number(provider, "0917 123")


class WithSender(Plain):
    """An adapter whose gateway sends nothing without a sender ID, and has but two of them."""

    def prepare(self, message: Message, /, index: int = 0) -> PreparedMessage:
        """Prepare a message that has one."""
        if message.sender_id not in {"ACME", "Acme"}:
            raise InvalidMessageError("plain needs a sender_id, ACME or Acme")
        return super().prepare(message, index)


class WithAnySender(Plain):
    """An adapter whose gateway sends nothing without a sender ID."""

    def prepare(self, message: Message, /, index: int = 0) -> PreparedMessage:
        """Prepare a message that has one."""
        if message.sender_id is None:
            raise InvalidMessageError("plain needs a sender_id")
        return super().prepare(message, index)


async def test_sender_ids_by_country_of_an_adapter_of_its_own() -> None:
    """The country is known before the sender ID that the adapter asks for."""
    rows = [Message("0917 123 4567", "Hi"), Message("+256701234567", "Hi")]
    sender_ids: dict[str | None, str] = {"PH": "ACME", None: "Acme"}
    async with (
        SmsClient(WithSender(), sender_id=sender_ids) as client,
        client.send_many(rows) as run,
    ):
        sent = [outcome.message.sender_id async for outcome in run if outcome.state == "accepted"]

    assert ["ACME", "Acme"] == sent


async def test_numbers_alone_of_an_adapter_that_needs_a_sender_id() -> None:
    """Suppressed numbers and codes have no text, and are read all the same."""
    async with SmsClient(WithAnySender(), sender_id="ACME") as client:
        async with client.send_many([Message(NUMBER, "Hi")], suppress=["0917 123 4567"]) as run:
            errors = [outcome.error async for outcome in run if isinstance(outcome, NotSent)]
        async with Codes(client) as codes:
            sent = await codes.send("0917 123 4567")

    assert ([SuppressedError], NUMBER) == (list(map(type, errors)), sent.to)


def test_bad_number_of_an_adapter_that_needs_a_sender_id() -> None:
    """The error is about the number, and not about the sender ID of no text."""
    with pytest.raises(InvalidMessageError, match="'0917 123'"):
        read_number(WithAnySender(), "0917 123")


GERMAN = "4915112345678"


@pytest.mark.parametrize(
    "read",
    [
        InfopromoProvider("1|token", region="DE").e164,
        InfopromoHttpProvider("1|token", region="DE").e164,
        UgsmsV1Provider("shop", "password", region="DE", number_format="international").e164,
        UgsmsV2Provider("key", region="DE", number_format="international").e164,
        AfricasTalkingProvider("shop", "key", region="DE").e164,
        SmsGateProvider("user", "password", region="DE").e164,
        EgoSmsProvider("user", "password", region="DE").e164,
        Failover(InfopromoProvider("1|token", sender_id="Shop"), region="DE").e164,
        number_reader("DE"),
    ],
    ids=["v3", "http", "ugsms1", "ugsms2", "at", "smsgate", "egosms", "failover", "suppressions"],
)
def test_nobody_else_is_texted_for_a_missing_plus_sign(read: Callable[[str], str]) -> None:
    """A mobile with its country code is no landline of another town, whoever reads it."""
    assert "+" + GERMAN == read("+" + GERMAN)
    with pytest.raises(InvalidMessageError, match="with a plus sign"):
        read(GERMAN)


def test_stop_without_a_plus_sign_is_of_whom_it_came_from() -> None:
    """The list has the number that the next text would go to."""
    provider = InfopromoProvider("1|token", region="DE")
    pushed = {"from": GERMAN, "to": "Shop", "content": "STOP"}

    assert ["+" + GERMAN] == [text.sender for text in provider.read_push(pushed)]


def test_listed_number_may_be_of_another_gateway() -> None:
    """A list holds people whom this gateway can't text; what is no number at all is refused."""
    provider = IprogProvider("token")

    assert NUMBER == read_listed_number(provider, "0917 123 4567")
    assert "+256701234567" == read_listed_number(provider, "+256 701 234567")
    with pytest.raises(InvalidMessageError, match="'Juan'"):
        read_listed_number(provider, "Juan")
