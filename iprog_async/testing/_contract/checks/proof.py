"""A refusal is a proof, or the outcome is unknown."""

from __future__ import annotations

from iprog_async._core.outcomes import Accepted
from iprog_async.testing._contract.case import Subject
from iprog_async.testing._contract.checks.base import Checks, in_loop, scene
from iprog_async.testing._contract.doubts import (
    Doubt,
    PartlyDoubt,
    with_an_error,
    without_its_id,
)
from iprog_async.testing._raw_gateway.behaviours import answer
from iprog_async.testing._raw_gateway.messages import Reply


class ProofChecks(Checks):
    """What looks like a refusal, and may hide a text that was sent."""

    @in_loop
    async def test_a_doubtful_refusal_is_never_not_sent(
        self, subject: Subject, doubt: Doubt
    ) -> None:
        """An id beside the words, a server error around them, …: one request, never not sent."""
        for reply in doubt(subject):
            async with scene(subject, answer(reply)) as it:
                provider = it.sms.provider
                (outcome,) = await provider.submit([provider.prepare(subject.message())])
                assert outcome.state != "not_sent", f"not sent, after {reply.body!r}"
                assert (it.gateway.begun, it.sleeps) == (1, [])

    @in_loop
    async def test_one_of_several_is_refused_by_a_proof(
        self, subject: Subject, partly: PartlyDoubt
    ) -> None:
        """Whom a list refuses is not sent; with a sign in it or beside it, never."""
        find = subject.case.partly
        assert find is not None
        reply = find(subject.wires[:3])
        assert await _states(subject, reply) == ["not_sent", "accepted", "accepted"]
        changed = partly(reply, subject.wires[0])
        assert (await _states(subject, changed))[0] != "not_sent", f"after {changed.body!r}"

    @in_loop
    async def test_a_success_with_an_error_is_unknown(self, subject: Subject) -> None:
        """An answer that says both proves neither that it was taken, nor that it was not."""
        for reply in with_an_error(subject.success()):
            async with scene(subject, reply) as it:
                provider = it.sms.provider
                (outcome,) = await provider.submit([provider.prepare(subject.message())])
                assert outcome.state == "unknown", f"{outcome.state}, after {reply.body!r}"

    @in_loop
    async def test_what_stands_for_no_id_is_never_one(self, subject: Subject) -> None:
        """A success with `0`, `"null"` or blanks for its id: no receipt has that for an id."""
        reply = subject.success()
        async with scene(subject, reply) as it:
            message_id = (await it.sms.send(subject.number, subject.case.text)).message_id
        for changed in [] if message_id is None else without_its_id(reply, message_id):
            async with scene(subject, changed) as it:
                provider = it.sms.provider
                (outcome,) = await provider.submit([provider.prepare(subject.message())])
                if isinstance(outcome, Accepted):
                    assert outcome.receipt.message_id is None, f"an id, after {changed.body!r}"


async def _states(subject: Subject, reply: Reply) -> list[str]:
    """Return what becomes of three recipients of a request that is answered so."""
    async with scene(subject, answer(reply)) as it:
        provider = it.sms.provider
        batch = [provider.prepare(subject.message(place), place) for place in range(3)]
        outcomes = await provider.submit(batch)
        assert it.gateway.begun == 1
        return [outcome.state for outcome in outcomes]
