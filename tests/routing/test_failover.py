"""What a failover does with a refusal, an unknown outcome and an error of an adapter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from support.core.fakes import NUMBER
from support.routing.fakes import (
    EMPTY,
    ONE_ROUND,
    Step,
    gateway,
    limited,
    lost,
    never,
    refused,
    send,
    told,
    unreachable,
)

from iprog_async import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    Failover,
    InsufficientCreditError,
    InvalidMessageError,
    Message,
    NotSent,
    Outcome,
    SmsError,
)
from iprog_async.adapter import PreparedMessage
from iprog_async.testing import InstantClock
from iprog_async_providers import IprogProvider
from iprog_async_providers.iprog import IprogOptions


@pytest.mark.parametrize(
    ("steps", "expected", "asked"),
    [
        ([None], ("accepted", "a"), (1, 0)),
        ([unreachable()], ("accepted", "b"), (1, 1)),
        ([limited(60)], ("accepted", "b"), (1, 1)),
        ([refused(healable=True)], ("accepted", "b"), (1, 1)),
        ([AuthenticationError("no", provider="a")], ("accepted", "b"), (1, 1)),
        ([InsufficientCreditError("empty", provider="a")], ("accepted", "b"), (1, 1)),
        ([refused(healable=False)], ("not_sent", "RejectedError"), (1, 0)),
        ([InvalidMessageError("half a character")], ("not_sent", "InvalidMessageError"), (1, 0)),
        ([lost()], ("unknown", "OutcomeUnknownError"), (1, 0)),
    ],
)
async def test_what_moves_on(
    steps: list[Step], expected: tuple[str, str], asked: tuple[int, int]
) -> None:
    """Only what is certainly not sent and healable goes on; an unknown outcome never does."""
    a, b = gateway("a", *steps), gateway("b")
    (outcome,) = await send(Failover(a, b, clock=InstantClock()))

    assert expected == told(outcome)
    assert asked == (len(a.sent), len(b.sent))


async def test_an_adapter_that_breaks_is_unknown_and_moves_nothing() -> None:
    """Nobody knows how far a broken adapter got, so no other gateway gets the text."""

    async def broken(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        raise KeyError("id")

    a, b = gateway("a", broken), gateway("b")
    (outcome,) = await send(Failover(a, b))

    assert ("unknown", "OutcomeUnknownError") == told(outcome)
    assert [] == b.sent


async def test_outcomes_are_of_the_message_as_it_was_given() -> None:
    """A caller gets the very message back, with the number as written."""
    message = Message("0917 123 4567", "Hi", options=IprogOptions(sms_provider=1))
    router = Failover(gateway("a", unreachable()), IprogProvider("t"), region="PH", retry=ONE_ROUND)
    prepared = router.prepare(message, 7)
    (outcome,) = await router.submit([prepared])

    assert (NUMBER[1:], NUMBER, 7) == (prepared.to, prepared.e164, prepared.index)
    assert prepared.message is message
    assert (outcome.index, outcome.message) == (7, message)


@pytest.mark.parametrize(
    ("steps", "kind", "blame"),
    [
        ((EMPTY, EMPTY), InsufficientCreditError, "account"),
        ((EMPTY, unreachable()), ConnectionFailedError, "message"),
        ((unreachable(), EMPTY), ConnectionFailedError, "message"),
        ((refused(healable=True, blame="recipient"), EMPTY), SmsError, "recipient"),
    ],
)
async def test_only_what_every_member_suffers_from_halts_a_run(
    steps: tuple[SmsError, SmsError], kind: type[SmsError], blame: str
) -> None:
    """The account is to blame only if all accounts are: else the next text may get through."""
    router = Failover(gateway("a", steps[0]), gateway("b", steps[1]), retry=ONE_ROUND)
    (outcome,) = await send(router)

    assert isinstance(outcome, NotSent)
    assert isinstance(outcome.error, kind)
    assert (outcome.error.blame, outcome.error.healable) == (blame, True)


async def test_an_account_is_not_to_blame_for_a_message_that_others_cannot_take() -> None:
    """A member without credit stops no texts that only it could not have taken."""
    router = Failover(IprogProvider("t"), gateway("b", EMPTY), retry=ONE_ROUND)
    (outcome,) = await router.submit([router.prepare(Message(NUMBER, "Hi", sender_id="Shop"))])

    assert isinstance(outcome, NotSent)
    assert isinstance(outcome.error, InsufficientCreditError)
    assert ("message", "account") == (outcome.error.blame, EMPTY.blame)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Failover(), "no gateway"),
        (lambda: Failover(gateway("a"), gateway("a")), "two gateways are called 'a'"),
        (
            lambda: Failover(gateway("a"), Failover(gateway("a"), name="inner")),
            "two gateways are called 'a'",
        ),
        (
            lambda: Failover(Failover(gateway("a")), Failover(gateway("b"))),
            "two gateways are called 'failover'",
        ),
        (lambda: Failover(gateway("a"), region="Uganda"), "'Uganda' is not two letters"),
        (lambda: Failover(gateway("a"), name="a:b"), "'a:b' is no name"),
    ],
)
def test_settings_that_make_no_sense(build: Any, words: str) -> None:
    """A router that could not work is refused when it is built."""
    with pytest.raises(ConfigurationError, match=words):
        build()


def test_a_bound_router_leaves_the_original_untouched() -> None:
    """One router object serves two clients, each with members and breakers of its own."""
    original = Failover(gateway("a"))
    bound = original.bind(never)

    assert bound.members["a"] is not original.members["a"]
    assert (original.name, "failover") == (bound.name, bound.name)
