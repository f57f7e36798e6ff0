"""A refusal is a proof, or the outcome is unknown."""

from __future__ import annotations

from iprog_async.testing._contract.case import Subject
from iprog_async.testing._contract.checks.base import Checks, in_loop, scene
from iprog_async.testing._contract.doubts import Doubt
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
