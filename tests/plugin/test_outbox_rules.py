"""What an outbox is told to refuse, to lose, or to take."""

from __future__ import annotations

from typing import Any

import pytest
from support.sms_outbox import GLOBE, SMART, client, send

from iprog_async import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    InsufficientCreditError,
    InvalidMessageError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    RejectedError,
)
from iprog_async.testing import OutboxMessage, SmsOutbox


pytestmark = pytest.mark.usefixtures("sms_clock")


@pytest.mark.parametrize(
    ("kind", "healable"),
    [
        (AuthenticationError, True),
        (ConnectionFailedError, True),
        (InsufficientCreditError, True),
        (NotFoundError, False),
        (RateLimitError, True),
        (RejectedError, False),
    ],
)
async def test_a_refused_text_is_certainly_not_sent(
    outbox: SmsOutbox, kind: type[RejectedError], healable: bool
) -> None:
    """The send raises what was asked for; the text is kept among the refused ones only."""
    outbox.refuse(kind)
    async with client(outbox) as sms:
        with pytest.raises(kind, match="Nothing was sent") as caught:
            await sms.send(GLOBE, "Hi")

    assert (healable, False) == (caught.value.healable, caught.value.may_have_been_sent)
    assert ([], [OutboxMessage(GLOBE, "Hi")]) == (outbox.messages, outbox.refused)


async def test_a_refusal_can_be_given_with_its_details(outbox: SmsOutbox) -> None:
    """Reason, code and whether it heals are as in the error, which is another object each time."""
    error = RejectedError("no", provider="outbox", reason="spam", code="7", healable=True)
    outbox.refuse(error, times=2)
    raised: list[RejectedError] = []
    async with client(outbox) as sms:
        for _ in range(2):
            with pytest.raises(RejectedError) as caught:
                await sms.send(GLOBE, "Hi")
            raised.append(caught.value)

    assert [("no", "spam", "7", True)] * 2 == [
        (str(one), one.reason, one.code, one.healable) for one in raised
    ]
    assert raised[0] is not raised[1]
    assert error.__traceback__ is None


@pytest.mark.parametrize("kind", [OutcomeUnknownError, InvalidMessageError, ValueError])
def test_only_refusals_refuse(outbox: SmsOutbox, kind: Any) -> None:
    """An error that says something else about the text is not taken for "certainly not sent"."""
    with pytest.raises(ConfigurationError, match=rf"{kind.__name__} is no refusal; .*lose\(\)"):
        outbox.refuse(kind)


async def test_a_lost_answer_is_unknown_and_the_text_is_out(outbox: SmsOutbox) -> None:
    """The caller can't know; the outbox does."""
    outbox.lose()
    async with client(outbox) as sms:
        with pytest.raises(OutcomeUnknownError, match="no answer"):
            await sms.send(GLOBE, "Hi")

    assert [OutboxMessage(GLOBE, "Hi")] == outbox.messages
    assert "unknown" == outbox.last.state


async def test_resending_what_is_unknown_shows_as_two(outbox: SmsOutbox) -> None:
    """An app that sends again on purpose can be seen to."""
    outbox.lose()
    async with client(outbox) as sms:
        await sms.send(GLOBE, "Hi", on_unknown="resend")

    assert ["unknown", "accepted"] == [text.state for text in outbox.to(GLOBE)]


async def test_rules_are_for_the_next_text_unless_told_otherwise(outbox: SmsOutbox) -> None:
    """A rule is used up; `times=None` is for all."""
    outbox.refuse(RejectedError)
    outbox.lose(times=2)
    assert ["RejectedError", "OutcomeUnknownError", "OutcomeUnknownError", "accepted"] == (
        await send(outbox, *[GLOBE] * 4)
    )

    outbox.refuse(RateLimitError, times=None)
    assert ["RateLimitError"] * 3 == await send(outbox, *[GLOBE] * 3)


async def test_rules_for_a_number_leave_others_alone(outbox: SmsOutbox) -> None:
    """The number can be written in any way."""
    outbox.refuse(RejectedError, to="0918 123 4567", times=None)

    assert ["accepted", "RejectedError", "accepted"] == await send(outbox, GLOBE, SMART, GLOBE)


async def test_rules_by_a_function(outbox: SmsOutbox) -> None:
    """It sees the text as it is kept."""
    outbox.lose(when=lambda text: "casino" in text.text, times=None)

    assert ["accepted"] == await send(outbox, text="Hi")
    assert ["OutcomeUnknownError"] == await send(outbox, text="A casino near you")


async def test_the_first_rule_that_fits_is_taken(outbox: SmsOutbox) -> None:
    """`accept` in front of another rule delays that one, or makes an exception."""
    outbox.accept(times=2)
    outbox.accept(to=SMART, times=None)
    outbox.lose(times=None)

    assert ["accepted", "accepted", "OutcomeUnknownError", "accepted"] == (
        await send(outbox, GLOBE, GLOBE, GLOBE, SMART)
    )


@pytest.mark.parametrize("times", [0, -1])
def test_no_rule_for_less_than_one(outbox: SmsOutbox, times: int) -> None:
    """A rule that could never be used is a mistake."""
    with pytest.raises(ConfigurationError, match=f"not {times}"):
        outbox.lose(times=times)
