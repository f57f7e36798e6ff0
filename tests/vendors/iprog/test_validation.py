from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import respx
from support.iprog.wire import FIVE, GLOBE, Client, connect

from iprog_async import InvalidMessageError, Message, UnsupportedError
from iprog_async_providers import IprogOptions, IprogProvider


NAIVE = datetime(2025, 3, 8, 5, 0)
TOO_LATE = datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))
PROVIDER = IprogProvider("token")


@pytest.mark.parametrize(
    "number",
    ["0917 123 4567", "+63 917 123 4567", "9171234567", "00639171234567", "639171234567"],
)
def test_every_way_to_write_a_number_becomes_one(number: str) -> None:
    """IPROG gets 639171234567, however the number was written."""
    prepared = PROVIDER.prepare(Message(number, "Hello."))

    assert (prepared.to, prepared.e164) == ("639171234567", "+639171234567")


@pytest.mark.parametrize(
    "number",
    ["", "0917", "0917-CALL-NOW", "091712345678", "(02) 8123 4567", "+256772123456", "12345"],
)
def test_other_numbers_are_refused_as_given(number: str) -> None:
    """A number IPROG can't reach is refused before any network, and quoted."""
    with pytest.raises(InvalidMessageError) as caught:
        PROVIDER.prepare(Message(number, "Hello."))

    assert repr(number) in str(caught.value)


@pytest.mark.parametrize("number", ["0895 123 4567", "+63 898 123 4567"])
def test_refusal_says_what_is_known_to_be_taken(number: str) -> None:
    """DITO's 0895 to 0898 are mobile numbers, of which nobody knows whether IPROG takes them."""
    with pytest.raises(InvalidMessageError, match=r"none that IPROG is known to take: .*DITO"):
        PROVIDER.prepare(Message(number, "Hello."))


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (Message(GLOBE, " "), InvalidMessageError),
        (Message(GLOBE, "Hi", schedule_at=NAIVE), InvalidMessageError),
        (Message(GLOBE, "Hi", schedule_at=TOO_LATE), InvalidMessageError),
        (Message(GLOBE, "Hi", options=object()), InvalidMessageError),
        (Message(GLOBE, "Hi", options=IprogOptions(3)), InvalidMessageError),  # type: ignore[arg-type] # on purpose
        (Message(GLOBE, "Hi", options=IprogOptions(True)), InvalidMessageError),  # type: ignore[arg-type] # on purpose
        (Message(GLOBE, "Hi", sender_id="Shop"), UnsupportedError),
        (Message(GLOBE, "Hi", schedule_at=FIVE, options=IprogOptions(1)), UnsupportedError),
    ],
)
def test_a_message_that_cant_be_sent_is_refused(message: Message, error: type[Exception]) -> None:
    """Nothing that the gateway would ignore or refuse gets as far as a request."""
    with pytest.raises(error):
        PROVIDER.prepare(message)


# What a program without type checks may pass.
FIVE_AS_TEXT: Any = "5"
A_NUMBER: Any = 123456
BAD_INPUT: Sequence[Callable[[Client], Awaitable[object]]] = (
    lambda sms: sms.send("0917", "Hello."),
    lambda sms: sms.provider.detect("0917"),
    lambda sms: sms.provider.otp.send("0917"),
    lambda sms: sms.provider.otp.send(GLOBE, template="Your code"),
    lambda sms: sms.provider.otp.send(GLOBE, template=""),
    lambda sms: sms.provider.otp.send(GLOBE, code_length=3),
    lambda sms: sms.provider.otp.send(GLOBE, code_length=11),
    lambda sms: sms.provider.otp.send(GLOBE, expires_in_minutes=0),
    lambda sms: sms.provider.otp.send(GLOBE, expires_in_minutes=61),
    lambda sms: sms.provider.otp.send(GLOBE, expires_in_minutes=FIVE_AS_TEXT),
    lambda sms: sms.provider.otp.verify(GLOBE, " "),
    lambda sms: sms.provider.otp.verify(GLOBE, A_NUMBER),
    lambda sms: sms.provider.otp.verify(GLOBE, "\ud800"),
    lambda sms: sms.provider.otp.verify("0917", "123456"),
    lambda sms: sms.provider.reminders.create(GLOBE, "", FIVE),
    lambda sms: sms.provider.reminders.create(GLOBE, "Hi", NAIVE),
    lambda sms: sms.provider.reminders.update("1"),
    lambda sms: sms.provider.reminders.update("1", to="0917"),
    lambda sms: sms.provider.reminders.update("1", text=""),
    lambda sms: sms.provider.reminders.update("1", scheduled_at=NAIVE),
    lambda sms: sms.provider.reminders.get(""),
    lambda sms: sms.provider.reminders.get("reminder:"),
    lambda sms: sms.provider.reminders.delete(".."),
)


@pytest.mark.parametrize("run", BAD_INPUT)
async def test_bad_input_never_reaches_the_network(
    respx_mock: respx.MockRouter, run: Callable[[Client], Awaitable[object]]
) -> None:
    """Every operation checks what it is given before it makes a request."""
    async with connect() as sms:
        with pytest.raises(InvalidMessageError):
            await run(sms)

    assert respx_mock.calls.call_count == 0


@pytest.mark.parametrize(
    ("when", "sent"),
    [
        (datetime(2025, 3, 7, 21, 0, tzinfo=UTC), "2025-03-08 05:00AM"),
        (datetime(2025, 3, 7, 21, 0, 0, 1, tzinfo=UTC), "2025-03-08 05:01AM"),
        (datetime(2025, 3, 7, 21, 59, 59, tzinfo=UTC), "2025-03-08 06:00AM"),
        (datetime(2025, 3, 7, 16, 0, tzinfo=UTC), "2025-03-08 12:00AM"),
        (datetime(2025, 3, 8, 4, 0, tzinfo=UTC), "2025-03-08 12:00PM"),
        (datetime(2025, 3, 8, 15, 59, tzinfo=UTC), "2025-03-08 11:59PM"),
        (datetime(2001, 1, 1, tzinfo=UTC), "2001-01-01 08:00AM"),
    ],
)
async def test_times_travel_as_manilas_wall_time(
    respx_mock: respx.MockRouter, when: datetime, sent: str
) -> None:
    """Any zone is converted, and seconds are rounded up."""
    route = respx_mock.post(json__scheduled_at=sent).respond(500)

    async with connect() as sms:
        outcomes = await sms.provider.submit(
            [sms.provider.prepare(Message(GLOBE, "Hello.", schedule_at=when))]
        )

    assert (route.call_count, [outcome.state for outcome in outcomes]) == (1, ["unknown"])
