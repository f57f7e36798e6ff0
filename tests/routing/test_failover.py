from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from support.core.clock import settle
from support.core.fakes import LATER, NUMBER, FakeProvider
from support.routing.fakes import (
    Step,
    gateway,
    limited,
    lost,
    never,
    refused,
    send,
    texts_of,
    unreachable,
)

from iprog_async import (
    AuthenticationError,
    BreakerPolicy,
    ConfigurationError,
    ConnectionFailedError,
    Failover,
    InsufficientCreditError,
    InvalidMessageError,
    Message,
    NotSent,
    Outcome,
    RateLimitError,
    RetryPolicy,
    SmsError,
    UnsupportedError,
)
from iprog_async._http.send_context import was_in_flight
from iprog_async.adapter import Batching, PreparedMessage, accepted, failed
from iprog_async.testing import InstantClock
from iprog_async_providers import IprogProvider, UgsmsV2Provider
from iprog_async_providers.infopromo import InfopromoOptions
from iprog_async_providers.iprog import IprogOptions


ONCE = RetryPolicy(attempts=1)


def told(outcome: Outcome) -> tuple[str, str]:
    """Return the state, and who accepted or what went wrong."""
    if outcome.state == "accepted":
        return outcome.state, outcome.receipt.provider
    return outcome.state, type(outcome.error).__name__


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
    router = Failover(gateway("a", unreachable()), IprogProvider("t"), region="PH", retry=ONCE)
    prepared = router.prepare(message, 7)
    (outcome,) = await router.submit([prepared])

    assert (NUMBER[1:], NUMBER, 7) == (prepared.to, prepared.e164, prepared.index)
    assert prepared.message is message
    assert (outcome.index, outcome.message) == (7, message)


@pytest.mark.parametrize(
    ("region", "number", "expected"),
    [
        ("UG", "0772123456", ("+256772123456", "u")),
        ("UG", "+63 917 123 4567", ("+639171234567", "p")),
        ("ph", "0917 123 4567", ("+639171234567", "p")),
        (None, "256772123456", ("+256772123456", "u")),
    ],
)
async def test_numbers_are_read_once_in_the_routers_region(
    region: str | None, number: str, expected: tuple[str, str]
) -> None:
    """The router's region decides what a national number is, whatever the members' own is."""
    router = Failover(
        IprogProvider("t", name="p"), UgsmsV2Provider("k" * 20, name="u"), region=region
    )
    prepared = router.prepare(Message(number, "Hi"))
    able = [name for name, member in router.members.items() if _takes(member, prepared.e164)]

    assert expected == (prepared.e164, *able)


def _takes(member: Any, e164: str) -> bool:
    try:
        member.prepare(Message(e164, "Hi"))
    except InvalidMessageError:
        return False
    return True


@pytest.mark.parametrize("region", ["PH", None])
def test_a_number_of_another_region_is_refused(region: str | None) -> None:
    """`0772123456` is no mobile number in the Philippines, and means nothing without a region."""
    router = Failover(IprogProvider("t"), UgsmsV2Provider("k" * 20), region=region)

    with pytest.raises(InvalidMessageError, match="772123456"):
        router.prepare(Message("0772123456", "Hi"))


def test_if_all_refuse_the_first_members_error_is_raised() -> None:
    """A message that no member can take fails before any network, with the first one's words."""
    router = Failover(IprogProvider("t", name="first"), IprogProvider("t", name="second"))

    with pytest.raises(UnsupportedError, match="first takes no sender ID"):
        router.prepare(Message(NUMBER, "Hi", sender_id="Shop"))


async def test_a_member_that_cannot_take_it_is_passed_over() -> None:
    """What a member refuses without being asked goes to the next, and is no failure."""
    b = gateway("b")
    router = Failover(IprogProvider("t", name="a"), b, breaker=BreakerPolicy(failures=1))
    prepared = router.prepare(Message(NUMBER, "Hi", sender_id="Shop"))
    (outcome,) = await router.submit([prepared])

    assert ("accepted", "b") == told(outcome)


def test_an_adapter_that_breaks_in_prepare_is_passed_over() -> None:
    """A bug in one member's checks keeps no message from another."""

    class Broken(FakeProvider):
        def _number(self, number: str) -> tuple[str, str]:
            raise ZeroDivisionError

    prepared = Failover(Broken(name="a"), gateway("b")).prepare(Message(NUMBER, "Hi"))
    with pytest.raises(InvalidMessageError, match="a can't prepare the message: ZeroDivision"):
        Failover(Broken(name="a")).prepare(Message(NUMBER, "Hi"))

    assert NUMBER == prepared.e164


async def test_options_are_dropped_for_members_that_cannot_use_them() -> None:
    """One vendor's options do not keep a message from another vendor's gateway."""
    seen: list[object] = []

    async def look(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        seen.extend(prepared.message.options for prepared in batch)
        return [failed(prepared, unreachable()) for prepared in batch]

    class Optional(FakeProvider):
        options_type = IprogOptions

    options = IprogOptions(sms_provider=1)
    inner = Failover(Optional(name="inside", send=look), name="inner")
    router = Failover(
        gateway("a", look), Optional(name="b", send=look), inner, retry=ONCE, clock=InstantClock()
    )
    await router.bind(never).submit([router.prepare(Message(NUMBER, "Hi", options=options))])

    assert [None, options, options] == seen


def test_options_that_no_member_can_use_are_refused() -> None:
    """Options of a vendor that is not there are a mistake, and not dropped in silence."""
    router = Failover(IprogProvider("t"), gateway("b"))

    with pytest.raises(InvalidMessageError, match="failover can use options of type Infopromo"):
        router.prepare(Message(NUMBER, "Hi", options=InfopromoOptions()))


async def test_rounds_end_with_the_last_attempt() -> None:
    """All members are asked in each round, with a wait between rounds and none at the end."""
    clock = InstantClock()
    a, b = gateway("a", unreachable()), gateway("b", unreachable())
    retry = RetryPolicy(attempts=3, base=0.5, max_wait=0.6)
    (outcome,) = await send(Failover(a, b, retry=retry, clock=clock))

    assert ("not_sent", "ConnectionFailedError") == told(outcome)
    assert (3, 3) == (len(a.sent), len(b.sent))
    assert len(clock.sleeps) == 2
    assert all(0 <= slept <= bound for slept, bound in zip(clock.sleeps, [0.5, 0.6], strict=True))


async def test_a_later_round_may_succeed() -> None:
    """What both members could not take at first is taken when one of them is back."""
    a = gateway("a", unreachable(), unreachable(), None)
    (outcome,) = await send(Failover(a, gateway("b", unreachable()), clock=InstantClock()))

    assert ("accepted", "a") == told(outcome)


async def test_pauses_use_up_no_attempt() -> None:
    """If all asked to slow down, the router waits for the soonest, as with one gateway."""
    clock = InstantClock()
    a, b = gateway("a", limited(20), limited(20), None), gateway("b", limited(7))
    (outcome,) = await send(Failover(a, b, retry=ONCE, clock=clock))

    assert ("accepted", "a") == told(outcome)
    assert [7, 7] == clock.sleeps


@pytest.mark.parametrize(
    ("asks", "sleeps"), [(limited(50), 2), (limited(), 2), (limited(0), 120), (limited(121), 0)]
)
async def test_pauses_are_bounded_in_all(asks: RateLimitError, sleeps: int) -> None:
    """A gateway that says "later" for ever is given up when `max_pause` is used up."""
    clock = InstantClock()
    router = Failover(gateway("a", asks), retry=ONCE, clock=clock)
    (outcome,) = await send(router)

    assert ("not_sent", "RateLimitError") == told(outcome)
    assert sleeps == len(clock.sleeps)
    assert sum(clock.sleeps) <= 120


EMPTY = InsufficientCreditError("empty", provider="a")


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
    router = Failover(gateway("a", steps[0]), gateway("b", steps[1]), retry=ONCE)
    (outcome,) = await send(router)

    assert isinstance(outcome, NotSent)
    assert isinstance(outcome.error, kind)
    assert (outcome.error.blame, outcome.error.healable) == (blame, True)


async def test_an_account_is_not_to_blame_for_a_message_that_others_cannot_take() -> None:
    """A member without credit stops no texts that only it could not have taken."""
    router = Failover(IprogProvider("t"), gateway("b", EMPTY), retry=ONCE)
    (outcome,) = await router.submit([router.prepare(Message(NUMBER, "Hi", sender_id="Shop"))])

    assert isinstance(outcome, NotSent)
    assert isinstance(outcome.error, InsufficientCreditError)
    assert ("message", "account") == (outcome.error.blame, EMPTY.blame)


async def test_batches_are_planned_anew_for_each_member() -> None:
    """A batch that all can take goes out in the sizes of whoever is asked."""
    a = gateway("a", unreachable(), batching=Batching(max_batch=3))
    b = gateway("b", batching=Batching(max_batch=2, mixed_texts=True))
    router = Failover(a, b)
    numbers = [f"+63917000000{digit}" for digit in range(5)]
    outcomes = await send(router, *numbers)

    assert Batching(max_batch=2) == router.batching
    assert [0, 1, 2, 3, 4] == [outcome.index for outcome in outcomes]
    assert {("accepted", "b")} == {told(outcome) for outcome in outcomes}
    assert ([3, 2], [2, 2, 1]) == (texts_of(a), texts_of(b))


async def test_a_batch_may_split_over_members() -> None:
    """Each message goes its own way: only what one member refused goes on."""

    async def half(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        return [
            accepted(one, "a", message_id="1") if one.index % 2 else failed(one, unreachable())
            for one in batch
        ]

    wide = Batching(max_batch=10)
    a, b = gateway("a", half, batching=wide), gateway("b", batching=wide)
    outcomes = await send(Failover(a, b), *[f"+63917000000{digit}" for digit in range(4)])

    assert ["b", "a", "b", "a"] == [told(outcome)[1] for outcome in outcomes]
    assert ([4], [2]) == (texts_of(a), texts_of(b))


@pytest.mark.parametrize(("healable", "last"), [(False, "RejectedError"), (True, "b")])
async def test_a_batch_refused_for_one_recipient_is_halved(healable: bool, last: str) -> None:
    """The others are sent all the same, and only the one refused goes on, if that may help."""

    async def picky(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        if any(one.e164.endswith("3") for one in batch):
            error = refused(healable=healable, blame="recipient")
            return [failed(one, error) for one in batch]
        return [accepted(one, "a", message_id="1") for one in batch]

    wide = Batching(max_batch=10)
    a, b = gateway("a", picky, batching=wide), gateway("b", batching=wide)
    outcomes = await send(Failover(a, b), *[f"+63917000000{digit}" for digit in range(4)])

    assert ["a", "a", "a", last] == [told(outcome)[1] for outcome in outcomes]
    assert ([4, 2, 2, 1, 1], [1] * healable) == (texts_of(a), texts_of(b))


async def test_an_unknown_outcome_ends_the_halving() -> None:
    """After it nothing of that batch is asked again at that member: the rest keeps its refusal."""
    error = refused(healable=False, blame="recipient")
    wide = Batching(max_batch=10)
    a = gateway("a", error, lost(), None, batching=wide)
    outcomes = await send(Failover(a), *[f"+63917000000{digit}" for digit in range(4)])

    assert ["unknown", "unknown", "not_sent", "not_sent"] == [one.state for one in outcomes]
    assert [4, 2] == texts_of(a)


async def test_a_schedule_too_small_for_one_member_goes_to_the_next() -> None:
    """A gateway that needs company for a scheduled text is passed over for a single one."""
    choosy = Batching(max_batch=9, max_scheduled=9, min_scheduled=2)
    a, b = gateway("a", batching=choosy), gateway("b")
    router = Failover(a, b)
    prepared = router.prepare(Message(NUMBER, "Hi", schedule_at=LATER))
    (outcome,) = await router.submit([prepared])

    assert ("accepted", "b") == told(outcome)
    assert [] == a.sent
    assert (2, 3) == (router.batching.min_scheduled, router.batching.max_scheduled)


async def test_a_bad_number_among_scheduled_texts() -> None:
    """No request to a gateway that needs company is for one, and all good numbers are sent."""

    async def picky(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        if any(one.index == 3 for one in batch):
            error = refused(healable=False, blame="recipient")
            return [failed(one, error) for one in batch]
        return [accepted(one, "a", message_id="1") for one in batch]

    choosy = Batching(max_batch=9, max_scheduled=9, min_scheduled=2)
    a = gateway("a", picky, batching=choosy)
    router = Failover(a)
    messages = [Message(f"+63917000000{digit}", "Hi", schedule_at=LATER) for digit in range(4)]
    outcomes = await router.submit([router.prepare(one, n) for n, one in enumerate(messages)])

    assert [*["accepted"] * 3, "not_sent"] == [outcome.state for outcome in outcomes]
    assert 2 <= min(texts_of(a))
    assert isinstance(outcomes[3], NotSent)
    assert not outcomes[3].error.healable


async def test_a_schedule_that_no_member_can_take() -> None:
    """Where all need company, a single scheduled text is not sent, and says why."""
    choosy = Batching(max_batch=9, max_scheduled=9, min_scheduled=2)
    router = Failover(gateway("a", batching=choosy), gateway("b", batching=choosy))
    when = LATER + timedelta(days=1)
    (outcome,) = await router.submit([router.prepare(Message(NUMBER, "Hi", schedule_at=when))])

    assert isinstance(outcome, NotSent)
    assert "a schedules no fewer than 2" in str(outcome.error)


async def test_cancelled_between_rounds_with_nothing_sent() -> None:
    """A cancellation while all of it waits says that nothing is on its way."""
    router = Failover(gateway("a", limited(90)))
    task = asyncio.create_task(send(router))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task

    assert not was_in_flight(caught.value)


async def test_cancelled_after_a_part_was_sent() -> None:
    """A cancellation while one text waits and another was accepted tells of the latter."""

    async def half(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        return [accepted(batch[0], "a", message_id="1"), failed(batch[1], limited(90))]

    router = Failover(gateway("a", half, batching=Batching(max_batch=2)))
    task = asyncio.create_task(send(router, NUMBER, "+639170000000"))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task

    assert was_in_flight(caught.value)


async def test_a_dead_gateway_is_left_alone_and_then_tried(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After some failures texts go straight to the next; after the cooldown one tries again."""
    clock = InstantClock()
    a = gateway("a", *[unreachable()] * 3, None)
    router = Failover(a, gateway("b"), breaker=BreakerPolicy(failures=3), clock=clock)
    with caplog.at_level(logging.INFO, "iprog_async"):
        before = [told((await send(router))[0])[1] for _ in range(5)]
        clock.advance(30)
        after = [told((await send(router))[0])[1] for _ in range(2)]

    assert (["b"] * 5, ["a"] * 2, 5) == (before, after, len(a.sent))
    assert [
        "failover: a is out of order, left alone for 30 s",
        "failover: a works again",
    ] == caplog.messages


async def test_one_probe_at_a_time_under_concurrency() -> None:
    """While one text tries whether a gateway is back, all others go elsewhere."""
    clock, answer = InstantClock(), asyncio.Event()

    async def slow(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        await answer.wait()
        return [accepted(one, "a", message_id="1") for one in batch]

    a, b = gateway("a", unreachable(), slow), gateway("b")
    router = Failover(a, b, breaker=BreakerPolicy(failures=1), clock=clock)
    await send(router)
    clock.advance(30)
    tasks = [asyncio.create_task(send(router)) for _ in range(20)]
    for _ in range(50):
        await asyncio.sleep(0)
    probes = len(a.sent) - 1
    answer.set()
    by = [told(outcome)[1] for (outcome,) in await asyncio.gather(*tasks)]

    assert 1 == probes
    assert (1, 19) == (by.count("a"), by.count("b"))


async def test_a_probe_that_is_cancelled_makes_way_for_another() -> None:
    """A caller that goes away in the middle of a probe does not keep the gateway out for ever."""
    clock = InstantClock()

    async def never(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        await asyncio.Event().wait()
        return []

    router = Failover(
        gateway("a", unreachable(), never, None),
        gateway("b"),
        breaker=BreakerPolicy(failures=1),
        clock=clock,
    )
    await send(router)
    clock.advance(30)
    probe = asyncio.create_task(send(router))
    await settle()
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe

    assert "a" == told((await send(router))[0])[1]


@pytest.mark.parametrize("step", [unreachable(), lost(), EMPTY])
async def test_all_members_out_of_order(step: SmsError) -> None:
    """With nobody left to ask, a text is certainly not sent, may be tried later, halts no run."""
    a, b = gateway("a", step), gateway("b", step)
    router = Failover(a, b, retry=ONCE, breaker=BreakerPolicy(failures=1))
    for _ in range(2):
        await send(router)
    asked = len(a.sent) + len(b.sent)
    (outcome,) = await send(router)

    assert 2 == asked == len(a.sent) + len(b.sent)
    assert isinstance(outcome, NotSent)
    assert isinstance(outcome.error, ConnectionFailedError)
    assert (True, "message") == (outcome.error.healable, outcome.error.blame)
    assert "every gateway that takes this message is out of order" in str(outcome.error)


async def test_who_is_left_without_credit_beside_one_out_of_order() -> None:
    """An empty account halts no run while the other gateway may come back."""
    router = Failover(
        gateway("a", lost()),
        gateway("b", EMPTY),
        retry=ONCE,
        breaker=BreakerPolicy(failures=1),
    )
    first, second = [told((await send(router))[0]) for _ in range(2)]

    assert ("unknown", "OutcomeUnknownError") == first
    assert ("not_sent", "ConnectionFailedError") == second


async def test_a_text_waits_for_a_probe_to_end() -> None:
    """With all others out of order, texts that meet a probe try again in the next round."""
    clock = InstantClock()

    async def slow(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        for _ in range(10):
            await asyncio.sleep(0)
        return [accepted(one, "a", message_id="1") for one in batch]

    a = gateway("a", unreachable(), slow, None)
    retry = RetryPolicy(attempts=30)
    router = Failover(a, retry=retry, breaker=BreakerPolicy(failures=1, cooldown=0), clock=clock)
    outcomes = await asyncio.gather(*[send(router) for _ in range(10)])

    assert {"accepted"} == {outcome.state for (outcome,) in outcomes}


async def test_routers_in_a_router_make_one_round_each() -> None:
    """The outer router has the only retry loop, however deep the members are."""
    a, b, c = (gateway(name, unreachable()) for name in "abc")
    patient = RetryPolicy(attempts=5, base=0)
    inner = Failover(a, b, name="inner", retry=patient)
    router = Failover(inner, c, retry=RetryPolicy(attempts=2, base=0))
    (outcome,) = await send(router.bind(never))

    assert ("not_sent", "ConnectionFailedError") == told(outcome)
    assert [2, 2, 2] == [len(one.sent) for one in (a, b, c)]


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
