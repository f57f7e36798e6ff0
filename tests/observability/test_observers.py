from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import pytest
from attrs import Factory, define
from support.core.fakes import NUMBER, TOKEN, FakeProvider, accept, lose, refusing

from iprog_async import (
    AttemptEnded,
    ConfigurationError,
    Failover,
    InvalidMessageError,
    Journal,
    Message,
    Observer,
    OutcomeUnknownError,
    RetryPolicy,
    SendEnded,
    SmsClient,
    SmsError,
    SubmissionEnded,
    provider_from_url,
)
from iprog_async.sandbox import Fault, Sandbox
from iprog_async.testing import SmsOutbox
from iprog_async_providers import IprogProvider


@define(eq=False)
class Notes(Observer):
    """Keeps what it is told."""

    attempts: list[AttemptEnded] = Factory(list[AttemptEnded])
    submissions: list[SubmissionEnded] = Factory(list[SubmissionEnded])
    sends: list[SendEnded] = Factory(list[SendEnded])

    def attempt_ended(self, event: AttemptEnded) -> None:
        """Keep it."""
        self.attempts.append(event)

    def submission_ended(self, event: SubmissionEnded) -> None:
        """Keep it."""
        self.submissions.append(event)

    def send_ended(self, event: SendEnded) -> None:
        """Keep it."""
        self.sends.append(event)


class Cancelling(Observer):
    """Asks for the result of a task that was cancelled."""

    def send_ended(self, event: SendEnded) -> None:
        """Fail in a way that looks like being cancelled."""
        raise asyncio.CancelledError


class Broken(Observer):
    """Fails at everything."""

    def attempt_ended(self, event: AttemptEnded) -> None:
        """Fail."""
        raise RuntimeError("a mistake of the user's")

    submission_ended = attempt_ended  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType] - it never looks at the event
    send_ended = attempt_ended  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType] - the same


def client(sandbox: Sandbox, *observers: Observer, **settings: Any) -> SmsClient[Any]:
    """Return a client of the sandbox's IPROG that tries once."""
    settings = {"retry": RetryPolicy.off(), **settings}
    return SmsClient.from_url(sandbox.address("iprog"), observers=observers, **settings)


@pytest.mark.parametrize("engine", ["httpx", "asyncio"])
async def test_a_send_is_an_attempt_a_submission_and_an_outcome(engine: Any) -> None:
    """One accepted text gives one event of each kind, which agree with one another."""
    notes = Notes()
    async with Sandbox() as sandbox, client(sandbox, notes, engine=engine) as sms:
        receipt = await sms.send(NUMBER, "Hello")

    (attempt,), (submission,), (send,) = notes.attempts, notes.submissions, notes.sends
    assert ("iprog", "send the text", 1, 200, None) == (
        attempt.provider,
        attempt.what,
        attempt.number,
        attempt.http_status,
        attempt.error,
    )
    assert attempt.sending
    assert "127.0.0.1" == attempt.server
    assert (attempt,) == submission.attempts
    assert (send.outcome,) == submission.outcomes
    assert ("iprog", "accepted", 1) == (send.provider, send.state, send.segments)
    assert receipt == send.receipt
    assert "Hello" == send.message.text
    assert (NUMBER,) == submission.numbers
    assert NUMBER == send.number
    assert send.error is None
    assert 0 < attempt.seconds <= submission.seconds


@pytest.mark.parametrize(
    ("kind", "state", "status"),
    [("status", "unknown", 503), ("drop_after", "unknown", None), ("drop_before", "unknown", None)],
)
async def test_failures_say_what_they_mean(kind: Any, state: str, status: int | None) -> None:
    """Each event of a failed send carries the error that the caller gets."""
    notes = Notes()
    async with Sandbox() as sandbox, client(sandbox, notes) as sms:
        sandbox.add_fault(Fault("POST /iprog/api/v1/sms_messages", kind))
        with pytest.raises(SmsError) as caught:
            await sms.send(NUMBER, "Hello")

    assert [(state, caught.value)] == [(send.state, send.error) for send in notes.sends]
    assert [(status, caught.value)] == [(one.http_status, one.error) for one in notes.attempts]
    assert notes.sends[0].receipt is None


async def test_repetitions_are_numbered() -> None:
    """Each request of a call is an attempt; reading belongs to no submission."""
    notes = Notes()
    async with Sandbox() as sandbox, client(sandbox, notes, retry=RetryPolicy(attempts=3)) as sms:
        pattern = "GET /iprog/api/v1/account/sms_credits"
        sandbox.add_fault(Fault(pattern, "status", status=503, times=1))
        await sms.balance()

    assert [(1, 503, False), (2, 200, False)] == [
        (one.number, one.http_status, one.sending) for one in notes.attempts
    ]
    assert [] == notes.submissions


@pytest.mark.usefixtures("whole_batches")
async def test_a_batch_is_one_submission_and_an_outcome_each() -> None:
    """In bulk, what travels together is one submission; every message has an outcome."""
    notes = Notes()
    messages = [Message(f"0917123456{last}", "Hi") for last in range(5)]
    async with Sandbox() as sandbox, client(sandbox, notes) as sms, sms.send_many(messages) as run:
        await run.drain()

    assert [5] == [len(submission.outcomes) for submission in notes.submissions]
    assert ["accepted"] * 5 == [send.state for send in notes.sends]
    assert 1 == len(notes.attempts)


async def test_what_a_journal_knows_is_no_attempt(tmp_path: Any) -> None:
    """The second send of a key makes no request, and still comes to its outcome."""
    notes = Notes()
    with Journal.open(tmp_path / "orders.db") as journal:
        async with Sandbox() as sandbox, client(sandbox, notes, journal=journal) as sms:
            await sms.send(NUMBER, "Thank you!", key="order-42")
            await sms.send(NUMBER, "Thank you!", key="order-42")

    assert 1 == len(notes.attempts) == len(notes.submissions)
    assert ["accepted", "accepted"] == [send.state for send in notes.sends]


@pytest.mark.parametrize(("number", "text"), [("12", "Hello"), (NUMBER, " ")])
async def test_what_was_never_handed_over_has_no_event(
    caplog: pytest.LogCaptureFixture, number: str, text: str
) -> None:
    """A send that is refused before the gateway's turn only raises: no event, no record."""
    notes = Notes()
    with caplog.at_level(logging.DEBUG, "iprog_async"):
        async with Sandbox() as sandbox, client(sandbox, notes) as sms:
            with pytest.raises(InvalidMessageError):
                await sms.send(number, text)

    assert ([], [], [], []) == (notes.attempts, notes.submissions, notes.sends, caplog.records)


async def test_a_code_is_an_attempt_alone() -> None:
    """An operation of the vendor's own is its requests, which are no part of a submission."""
    notes = Notes()
    async with Sandbox() as sandbox, client(sandbox, notes) as sms:
        await sms.provider.otp.send(NUMBER)

    assert [("send the code", False)] == [(note.what, note.sending) for note in notes.attempts]
    assert ([], []) == (notes.submissions, notes.sends)


async def test_with_a_router_attempts_name_the_member() -> None:
    """A router's submission holds the requests of all members that were asked."""
    notes = Notes()
    with socket.create_server(("127.0.0.1", 0)) as closing:
        dead = f"http://127.0.0.1:{closing.getsockname()[1]}"
    first = IprogProvider(TOKEN, base_url=dead, name="dead")
    async with Sandbox() as sandbox:
        second = provider_from_url(sandbox.address("iprog"))
        router = Failover(first, second, region="PH")
        async with SmsClient(router, observers=[notes]) as sms:
            receipt = await sms.send(NUMBER, "Hello")

    (submission,) = notes.submissions
    assert ["dead", "iprog"] == [one.provider for one in submission.attempts]
    assert [None, 200] == [one.http_status for one in submission.attempts]
    assert router.name == submission.provider
    assert receipt.provider == notes.sends[0].provider == "iprog"


@pytest.mark.parametrize("sending", [accept, lose, refusing(blame="message")])
async def test_a_broken_observer_changes_nothing(
    sending: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """What an observer raises is logged once; the outcome and the other observers have theirs."""
    notes = Notes()
    messages = [Message(NUMBER, f"Hi {number}") for number in range(10)]
    async with SmsClient(FakeProvider(send=sending), observers=[Broken(), notes]) as sms:
        run = sms.send_many(messages)
        async with run:
            await run.drain()

    assert 10 == run.counts.total == len(notes.sends)
    complaints = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert ["the observer Broken failed; later failures are not shown"] == [
        one.getMessage() for one in complaints
    ]


async def test_an_observer_can_not_cancel_a_send() -> None:
    """An accepted text is reported as such, whatever an observer raises."""
    async with Sandbox() as sandbox, client(sandbox, Cancelling()) as sms:
        assert "iprog" == (await sms.send(NUMBER, "Hello")).provider


async def test_a_failure_behind_a_router_names_the_member(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Events and the log name the member that was asked, for a failure as for a success."""
    caplog.set_level(logging.INFO, "iprog_async")
    notes = Notes()
    async with Sandbox() as sandbox:
        member = provider_from_url(sandbox.address("iprog"))
        sandbox.add_fault(Fault("POST /iprog/api/v1/sms_messages", "drop_after"))
        async with SmsClient(Failover(member, region="PH"), observers=[notes]) as sms:
            with pytest.raises(OutcomeUnknownError):
                await sms.send(NUMBER, "Hello")

    assert ["iprog"] == [send.provider for send in notes.sends]
    (record,) = (one for one in caplog.records if getattr(one, "state", None))
    assert "iprog" == vars(record)["provider"]


async def test_an_observer_by_itself_hears_of_nothing() -> None:
    """Methods that are not overridden do nothing."""
    async with Sandbox() as sandbox, client(sandbox, Observer()) as sms:
        assert "iprog" == (await sms.send(NUMBER, "Hello")).provider


async def test_a_send_cancelled_on_its_way_is_unknown() -> None:
    """A text that may be out is told of, and later sends are not mixed up with it."""
    notes = Notes()
    async with Sandbox() as sandbox, client(sandbox, notes) as sms:
        sandbox.add_fault(Fault("POST /iprog/api/v1/sms_messages", "delay", delay=60))
        sending = asyncio.create_task(sms.send(NUMBER, "Hello"))
        while not sandbox.inbox:  # noqa: ASYNC110 - another thread fills it
            await asyncio.sleep(0.005)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await sms.send(NUMBER, "Hello again")

    assert ["unknown", "accepted"] == [send.state for send in notes.sends]
    assert [0, 1] == [len(submission.attempts) for submission in notes.submissions]
    states = [outcome.state for one in notes.submissions for outcome in one.outcomes]
    assert ["unknown", "accepted"] == states


class Waiting(Observer):
    """Wants to be awaited."""

    async def send_ended(self, event: SendEnded) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride] - what the test is about
        """Never run."""


@pytest.mark.parametrize("wrong", [[print], [Notes], [None], [Waiting()], Notes()])
def test_an_observer_has_to_be_one(wrong: Any) -> None:
    """A function, a class, nothing, an async one and a lone one are refused at once."""
    with pytest.raises(ConfigurationError, match=r"observers|async"):
        SmsClient(SmsOutbox().provider, observers=wrong)


async def test_no_event_shows_a_text_a_number_or_a_credential() -> None:
    """The repr of every event is fit for a log."""
    notes = Notes()
    async with Sandbox() as sandbox, client(sandbox, notes) as sms:
        sandbox.add_fault(Fault("POST /iprog/api/v1/sms_messages", "drop_after"))
        with pytest.raises(OutcomeUnknownError):
            await sms.send(NUMBER, "A private text")

    shown = repr([notes.attempts, notes.submissions, notes.sends])
    assert not [hidden for hidden in (NUMBER, NUMBER[1:], "private") if hidden in shown]
