"""Sender IDs by country."""

from __future__ import annotations

from typing import Any

import pytest
from support.core.fakes import FakeProvider

from iprog_async import ConfigurationError, InvalidMessageError, Message, SmsClient
from iprog_async.sandbox import Sandbox


_BY_COUNTRY = {"PH": "ACME", "ug": " Acme Ltd ", None: "Acme"}
_NUMBERS = ("+639171234567", "+256700123456", "+14155552671")


def _sent(provider: FakeProvider) -> dict[str, str | None]:
    return {each.e164: each.wire.sender_id for batch in provider.sent for each in batch}


async def _sender_ids(sender_id: Any) -> list[str | None]:
    """Return the sender IDs that texts for three countries get, sent alone and by a run."""
    single, many = FakeProvider(), FakeProvider()
    async with SmsClient(single, sender_id=sender_id) as sms:
        for number in _NUMBERS:
            await sms.send(number, "Hi")
    messages = [Message(to, "Hi") for to in _NUMBERS]
    async with SmsClient(many) as sms, sms.send_many(messages, sender_id=sender_id) as run:
        await run.drain()
    assert _sent(single) == _sent(many)
    return [_sent(single)[number] for number in _NUMBERS]


@pytest.mark.parametrize(
    ("sender_id", "expected"),
    [
        (_BY_COUNTRY, ["ACME", "Acme Ltd", "Acme"]),
        ({"PH": "ACME"}, ["ACME", None, None]),
        ("ACME", ["ACME"] * 3),
        (None, [None] * 3),
    ],
    ids=["each its own", "one country", "all", "none"],
)
async def test_each_country_has_its_sender_id(sender_id: Any, expected: list[str | None]) -> None:
    """A number gets the sender ID of its country, else that of all others, else the account's."""
    assert expected == await _sender_ids(sender_id)


async def test_a_gateway_that_needs_one_gets_it_by_country(sms_sandbox: Sandbox) -> None:
    """Though its account has none, so that the number is read before the sender is known."""
    address = sms_sandbox.address("infopromo").replace("sender_id=Sandbox&", "")
    async with SmsClient.from_url(address, sender_id={"PH": "ACME"}) as sms:
        await sms.send(_NUMBERS[0], "Hi")
        with pytest.raises(InvalidMessageError, match="nothing without a sender ID"):
            await sms.send(_NUMBERS[1], "Hi")
        with pytest.raises(InvalidMessageError, match="'12'"):
            await sms.send("12", "Hi")
    assert ["ACME"] == [text.sender_id for text in sms_sandbox.inbox]


async def test_a_message_knows_better() -> None:
    """A sender ID of the text itself is the one that travels."""
    provider = FakeProvider()
    async with SmsClient(provider, sender_id=_BY_COUNTRY) as sms:
        await sms.send(_NUMBERS[0], "Hi", sender_id="Own")
    assert {_NUMBERS[0]: "Own"} == _sent(provider)


@pytest.mark.parametrize(("of_run", "expected"), [({"PH": "Run"}, "Run"), (None, "Client")])
async def test_a_run_has_sender_ids_of_its_own(of_run: Any, expected: str) -> None:
    """What a run is given holds instead of what the client has; else the client's does."""
    provider = FakeProvider()
    messages = [Message(_NUMBERS[0], "Hi")]
    async with (
        SmsClient(provider, sender_id="Client") as sms,
        sms.send_many(messages, sender_id=of_run) as run,
    ):
        await run.drain()
    assert {_NUMBERS[0]: expected} == _sent(provider)


@pytest.mark.parametrize(
    "sender_id", ["", "longer than eleven", {"Philippines": "ACME"}, {"PH": ""}, {63: "ACME"}]
)
def test_what_is_no_sender_id_is_refused_early(sender_id: Any) -> None:
    """A wrong sender ID or country is an error of the configuration."""
    with pytest.raises(ConfigurationError):
        SmsClient(FakeProvider(), sender_id=sender_id)


@pytest.mark.parametrize(("region", "advice"), [("UK", "; write 'GB'"), ("xx", ", such as 'NG'")])
def test_a_country_of_no_number_is_refused(region: str, advice: str) -> None:
    """Its sender ID would be that of nobody."""
    with pytest.raises(ConfigurationError, match=f"no phone number has .* {region!r}{advice}$"):
        SmsClient(FakeProvider(), sender_id={region: "ACME", None: "Acme"})
