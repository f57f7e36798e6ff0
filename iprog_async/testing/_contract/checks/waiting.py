"""What is waited for and what is asked again."""

from __future__ import annotations

import asyncio
from typing import Any

from iprog_async._client.client import SmsClient
from iprog_async._core.errors import NoAnswerError, NotFoundError
from iprog_async.testing._contract.case import Operation, Subject
from iprog_async.testing._contract.checks.base import ATTEMPTS, Checks, failure, in_loop, scene
from iprog_async.testing._raw_gateway.behaviours import answer, drop
from iprog_async.testing._raw_gateway.messages import Reply


NOON = "Fri, 02 Jan 2026 12:00:00 GMT"
A_MINUTE_LATER = "Fri, 02 Jan 2026 12:01:00 GMT"
CALLERS = 5


class WaitingChecks(Checks):
    """Rate limits, reads and deletes."""

    @in_loop
    async def test_a_rate_limit_in_seconds_is_waited_for(self, subject: Subject) -> None:
        """429 with `Retry-After` in seconds: that wait, then accepted."""
        busy = subject.case.limited.with_headers(Retry_After="2")
        async with scene(subject, busy, subject.success()) as it:
            await it.sms.send(subject.number, subject.case.text)
            assert (it.sleeps, it.gateway.begun) == ([2.0], 2)

    @in_loop
    async def test_a_rate_limit_until_a_date_is_waited_for(self, subject: Subject) -> None:
        """429 with `Retry-After` as a date: a wait by the gateway's own clock, then accepted."""
        busy = subject.case.limited.with_headers(Date=NOON, Retry_After=A_MINUTE_LATER)
        async with scene(subject, busy, subject.success()) as it:
            await it.sms.send(subject.number, subject.case.text)
            assert (it.sleeps, it.gateway.begun) == ([60.0], 2)

    @in_loop
    async def test_a_rate_limit_is_waited_for_once_by_all(self, subject: Subject) -> None:
        """Calls in the queue learn of the pause: one refusal, one wait, no further one."""
        busy = subject.case.limited.with_headers(Retry_After="2")
        async with scene(subject, busy, subject.accept, max_connections=1) as it:
            await _all_send(it.sms, subject)
            assert (it.sleeps, it.gateway.begun) == ([2.0], 1 + CALLERS)

    @in_loop
    async def test_a_rate_limit_is_followed_by_no_stampede(self, subject: Subject) -> None:
        """Calls that were all refused start again one by one, each asking once more."""
        busy = subject.case.limited.with_headers(Retry_After="2")
        slow = answer(subject.accept, after=0.01)
        script = [answer(busy, after=0.01)] * CALLERS
        async with scene(subject, *script, slow) as it:
            await _all_send(it.sms, subject)
            assert it.gateway.begun == 2 * CALLERS
            assert max(request.under_way for request in it.gateway.requests[:CALLERS]) == CALLERS
            restart = it.gateway.requests[CALLERS:]
            assert [request.under_way for request in restart[:2]] == [1, 1]

    @in_loop
    async def test_a_read_is_asked_again(self, subject: Subject, read: Operation) -> None:
        """A read whose answers get lost is repeated until one comes."""
        async with scene(subject, read.reply) as it:
            expected = await read.call(it.sms.provider)
        async with scene(subject, drop(), Reply.of_html("busy", 503), read.reply) as it:
            assert expected == await read.call(it.sms.provider)
            assert it.gateway.begun == ATTEMPTS

    @in_loop
    async def test_a_read_without_answer_ends(self, subject: Subject, read: Operation) -> None:
        """A read that gets no answer: the allowed attempts, then `NoAnswerError`."""
        for loss in (drop(), Reply.of_html("busy", 503), Reply.of_html("hello")):
            async with scene(subject, loss) as it:
                error = await failure(read.call(it.sms.provider), NoAnswerError)
                assert it.gateway.begun == ATTEMPTS
                assert not error.may_have_been_sent

    @in_loop
    async def test_a_delete_is_asked_again(self, subject: Subject, delete: Operation) -> None:
        """A delete whose answer got lost, and that then finds nothing, has worked."""
        async with scene(subject, drop(), delete.gone) as it:
            await delete.call(it.sms.provider)
            assert it.gateway.begun == 2
        async with scene(subject, delete.reply) as it:
            await delete.call(it.sms.provider)
            assert it.gateway.begun == 1

    @in_loop
    async def test_a_delete_of_nothing_says_so(self, subject: Subject, delete: Operation) -> None:
        """A delete that finds nothing at its first try is a `NotFoundError`, not a success."""
        async with scene(subject, delete.gone) as it:
            await failure(delete.call(it.sms.provider), NotFoundError)
            assert it.gateway.begun == 1


async def _all_send(sms: SmsClient[Any], subject: Subject) -> None:
    numbers = subject.case.numbers[:CALLERS]
    await asyncio.gather(*(sms.send(number, subject.case.text) for number in numbers))
