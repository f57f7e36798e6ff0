"""What a loader is told of messages that no worker will send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.core.fakes import FakeProvider
from support.fleet.sending import CAMPAIGN

from iprog_async import (
    DuplicateMessageError,
    ExpiredError,
    HttpPool,
    InvalidMessageError,
    LimitExceededError,
    Message,
    NotSent,
    NumberRepeatedError,
    PolicyError,
    PolicyRefusedError,
    Refuse,
    RejectedError,
    SendLaterError,
    SmsClient,
    SmsError,
    SuppressedError,
)
from iprog_async._policies.send_between import SendBetween
from iprog_async.fleet import enqueue_many
from iprog_async.fleet._left_out import packed, unpacked
from iprog_async.testing import InstantClock


ANA, BEN, SATELLITE, TOLL_FREE = "09171234567", "09181234567", "+870773111632", "+18005550199"
EVENING = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)
"""20:30 in Manila."""
HOURS = "08:00-20:00"
SOON, AT_NIGHT = EVENING + timedelta(hours=2), EVENING + timedelta(hours=8)

# What is left out is the last message.
CASES: dict[str, tuple[Sequence[Message], dict[str, Any], type[SmsError]]] = {
    "no number": ([Message("none", "a")], {}, InvalidMessageError),
    "no text": ([Message(ANA, "")], {}, InvalidMessageError),
    "suppressed": ([Message(BEN, "a")], {"suppress": [BEN]}, SuppressedError),
    "the same": ([Message(ANA, "a"), Message(ANA, "a")], {}, DuplicateMessageError),
    "a second": (
        [Message(ANA, "a"), Message(ANA, "b")],
        {"one_per_number": True},
        NumberRepeatedError,
    ),
    "too late": ([Message(ANA, "a", not_after=SOON)], {"send_between": HOURS}, ExpiredError),
    "scheduled at night": (
        [Message(ANA, "a", schedule_at=AT_NIGHT)],
        {"send_between": HOURS},
        SendLaterError,
    ),
    "nobody's clock": ([Message(SATELLITE, "a")], {"send_between": HOURS}, InvalidMessageError),
    "never the hour": (
        [Message(TOLL_FREE, "a")],
        {"send_between": "08:00-09:00"},
        InvalidMessageError,
    ),
}


def holds(error: SmsError) -> tuple[object, ...]:
    """Return all that an error says."""
    return type(error), str(error), error.args, vars(error)


async def told_of_both(
    journal: str, messages: Sequence[Message], send_between: str | None = None, **options: Any
) -> tuple[SmsError, SmsError]:
    """Return what a run in one process and a loader tell of the last message."""
    told: list[NotSent] = []
    async with (
        HttpPool(clock=InstantClock(EVENING)) as pool,
        SmsClient(FakeProvider(), pool=pool, send_between=send_between) as sms,
    ):
        where: dict[str, Any] = {"journal": journal, "campaign": CAMPAIGN}
        await enqueue_many(sms, messages, left_out=told.append, **where, **options)
        async with sms.send_many(messages, **options) as run:
            outcomes = {outcome.index: outcome async for outcome in run}
    last = len(messages) - 1
    (loaded,), sent = told, outcomes[last]
    assert isinstance(sent, NotSent)
    assert last == loaded.index
    return sent.error, loaded.error


@pytest.mark.parametrize("case", CASES)
async def test_the_error_is_that_of_a_run(case: str, postgres_journal: str) -> None:
    """Class, words and what else it holds are what `send_many` tells of the same message."""
    messages, options, kind = CASES[case]
    sent, loaded = await told_of_both(postgres_journal, messages, **options)
    assert kind is type(loaded)
    assert holds(sent) == holds(loaded)


async def test_what_is_too_late_keeps_nothing_from_being_sent(postgres_journal: str) -> None:
    """The same text once more, with an end that is still to come, is loaded instead of it."""
    late, later = (
        Message(ANA, "a", not_after=EVENING + timedelta(minutes=end)) for end in (-1, 60)
    )
    told: list[NotSent] = []
    async with (
        HttpPool(clock=InstantClock(EVENING)) as pool,
        SmsClient(FakeProvider(), pool=pool) as sms,
    ):
        report = await enqueue_many(
            sms, [late, later], journal=postgres_journal, campaign=CAMPAIGN, left_out=told.append
        )
    assert (1, 1) == (report.enqueued, report.expired)
    assert [(0, ExpiredError)] == [(left.index, type(left.error)) for left in told]


def _closed(*_: object) -> Refuse:
    return Refuse("closed\ttoday \\ heute geschlo\u00dfen")


def _broken(*_: object) -> Refuse:
    raise OSError("no time zones here")


@pytest.mark.parametrize(
    ("decide", "kind"), [(_closed, PolicyRefusedError), (_broken, PolicyError)]
)
async def test_a_policy_keeps_its_name(
    decide: Callable[..., Refuse],
    kind: type[SmsError],
    postgres_journal: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a policy refuses, or fails at, is told as a run does, by its name and its words."""
    monkeypatch.setattr(SendBetween, "decide", decide)
    sent, loaded = await told_of_both(postgres_journal, [Message(ANA, "a")], HOURS)
    assert (kind, "send_between") == (type(loaded), getattr(loaded, "policy", ""))
    assert holds(sent) == holds(loaded)


class _OwnError(PolicyRefusedError):
    """An error of a policy of somebody else's."""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (LimitExceededError("x", until=SOON, limit="5/day", blame="account"), LimitExceededError),
        (RejectedError("x", provider="p", raw={"a": [1]}, healable=True), RejectedError),
        (_OwnError("shop", "closed"), PolicyRefusedError),
    ],
)
def test_any_error_is_kept(error: SmsError, kind: type[SmsError]) -> None:
    """Whatever a policy refuses with comes back whole, as the library's class that it is of."""
    error.add_note("seen")
    assert (kind, *holds(error)[1:]) == holds(unpacked(packed(error)))
