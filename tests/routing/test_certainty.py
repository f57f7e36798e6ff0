from __future__ import annotations

import asyncio
import json

import pytest
from support.core.fakes import NUMBER
from support.routing.wire import LIMIT, accept, numbers_at, pair

from iprog_async import (
    ConnectionFailedError,
    Message,
    OutcomeUnknownError,
    ProviderError,
)
from iprog_async._http.pool import EngineName
from iprog_async.testing import (
    RawRequest,
    Reply,
    Step,
    drop,
    drop_on_arrival,
    flood,
    silence,
    truncate,
)
from iprog_async.testing._loop_time import jumping_time


ENGINES: tuple[EngineName, ...] = ("httpx", "asyncio")
SUCCESS = Reply.of_json({"status": 200, "message_id": "id-1", "sms_rate": "1"})

AMBIGUOUS: dict[str, Step] = {
    "503-after-accepting": Reply.of_html("<h1>Oops</h1>", 503),
    "500-empty": Reply(500),
    "502-of-a-proxy": Reply.of_html("<h1>Bad gateway</h1>", 502),
    "503-around-a-success": Reply(503, SUCCESS.body),
    "dropped": drop(),
    "reset": drop(reset=True),
    "dropped-on-arrival": drop_on_arrival(),
    "truncated": truncate(SUCCESS),
    "silence": silence(),
    "html-in-a-200": Reply.of_html("<h1>Hello</h1>"),
    "200-empty": Reply(200),
    "200-null": Reply.of_json(None),
    "200-list": Reply.of_json([]),
    "unknown-error-text": Reply.of_json({"status": 500, "message": "Something broke"}),
    "endless": flood(),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("fault", AMBIGUOUS.values(), ids=AMBIGUOUS)
async def test_ambiguous_faults(fault: Step, engine: EngineName) -> None:
    """After a fault that may hide a text there is exactly one request over all gateways."""
    with jumping_time() as jump:
        async with pair(a=fault, engine=engine) as two:
            sending = asyncio.create_task(two.sms.send(NUMBER, "Hi"))
            if fault is AMBIGUOUS["silence"]:
                await two.a.until(lambda gateway: gateway.begun == 1)
                jump(LIMIT)
            with pytest.raises(OutcomeUnknownError):
                await sending

            assert (1, 0) == two.begun


def _limit(request: RawRequest) -> Reply:
    return Reply.of_json({"message": "Too many"}, 429, {"Retry-After": "30"})


HEALABLE: dict[str, Step] = {
    "credit": Reply.of_json({"status": 500, "message": "Invalid api token or no load balance"}),
    "shared-sender": Reply.of_json({"status": 500, "message": "Smart/TNT: not allowed"}),
    "429": _limit,
    "401": Reply(401),
}
PERMANENT: dict[str, Step] = {
    "content": Reply.of_json({"status": 500, "message": ["Inappropriate language"]}),
    "404": Reply(404),
    "413": Reply(413),
    "redirect": Reply(308, "", {"Location": "/elsewhere"}),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("refusal", HEALABLE.values(), ids=HEALABLE)
async def test_healable_refusals_move_on(refusal: Step, engine: EngineName) -> None:
    """What one gateway certainly refused, and another may take, is sent by the other, once."""
    async with pair(a=refusal, engine=engine) as two:
        receipt = await two.sms.send(NUMBER, "Hi")

        assert ("b", (1, 1)) == (receipt.provider, two.begun)
        assert [] == two.clock.sleeps


@pytest.mark.parametrize("refusal", PERMANENT.values(), ids=PERMANENT)
async def test_permanent_refusals_do_not(refusal: Step) -> None:
    """What no other gateway would take either ends with the first one's refusal."""
    async with pair(a=refusal) as two:
        with pytest.raises(ProviderError):
            await two.sms.send(NUMBER, "Hi")

        assert (1, 0) == two.begun


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_dead_first_gateway(engine: EngineName) -> None:
    """A text gets through at once when the first gateway is not there at all."""
    async with pair(dead=True, engine=engine) as two:
        receipts = [await two.sms.send(NUMBER, f"Hi {number}") for number in range(3)]

        assert {"b"} == {receipt.provider for receipt in receipts}
        assert ((0, 3), []) == (two.begun, two.clock.sleeps)


async def test_a_dead_gateway_beside_one_that_asks_for_a_pause() -> None:
    """With nobody to take it each round asks both, the paused one without a request."""
    async with pair(dead=True, b=_limit) as two:
        with pytest.raises(ConnectionFailedError) as caught:
            await two.sms.send(NUMBER, "Hi")

        assert caught.value.healable
        assert (0, 1) == two.begun


@pytest.mark.usefixtures("whole_batches")
async def test_a_batch_without_an_answer_stays_where_it_is() -> None:
    """A lost answer about many texts leaves all of them unknown, and none at the other gateway."""
    numbers = [f"+63917000{index:04}" for index in range(10)]
    async with pair(a=drop()) as two:
        async with two.sms.send_many(Message(number, "Hi") for number in numbers) as run:
            outcomes = [outcome async for outcome in run]

        assert {"unknown"} == {outcome.state for outcome in outcomes}
        assert ((1, 0), 10) == (two.begun, len(numbers_at(two.a)))


async def test_reads_keep_the_sessions_retries() -> None:
    """A status is asked again when the answer is lost, as without a router."""
    answers = [Reply(500), Reply.of_json({"status": 200, "message_status": "completed"})]

    def status(request: RawRequest) -> Reply:
        return accept(request) if request.method == "POST" else answers.pop(0)

    async with pair(a=status) as two:
        receipt = await two.sms.send(NUMBER, "Hi")
        found = await two.sms.status(receipt)

        assert ("delivered", (3, 0)) == (found.state, two.begun)


async def test_vendor_operations_keep_the_sessions_retries() -> None:
    """`members` are bound like any provider: a code is asked for again after a rate limit."""
    ticket = {"phone_number": "639171234567", "otp_code": "123456"}
    answers = [
        Reply.of_json({"message": "Too many"}, 429, {"Retry-After": "3"}),
        Reply.of_json({"status": "success", "data": ticket}),
    ]
    async with pair(a=lambda _: answers.pop(0)) as two:
        found = await two.sms.provider.members["a"].otp.send(NUMBER)

        assert ("123456", [3.0]) == (found.code, two.clock.sleeps)
        assert ["639171234567"] * 2 == [
            json.loads(request.body)["phone_number"] for request in two.a.requests
        ]
