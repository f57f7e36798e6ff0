"""Policies that allow a text when its turn comes, and not as it leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from attrs import define
from support.core.fakes import NUMBER, Wire, different_texts
from support.journal.journaling import ACCEPTED, posting
from support.policies.rules import Counting, Noting, always, rewriting

from iprog_async import (
    Allow,
    Decision,
    Message,
    Outgoing,
    PolicyError,
    PolicyRefusedError,
    Refuse,
    SmsClient,
    SmsError,
)
from iprog_async.testing import InstantClock


async def single(client: SmsClient[Any]) -> SmsError | None:
    """Send one text; return its error."""
    try:
        await client.send(NUMBER, "Hi")
    except SmsError as exc:
        return exc
    return None


async def in_a_run(client: SmsClient[Any]) -> SmsError | None:
    """Send one text in a run; return its error."""
    async with client.send_many([Message(NUMBER, "Hi")], concurrency=1) as run:
        (outcome,) = [outcome async for outcome in run]
    return outcome.error if outcome.state != "accepted" else None


ways = pytest.mark.parametrize("way", [single, in_a_run])


@ways
@pytest.mark.parametrize("kind", [Noting, Counting])
async def test_what_is_allowed_until_a_time_that_is_over_is_refused(
    way: Callable[[Any], Any], kind: type[Noting]
) -> None:
    """Such as until the end of yesterday, by a mistake: no text can leave by then."""
    rule = kind(lambda text: Allow(until=text.now))
    wire = Wire(ACCEPTED)
    async with posting(wire, policies=[rule]) as client:
        error = await way(client)

    assert isinstance(error, PolicyError)
    assert error.problem.endswith("which was already over")
    assert ([], 1) == (wire.requests, len(rule.asked))


@define(eq=False)
class Wavering(Noting):
    """Allows a text at its turn and not as it leaves, so many times."""

    times: int = 4
    holds_for: float = 0

    def decide(self, text: Outgoing) -> Decision:
        """Decide."""
        self.asked.append(text.number)
        count = len(self.asked)
        answer = self.answer(text)
        return Refuse("no") if count % 2 == 0 and count <= 2 * self.times else answer


@ways
async def test_who_has_texts_withdrawn_again_and_again_is_slowed_down(
    way: Callable[[Any], Any],
) -> None:
    """From the second time on, by a second of the client's clock: it keeps no program busy."""
    clock = InstantClock()
    wire = Wire(ACCEPTED)
    wire.pool.clock = clock
    async with posting(wire, policies=[Wavering()]) as client:
        error = await way(client)

    assert (None, 1) == (error, len(wire.requests))
    assert [1.0, 1.0, 1.0] == clock.sleeps


async def test_a_run_that_is_stopped_does_not_pause_first() -> None:
    """What it withdraws is no policy's change of mind."""
    clock = InstantClock()
    wire = Wire(ACCEPTED)
    wire.pool.clock = clock
    rule = Wavering()
    async with (
        posting(wire, policies=[rule]) as client,
        client.send_many(different_texts(1), concurrency=1) as run,
    ):

        def stop(_: Outgoing) -> Decision:
            if len(rule.asked) == 4:
                run.stop()
            return Allow()

        rule.answer = stop
        await run.drain()

    assert [] == clock.sleeps


def _sign_a(text: str) -> str:
    return f"{text} A."


def _sign_b(text: str) -> str:
    return f"{text} B."


@ways
@pytest.mark.parametrize(
    ("later", "sent"),
    [
        pytest.param(always(Refuse("said STOP")), [], id="refused"),
        pytest.param(rewriting(_sign_a), ["Hi A."], id="rewritten-the-same-way"),
        pytest.param(rewriting(_sign_b), ["Hi A."], id="rewritten-otherwise"),
    ],
)
async def test_who_rewrites_a_text_is_asked_again_as_it_leaves(
    way: Callable[[Any], Any], later: Callable[[Outgoing], Decision], sent: list[str]
) -> None:
    """About the text that it saw; what it rewrote stays as it was at its turn."""

    class Signing(Noting):
        holds_for = 0

        def decide(self, text: Outgoing) -> Decision:
            self.asked.append(text.message.text)
            return (rewriting(_sign_a) if len(self.asked) == 1 else later)(text)

    rule = Signing()
    wire = Wire(ACCEPTED)
    async with posting(wire, policies=[rule]) as client:
        error = await way(client)

    assert sent == [json.loads(request.content)["text"] for request in wire.requests]
    assert (not sent, {"Hi"}) == (isinstance(error, PolicyRefusedError), set(rule.asked))
