"""The claim contract when several gateways are asked for one batch, with a real journal.

What a kill would leave behind is read from the file by another connection, at the very moment
a gateway is asked or the router waits.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from iprog_async import Failover, Journal, Message, RetryPolicy
from iprog_async.testing import InstantClock, RawRequest, Reply, Step, drop
from iprog_async_providers import InfopromoProvider
from iprog_async_providers.iprog import IprogProvider
from support.core_fakes import NUMBER
from support.routing_journal import states_in
from support.routing_wire import Pair, accept, numbers_at, pair


NUMBERS = [f"+63917000000{digit}" for digit in range(4)]
CREDIT = Reply.of_json({"status": 500, "message": "Invalid api token or no load balance"})
LIMIT = Reply.of_json({"message": "Too many"}, 429, {"Retry-After": "30"})

Seen = list[set[str]]


def watched(path: Path, seen: Seen, reply: Callable[[RawRequest], Reply] | Reply) -> Step:
    """Answer like `reply`, after a look at what the journal holds about the texts asked for."""

    def step(request: RawRequest) -> Reply:
        states = states_in(path)
        numbers = json.loads(request.body)["phone_number"].split(",")
        seen.append({states[f"+{number}"] for number in numbers})
        return reply if isinstance(reply, Reply) else reply(request)

    return step


async def run(two: Pair, path: Path, numbers: list[str]) -> dict[str, str]:
    """Send to some numbers with a journal; return their outcomes' states."""
    messages = [Message(number, "Hi") for number in numbers]
    async with two.sms.send_many(messages, journal=path) as bulk:
        return {outcome.message.to: outcome.state async for outcome in bulk}


async def test_claims_follow_the_texts_from_member_to_member(tmp_path: Path) -> None:
    """Whoever is asked, the rows of that request are on record as claimed before it leaves."""
    path, seen = tmp_path / "j.db", list[set[str]]()
    async with pair(a=watched(path, seen, CREDIT), b=watched(path, seen, accept)) as two:
        outcomes = await run(two, path, NUMBERS)

    assert dict.fromkeys(NUMBERS, "accepted") == outcomes
    assert [{"claimed"}, {"claimed"}] == seen
    assert dict.fromkeys(NUMBERS, "accepted") == states_in(path)


async def test_nobody_reached_is_not_sent_in_the_end(tmp_path: Path) -> None:
    """Texts that no gateway got end as not sent, and the next run sends them."""
    path = tmp_path / "j.db"
    async with pair(dead=True, b=CREDIT) as two:
        first = await run(two, path, NUMBERS[:1])
    states = states_in(path)
    async with pair(dead=True) as two:
        second = await run(two, path, NUMBERS[:1])

    number = NUMBERS[0]
    assert ({number: "not_sent"}, {number: "not_sent"}) == (first, states)
    assert {number: "accepted"} == second


async def test_an_unknown_outcome_is_not_taken_back_by_a_failed_connection(
    tmp_path: Path,
) -> None:
    """A text that may be on its way stays so on record, whatever another request meets later.

    The first gateway parts the batch: the first request loses its answer, and the second one
    is refused and goes on to a gateway that is not there.
    """
    path = tmp_path / "j.db"
    seen: list[dict[str, str]] = []

    def step(request: RawRequest) -> Reply:
        if "0000001" in request.body.decode():
            return Reply(500)
        return LIMIT

    def build(a: IprogProvider, b: IprogProvider, clock: InstantClock) -> Failover:
        class Watch(InstantClock):
            async def sleep(self, seconds: float) -> None:
                # A release is written in the background.
                for _ in range(200):
                    if set(states_in(path).values()) == {"claimed", "released"}:
                        break
                    await asyncio.sleep(0.005)
                seen.append(states_in(path))

        retry = RetryPolicy(attempts=2, base=0, max_pause=0)
        return Failover(b, a, retry=retry, clock=Watch())

    async with pair(dead=True, b=step, build=build, max_batch=1) as two:
        messages = [Message(number, "Hi") for number in NUMBERS[1:3]]
        wide = two.sms.provider
        with Journal.open(path) as journal:
            from iprog_async._ledger import Ledger
            from iprog_async._submitting import submit

            ledger = Ledger(journal)
            prepared = [wide.prepare(message, index) for index, message in enumerate(messages)]
            batch, _ = await ledger.admit(prepared)
            outcomes = await submit(wide, batch, ledger)
            await ledger.record(batch, outcomes)

    assert ["unknown", "not_sent"] == [outcome.state for outcome in outcomes]
    assert [{NUMBERS[1]: "claimed", NUMBERS[2]: "released"}] == seen
    assert {NUMBERS[1]: "unknown", NUMBERS[2]: "not_sent"} == states_in(path)


async def test_accepted_texts_are_not_taken_back_when_the_rest_moves_on(tmp_path: Path) -> None:
    """Of a batch that one gateway took in part, only the rest is claimed and released again."""
    path = tmp_path / "j.db"

    def half(request: RawRequest) -> Reply:
        numbers = json.loads(request.body)["recipient"].split(",")
        rows = [
            {"phone": number, "uid": f"u{number}", "status": "Delivered"} for number in numbers[:1]
        ]
        failed = [{"phone": number, "status": "Rejected"} for number in numbers[1:]]
        return Reply.of_json({"status": "success", "data": {"data": [*rows, *failed]}})

    def build(a: IprogProvider, b: IprogProvider, clock: InstantClock) -> Failover:
        first = InfopromoProvider("t" * 20, sender_id="Shop", name="a", base_url=b.base_url)
        retry = RetryPolicy(attempts=1)
        return Failover(first, a, retry=retry, clock=clock)

    async with pair(dead=True, b=half, build=build) as two:
        outcomes = await run(two, path, NUMBERS[:2])

    assert outcomes == states_in(path)


async def test_texts_wait_as_not_sent_between_rounds(tmp_path: Path) -> None:
    """A run that is killed while the router waits finds the waiting texts unsent, not unknown."""
    path = tmp_path / "j.db"
    seen: list[dict[str, str]] = []

    def build(a: IprogProvider, b: IprogProvider, clock: InstantClock) -> Failover:
        class Watch(InstantClock):
            async def sleep(self, seconds: float) -> None:
                for _ in range(200):
                    if set(states_in(path).values()) == {"released"}:
                        break
                    await asyncio.sleep(0.005)
                seen.append(states_in(path))

        return Failover(a, b, retry=RetryPolicy(attempts=2, base=0), clock=Watch())

    answers = [CREDIT, Reply(401), CREDIT]
    async with pair(
        a=lambda request: answers.pop(0) if answers else accept(request),
        b=Reply(401),
        build=build,
    ) as two:
        await run(two, path, NUMBERS)

    assert [dict.fromkeys(NUMBERS, "released")] == seen


async def test_a_lost_answer_is_unknown_on_record_and_not_resent(tmp_path: Path) -> None:
    """A resumed run leaves alone what a gateway may have sent, and asks no other one for it."""
    path = tmp_path / "j.db"
    async with pair(a=drop()) as two:
        first = await run(two, path, NUMBERS)
        assert (1, 0) == two.begun
    async with pair() as two:
        second = await run(two, path, NUMBERS)
        assert (0, 0) == two.begun

    assert dict.fromkeys(NUMBERS, "unknown") == first == second


async def test_keyed_sends_through_a_failover(tmp_path: Path) -> None:
    """A key's text goes out once, over all gateways, and its receipt is remembered."""
    with Journal.open(tmp_path / "j.db") as journal:
        async with pair(a=CREDIT) as two:
            two.sms._keyed = None
            async with type(two.sms)(
                two.sms.provider, pool=two.sms._pool, journal=journal
            ) as sms:
                receipts = [await sms.send(NUMBER, "Hi", key="order-1") for _ in range(2)]

            assert [NUMBER[1:]] == numbers_at(two.b)
            assert ["b", "b"] == [receipt.provider for receipt in receipts]
            assert receipts[0].ref == receipts[1].ref


@pytest.mark.parametrize("dead", [True, False])
async def test_a_whole_run_is_on_record(tmp_path: Path, dead: bool) -> None:
    """Every text of a run through a failover is on record with the gateway that took it."""
    path = tmp_path / "j.db"
    numbers = [f"+63917{index:07}" for index in range(120)]
    async with pair(dead=dead, max_batch=7) as two:
        outcomes = await run(two, path, numbers)
    with Journal.open(path) as journal:
        providers = {entry.provider async for entry in journal.entries()}
        counts = await journal.counts()

    assert dict.fromkeys(numbers, "accepted") == outcomes
    assert ({"b" if dead else "a"}, 120) == (providers, counts["accepted"])
