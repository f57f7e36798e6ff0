from __future__ import annotations

import pytest
from support.routing.fakes import breaker, limited, lost, refused, unreachable

from iprog_async import (
    Accepted,
    AuthenticationError,
    BreakerPolicy,
    ClientClosedError,
    InvalidMessageError,
    JournalError,
    NoAnswerError,
    NotSent,
    Outcome,
    Receipt,
    SmsError,
    Unknown,
)
from iprog_async._core.messages import Message
from iprog_async._routing.circuit_breaker import Admission, Breaker, Health, health_of


MESSAGE = Message("+639171234567", "Hi")
ACCEPTED = Accepted(0, MESSAGE, Receipt("a", "1", "639171234567", 1))
LOST = Unknown(0, MESSAGE, lost())


def not_sent(error: SmsError) -> NotSent:
    """Return the outcome of a message that met an error."""
    return NotSent(0, MESSAGE, error)


def admitted(subject: Breaker) -> Admission:
    """Return leave for one request, which must be there."""
    admission = subject.admit()
    assert admission is not None
    return admission


def fail(subject: Breaker, times: int) -> None:
    """Let some requests fail, one after the other."""
    for _ in range(times):
        subject.settle(admitted(subject), Health.FAILS)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([ACCEPTED], Health.WORKS),
        ([LOST], Health.FAILS),
        ([not_sent(unreachable())], Health.FAILS),
        ([not_sent(NoAnswerError("silence"))], Health.FAILS),
        ([not_sent(AuthenticationError("no", provider="a"))], Health.FAILS),
        ([not_sent(refused(blame="account"))], Health.FAILS),
        ([not_sent(refused(blame="message"))], Health.WORKS),
        ([not_sent(refused(blame="recipient"))], Health.WORKS),
        ([not_sent(limited(5))], Health.NOTHING),
        ([not_sent(ClientClosedError("closed"))], Health.NOTHING),
        ([not_sent(JournalError("full"))], Health.NOTHING),
        ([not_sent(InvalidMessageError("half a character"))], Health.NOTHING),
        ([LOST, ACCEPTED], Health.WORKS),
        ([not_sent(limited(5)), LOST], Health.FAILS),
        ([], Health.NOTHING),
    ],
)
def test_what_outcomes_say_about_the_gateway(outcomes: list[Outcome], expected: Health) -> None:
    """A text that got an answer of its own speaks for the gateway; silence speaks against it."""
    assert expected is health_of(outcomes)


def test_failures_in_a_row_open_it() -> None:
    """At the last of the failures in a row the gateway is left alone, not before."""
    subject, _ = breaker(failures=3)
    fail(subject, 2)
    before = subject.state
    changed = subject.settle(admitted(subject), Health.FAILS)

    assert ("closed", True, "open") == (before, changed, subject.state)
    assert subject.admit() is None
    assert subject.cooldown_left == 30.0


def test_a_success_between_starts_the_count_again() -> None:
    """Failures count only in a row; what says nothing neither counts nor resets."""
    subject, _ = breaker(failures=2)
    fail(subject, 1)
    subject.settle(admitted(subject), Health.WORKS)
    fail(subject, 1)
    subject.settle(admitted(subject), Health.NOTHING)
    before = subject.state
    fail(subject, 1)

    assert ("closed", "open") == (before, subject.state)


def test_after_the_cooldown_one_probe_at_a_time() -> None:
    """Half-open admits one request; others are turned away until it has ended."""
    subject, clock = breaker()
    fail(subject, 3)
    clock.advance(30)
    assert (subject.state, subject.admits) == ("half-open", True)

    probe = admitted(subject)

    assert [None, None] == [subject.admit(), subject.admit()]
    assert not subject.admits
    subject.settle(probe, Health.NOTHING)
    assert subject.admit() is not None


def test_a_probe_that_works_closes_it() -> None:
    """A probe that gets through lets everybody in again, with a clean record."""
    subject, clock = breaker(failures=2)
    fail(subject, 2)
    clock.advance(30)

    assert subject.settle(admitted(subject), Health.WORKS)
    fail(subject, 1)
    assert subject.state == "closed"


def test_a_probe_that_fails_opens_it_again() -> None:
    """A probe that fails costs a whole cooldown more."""
    subject, clock = breaker()
    fail(subject, 3)
    clock.advance(31)
    changed = subject.settle(admitted(subject), Health.FAILS)

    assert (False, "open", 30.0) == (changed, subject.state, subject.cooldown_left)


def test_late_failures_of_earlier_requests_prove_nothing_new() -> None:
    """What was under way when it opened neither lengthens the cooldown nor spoils the probe."""
    subject, clock = breaker()
    late = [admitted(subject) for _ in range(2)]
    fail(subject, 3)
    clock.advance(10)
    subject.settle(late[0], Health.FAILS)
    assert subject.cooldown_left == 20.0

    clock.advance(20)
    probe = admitted(subject)
    subject.settle(late[1], Health.FAILS)

    assert (subject.state, subject.admit()) == ("half-open", None)
    assert subject.settle(probe, Health.WORKS)


def test_a_late_success_closes_it() -> None:
    """A request from before that succeeds after all is as good a proof as a probe."""
    subject, _ = breaker()
    late = admitted(subject)
    fail(subject, 3)

    assert subject.settle(late, Health.WORKS)
    assert subject.state == "closed"


def test_a_probe_overtaken_by_another_is_no_probe_any_more() -> None:
    """When it was closed and opened again meanwhile, only the new probe's end counts."""
    subject, clock = breaker(failures=1)
    late = admitted(subject)
    fail(subject, 1)
    clock.advance(30)
    first = admitted(subject)
    subject.settle(late, Health.WORKS)
    fail(subject, 1)
    clock.advance(30)
    second = admitted(subject)
    subject.settle(first, Health.FAILS)

    assert (subject.state, subject.admit()) == ("half-open", None)
    subject.settle(second, Health.WORKS)
    assert subject.state == "closed"


@pytest.mark.parametrize("settings", [{"failures": 0}, {"cooldown": -1.0}])
def test_settings_that_make_no_sense(settings: dict[str, int]) -> None:
    """A policy of no failures, or a negative time, is refused."""
    with pytest.raises(ValueError, match=next(iter(settings))):
        BreakerPolicy(**settings)
