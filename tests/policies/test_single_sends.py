"""What policies do to a single send, with a key or without."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from support.core.fakes import NUMBER, FakeProvider, Wire
from support.journal.journaling import (
    ACCEPTED,
    BROKEN,
    BUSY,
    REFUSED,
    PostingProvider,
    numbers_of,
    posting,
    states_in,
)
from support.policies.rules import Counting, Noting, always, changing, rewriting

from iprog_async import (
    Allow,
    ConfigurationError,
    Decision,
    Failover,
    InvalidMessageError,
    Journal,
    Outgoing,
    PolicyError,
    PolicyRefusedError,
    Refuse,
    Rewrite,
    SendLaterError,
    SmsClient,
    SmsError,
    SuppressedError,
    WaitUntil,
)


LATER = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)


@pytest.fixture(params=["no key", "key"])
def key(request: pytest.FixtureRequest) -> str | None:
    """Return the key of a send."""
    return "order-1" if request.param == "key" else None


async def send(
    tmp_path: Path, key: str | None, policy: Any, text: str = "Hi", reply: Any = ACCEPTED
) -> tuple[Wire, SmsError | None]:
    """Send a text with a policy; return what the gateway saw, and the error."""
    wire = Wire(reply)
    with Journal.open(tmp_path / "j.db") as journal:
        async with posting(wire, journal, policies=[policy]) as client:
            try:
                await client.send(NUMBER, text, key=key)
            except SmsError as exc:
                return wire, exc
    return wire, None


@pytest.mark.parametrize(
    ("decision", "kind", "healable"),
    [
        (Refuse("not today"), PolicyRefusedError, False),
        (Refuse(SuppressedError(NUMBER)), SuppressedError, False),
        (WaitUntil(LATER, "night"), SendLaterError, True),
    ],
    ids=["refuse", "refuse with an error", "wait"],
)
async def test_what_is_not_allowed_is_not_sent(
    tmp_path: Path, key: str | None, decision: Decision, kind: type[SmsError], healable: bool
) -> None:
    """Before any network and any claim, with an error that says that nothing was sent."""
    wire, error = await send(tmp_path, key, always(decision))

    assert [] == wire.requests
    assert [] == states_in(tmp_path / "j.db")
    assert (kind, False, healable) == (
        type(error),
        error and error.may_have_been_sent,
        error and error.healable,
    )


async def test_waiting_says_until_when(tmp_path: Path, key: str | None) -> None:
    """A single send can't wait, so its error has the time and the reason."""
    _, error = await send(tmp_path, key, Noting(always(WaitUntil(LATER, "night")), "sleep"))

    assert isinstance(error, SendLaterError)
    assert LATER == error.until
    assert (
        "the policy sleep has this text wait until 2026-01-01 08:00+00:00 (night); nothing was "
        "sent, send it again then"
    ) == str(error)


async def a_coroutine(text: Outgoing) -> Decision:
    """Decide after a wait."""
    await asyncio.sleep(0)
    return Allow()


@pytest.mark.parametrize("policy", [always(Allow()), a_coroutine, Noting()])
async def test_what_is_allowed_is_sent(tmp_path: Path, key: str | None, policy: Any) -> None:
    """By a plain function, one that is awaited, or an object."""
    wire, error = await send(tmp_path, key, policy)

    assert (None, 1) == (error, len(wire.requests))


def failing(_: Outgoing) -> Decision:
    """Fail, with words that nobody should see."""
    raise KeyError("s3cret")


async def failing_later(_: Outgoing) -> Decision:
    """Fail once it is awaited."""
    raise KeyError("s3cret")


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        (failing, "failed with KeyError"),
        (failing_later, "failed with KeyError"),
        (always(None), "answered None"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - no decision
        (always(True), "answered True"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - no decision
        (changing(lambda given: evolve(given, to="09170000000")), "rewrote the number or the key"),
        (changing(lambda given: evolve(given, key="other")), "rewrote the number or the key"),
        (always(Rewrite("Hi")), "rewrote a text to str"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - no message
    ],
)
async def test_a_policy_that_fails_lets_nothing_out(
    tmp_path: Path, key: str | None, policy: Any, problem: str
) -> None:
    """Its error names the policy and no secret, and a later try may go."""
    wire, error = await send(tmp_path, key, policy)

    assert [] == wire.requests
    assert isinstance(error, PolicyError)
    assert error.problem.startswith(problem)
    assert error.policy in str(error)
    assert "s3cret" not in str(error)
    assert error.healable


async def test_a_failure_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever wrote the policy finds the traceback in the log, however many texts met it."""
    wire = Wire(ACCEPTED)
    async with posting(wire, policies=[failing]) as client:
        for _ in range(3):
            with pytest.raises(PolicyError):
                await client.send(NUMBER, "Hi")

    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "the policy failing failed" == record.getMessage()
    assert record.exc_info is not None


async def test_a_rewritten_text_is_what_goes_out(tmp_path: Path, key: str | None) -> None:
    """With the segments that it has; the next policy sees it."""
    seen: list[int] = []

    def after(text: Outgoing) -> Decision:
        seen.append(text.segments)
        return Allow()

    wire = Wire(ACCEPTED)
    with Journal.open(tmp_path / "j.db") as journal:
        rules = [rewriting(lambda _: 200 * "x"), after]
        async with posting(wire, journal, policies=rules) as client:
            receipt = await client.send(NUMBER, "Hi", key=key)

    assert (2, [2]) == (receipt.segments, seen)
    assert 200 * "x" in wire.requests[0].content.decode()


async def test_a_rewritten_text_is_checked(tmp_path: Path, key: str | None) -> None:
    """What the gateway can't send is not sent, or what the policy says otherwise holds."""
    _, error = await send(tmp_path, key, rewriting(lambda _: " "))
    _, second = await send(tmp_path, key, rewriting(lambda _: " ", WaitUntil(LATER)))

    assert (InvalidMessageError, SendLaterError) == (type(error), type(second))


async def test_the_journal_knows_a_rewritten_text_by_its_key(tmp_path: Path) -> None:
    """A policy that writes something else each time makes no second text of it."""
    texts = iter(("one", "two"))
    wire = Wire(ACCEPTED)
    with Journal.open(tmp_path / "j.db") as journal:
        rules = [rewriting(lambda _: next(texts))]
        async with posting(wire, journal, policies=rules) as client:
            first = await client.send(NUMBER, "Hi", key="1")
            second = await client.send(NUMBER, "Hi", key="1")

    assert (first, 1) == (second, len(wire.requests))


async def test_a_repeat_is_not_asked_about(tmp_path: Path) -> None:
    """What was sent before is no text that could be refused, or counted."""
    policy = Counting()
    wire = Wire(ACCEPTED)
    with Journal.open(tmp_path / "j.db") as journal:
        async with posting(wire, journal, policies=[policy]) as client:
            receipts = [await client.send(NUMBER, "Hi", key="1") for _ in range(3)]
            at_once = await asyncio.gather(*(client.send(NUMBER, "Hi", key="2") for _ in range(3)))

    assert 1 == len(set(map(repr, receipts))) == len(set(map(repr, at_once)))
    assert 2 == len(policy.asked) == len(policy.settled) == len(wire.requests)


@pytest.mark.parametrize(
    ("reply", "state"),
    [(ACCEPTED, "accepted"), (REFUSED, "not_sent"), (BROKEN, "unknown")],
    ids=["accepted", "refused", "unknown"],
)
async def test_a_policy_is_told_what_became_of_a_text(
    tmp_path: Path, key: str | None, reply: Any, state: str
) -> None:
    """Once, so that it can give back what it counted for a text that was not sent."""
    policy = Counting()
    await send(tmp_path, key, policy, reply=reply)

    assert [(NUMBER, state)] == policy.settled


async def test_who_allowed_what_the_next_one_refuses_is_told(
    tmp_path: Path, key: str | None
) -> None:
    """A policy that counted a text gives it back when a later policy refuses it."""
    first, last = Counting(), Counting(always(Refuse("no")))
    async with posting(Wire(ACCEPTED), policies=[first, last]) as client:
        with pytest.raises(PolicyRefusedError):
            await client.send(NUMBER, "Hi")

    assert [(NUMBER, "not_sent")] == first.settled
    assert [] == last.settled


async def test_a_policy_that_fails_to_settle_changes_no_outcome(tmp_path: Path) -> None:
    """The text is out, whatever goes wrong afterwards."""

    class Broken(Noting):
        def settle(self, *_: object) -> None:
            raise RuntimeError("oops")

    wire, error = await send(tmp_path, None, Broken())

    assert (None, 1) == (error, len(wire.requests))


async def test_a_send_that_is_cancelled_before_it_leaves_is_given_back() -> None:
    """Nobody is on the way, so nothing was counted."""
    asked = asyncio.Event()

    async def never(_: Outgoing) -> Decision:
        asked.set()
        await asyncio.Event().wait()
        return Allow()

    policy = Counting()
    async with posting(Wire(ACCEPTED), policies=[policy, never]) as client:
        sending = asyncio.create_task(client.send(NUMBER, "Hi"))
        await asked.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending

    assert [(NUMBER, "not_sent")] == policy.settled


async def test_a_router_asks_once_for_a_text() -> None:
    """However many of its gateways are tried."""
    policy = Counting()
    wire = Wire(BUSY, ACCEPTED)
    router = Failover(PostingProvider(name="a"), PostingProvider(name="b"), clock=wire.clock)
    async with SmsClient(router, pool=wire.pool, policies=[policy]) as client:
        await client.send(NUMBER, "Hi")

    assert [NUMBER] == policy.asked
    assert [(NUMBER, "accepted")] == policy.settled
    assert [[NUMBER], [NUMBER]] == [numbers_of(request) for request in wire.requests]


@pytest.mark.parametrize("what", ["night", 5, Noting, None])
def test_what_is_no_policy_is_refused_at_once(what: Any) -> None:
    """Before the first text asks it."""
    with pytest.raises(ConfigurationError, match="a policy is a function"):
        SmsClient(FakeProvider(), policies=[what])


@pytest.mark.parametrize(
    "make",
    [
        lambda: WaitUntil(datetime(2026, 1, 1)),
        lambda: Allow(until=datetime(2026, 1, 1)),
    ],
)
def test_times_have_a_zone(make: Callable[[], object]) -> None:
    """A time without one is an hour off somewhere."""
    with pytest.raises(ConfigurationError, match="has no time zone"):
        make()
