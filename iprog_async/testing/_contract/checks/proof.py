"""A refusal is a proof, or the outcome is unknown."""

from __future__ import annotations

from iprog_async._core.outcomes import Accepted
from iprog_async.testing._contract.case import Subject
from iprog_async.testing._contract.checks.base import Checks, in_loop, scene
from iprog_async.testing._contract.doubts import Doubt, without_its_id
from iprog_async.testing._raw_gateway.behaviours import answer


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
