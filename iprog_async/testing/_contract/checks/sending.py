"""Where all goes well, and where the gateway certainly refuses."""

from __future__ import annotations

import json

from iprog_async._core.errors import ProviderError
from iprog_async._core.messages import Message
from iprog_async._core.outcomes import Accepted
from iprog_async._core.receipts import Receipt
from iprog_async._core.segments import count_segments
from iprog_async.testing._contract.case import Subject
from iprog_async.testing._contract.checks.base import Checks, failure, in_loop, scene
from iprog_async.testing._contract.secret_finder import leaks
from iprog_async.testing._raw_gateway.messages import Reply


class SendingChecks(Checks):
    """Acceptance and refusal."""

    @in_loop
    async def test_success_is_a_receipt_that_can_be_stored(self, subject: Subject) -> None:
        """One request, and a receipt of this adapter that survives JSON and shows no secret."""
        async with scene(subject, subject.success()) as it:
            receipt = await it.sms.send(subject.number, subject.case.text)
            assert it.gateway.begun == 1
            assert it.sms.provider.name == receipt.provider
            assert subject.wire(subject.number) == [receipt.to]
            assert count_segments(subject.case.text).count == receipt.segments
            assert not receipt.scheduled
            assert receipt == Receipt.from_dict(json.loads(json.dumps(receipt.to_dict())))
            shown = [repr(receipt), repr(receipt.raw), repr(it.sms.provider)]
            assert leaks(shown, subject.case.secrets) == []

    @in_loop
    async def test_segments_are_counted_by_the_text(self, subject: Subject) -> None:
        """A long text with an emoji is counted as the phone network does."""
        text = "Parcel 🎁 on its way. " * 10
        async with scene(subject, subject.success()) as it:
            receipt = await it.sms.send(subject.number, text)
            assert count_segments(text).count == receipt.segments

    @in_loop
    async def test_the_text_and_the_number_travel_unchanged(self, subject: Subject) -> None:
        """Odd characters of a text reach the gateway as they are."""
        text = 'Ñandú & "100%" +1 = 2? ✓ 🎁'
        async with scene(subject, subject.success()) as it:
            await it.sms.send(subject.number, text)
            (request,) = it.gateway.requests
            assert text in request.values
            assert [subject.wires[0]] == subject.named(request)

    @in_loop
    async def test_many_come_to_one_outcome_each_in_order(self, subject: Subject) -> None:
        """Each message gets its own receipt, and no request carries more than allowed."""
        messages = [Message(number, subject.case.text) for number in subject.case.numbers]
        async with scene(subject, subject.accept) as it:
            run = it.sms.send_many(messages, concurrency=1, window=len(messages))
            async with run:
                outcomes = [outcome async for outcome in run]
            assert [(index, message) for index, message in enumerate(messages)] == [
                (outcome.index, outcome.message) for outcome in outcomes
            ]
            receipts = [outcome.receipt for outcome in outcomes if isinstance(outcome, Accepted)]
            assert list(subject.wires) == [receipt.to for receipt in receipts]
            carried = [subject.named(request) for request in it.gateway.requests]
            assert sorted(subject.wires) == sorted(wire for batch in carried for wire in batch)
            largest = it.sms.provider.batching.max_batch
            assert largest >= max(map(len, carried))
            # A run begins with a request to one and one to two.
            assert len(carried) <= 2 + -(-len(subject.wires) // largest)

    @in_loop
    async def test_a_refusal_of_the_table_is_raised_and_not_retried(self, subject: Subject) -> None:
        """A refusal that is known to come before dispatch: one request, certainly not sent."""
        case = subject.case
        async with scene(subject, case.refusal) as it:
            error = await failure(it.sms.send(subject.number, case.text), ProviderError)
            assert isinstance(error, case.refusal_error)
            assert it.gateway.begun == 1
            assert not error.may_have_been_sent
            assert it.sms.provider.name == error.provider
            assert case.refusal.status == error.http_status

    @in_loop
    async def test_redirects_are_refusals_and_never_followed(self, subject: Subject) -> None:
        """A request that belongs elsewhere was not worked on; following it would lose its body."""
        for status in (301, 307, 308):
            moved = Reply(status, "", {"Location": "/elsewhere"})
            async with scene(subject, moved) as it:
                call = it.sms.send(subject.number, subject.case.text)
                error = await failure(call, ProviderError)
                assert status == error.http_status
                assert it.gateway.begun == 1
