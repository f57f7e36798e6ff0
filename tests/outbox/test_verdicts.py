"""What becomes of a row after its text was tried."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from iprog_async import (
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    InsufficientCreditError,
    InvalidMessageError,
    JournalError,
    LimitExceededError,
    OutcomeUnknownError,
    RateLimitError,
    RejectedError,
    SendLaterError,
    SmsError,
    UnsupportedError,
    WrongLoopError,
)
from iprog_async.outbox._pause import Pause
from iprog_async.outbox._verdicts import Verdict, verdict_of


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NO_CREDIT = InsufficientCreditError("no credit", provider="fake")
AWAY = ConnectionFailedError("refused")


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (OutcomeUnknownError("?", provider="fake", reason="?"), Verdict.UNKNOWN),
        (InvalidMessageError("no number"), Verdict.SETTLED),
        (UnsupportedError("no scheduling"), Verdict.SETTLED),
        (RejectedError("spam", provider="fake"), Verdict.SETTLED),
        (RejectedError("busy", provider="fake", healable=True), Verdict.LATER),
        (AWAY, Verdict.PAUSE),
        (RateLimitError("slower", provider="fake"), Verdict.PAUSE),
        (JournalError("the database is away"), Verdict.PAUSE),
        (SendLaterError("at night", until=NOON), Verdict.WAIT),
        (LimitExceededError("spent", until=NOON, limit="9", blame="account"), Verdict.WAIT),
        (NO_CREDIT, Verdict.HALT),
        (AuthenticationError("wrong token", provider="fake"), Verdict.HALT),
        (ConfigurationError("no token"), Verdict.HALT),
        (ClientClosedError("closed"), Verdict.END),
        (WrongLoopError("another loop"), Verdict.END),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, SmsError) else value.name,
)
def test_verdict(error: SmsError, verdict: Verdict) -> None:
    """Only what is unknown or refused for good is ended; all else waits."""
    assert verdict is verdict_of(error)


@pytest.mark.parametrize(
    ("met", "verdict"),
    [
        (NO_CREDIT, Verdict.HALT),
        (AWAY, Verdict.PAUSE),
        (SendLaterError("at night", until=NOON), Verdict.WAIT),
        (RejectedError("busy", provider="fake", healable=True), Verdict.LATER),
        (RejectedError("spam", provider="fake"), Verdict.UNKNOWN),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, SmsError) else value.name,
)
def test_text_in_doubt_is_judged_by_what_sending_it_again_met(
    met: SmsError, verdict: Verdict
) -> None:
    """It waits for what any other text waits for, and stays unknown if it is refused for good."""
    doubt = OutcomeUnknownError("?", provider="fake", reason="?")
    doubt.not_resent = met
    assert verdict is verdict_of(doubt)


def test_text_that_another_sender_has_at_the_moment_waits() -> None:
    """It is no reason to stop sending others."""
    busy = JournalError("it is on its way through this journal already")
    busy.blame, busy.healable = "message", True
    assert Verdict.LATER is verdict_of(busy)


def test_pause_of_the_account_has_its_length_and_is_not_made_longer() -> None:
    """Many texts meet the same refusal: the first one begins the pause, the rest change nothing."""
    pause = Pause(60.0)
    assert (60.0, None) == (
        pause.begin(NO_CREDIT, Verdict.HALT, 100.0),
        pause.begin(NO_CREDIT, Verdict.HALT, 101.0),
    )
    assert [59.0, 0.0] == [pause.left(101.0), pause.left(161.0)]
    assert NO_CREDIT is pause.cause


def test_pauses_for_a_gateway_that_is_away_grow_up_to_half_a_minute() -> None:
    """Each is drawn between half of its longest and all of it."""
    pause, now = Pause(60.0), 0.0
    lengths: list[float] = []
    for _ in range(8):
        length = pause.begin(AWAY, Verdict.PAUSE, now)
        assert length is not None
        lengths.append(length)
        now += length + 1
    longest = [1, 2, 4, 8, 16, 30, 30, 30]
    assert [True] * 8 == [
        bound / 2 <= length <= bound for bound, length in zip(longest, lengths, strict=True)
    ]


@pytest.mark.parametrize(("asked", "length"), [(7.0, 7.0), (0.0, 1.0), (-1.0, 1.0)])
def test_pause_is_as_long_as_the_gateway_asks_for(asked: float, length: float) -> None:
    """A Retry-After is heeded; of no second, or less, it is taken for one."""
    error = RateLimitError("slower", provider="fake", retry_after=asked)
    assert length == Pause(60.0).begin(error, Verdict.PAUSE, 0.0)


def test_answer_of_the_gateway_forgets_the_pauses() -> None:
    """The next trouble begins with a short pause again."""
    pause = Pause(60.0)
    for now in (0.0, 10.0, 20.0):
        pause.begin(AWAY, Verdict.PAUSE, now)
    pause.forget()
    again = pause.begin(AWAY, Verdict.PAUSE, 30.0)
    assert (True, True) == (again is not None and again <= 1, pause.cause is AWAY)
