"""The claim contract when several gateways are asked for one batch, with a real journal.

What a kill would leave behind is read from the file by another connection, at the very moment
a gateway is asked or the router waits.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.core.fakes import NUMBER
from support.routing.journal import WatchingClock, states_in, submit_one_batch
from support.routing.wire import Pair, accept, numbers_at, pair

from iprog_async import Failover, Journal, Message, RetryPolicy
from iprog_async.testing import InstantClock, RawRequest, Reply, Step, drop
from iprog_async_providers.iprog import IprogProvider


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


@pytest.mark.usefixtures("whole_batches")
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


@pytest.mark.parametrize(
    ("answer", "state"), [(Reply(500), "unknown"), (accept, "accepted")], ids=["lost", "taken"]
)
async def test_what_may_be_out_is_not_taken_back_by_a_failed_connection(
    tmp_path: Path, answer: Callable[[RawRequest], Reply] | Reply, state: str
) -> None:
    """A text that may be on its way stays so on record, whatever another request meets later.

    The first gateway gets the batch in two requests: it loses or takes the first text, and
    refuses the second, which goes on to a gateway that is not there.
    """
    path = tmp_path / "j.db"
    clock = WatchingClock(path, {"claimed", "released"})
    first, second = NUMBERS[:2]

    def build(gone: IprogProvider, there: IprogProvider, _: InstantClock) -> Failover:
        return Failover(there, gone, retry=RetryPolicy(attempts=2, max_pause=0), clock=clock)

    on_record: list[dict[str, str]] = []

    def step(request: RawRequest) -> Reply:
        on_record.append(states_in(path))
        if second[1:] in request.body.decode():
            return LIMIT
        return answer if isinstance(answer, Reply) else answer(request)

    with Journal.open(path) as journal:
        async with pair(dead=True, b=step, build=build, max_batch=1) as two:
            outcomes = await submit_one_batch(two.sms.provider, journal, [first, second])

    assert [state, "not_sent"] == [outcome.state for outcome in outcomes]
    assert [{first: "claimed"}, {first: "claimed", second: "claimed"}] == on_record
    assert [{first: "claimed", second: "released"}] == clock.seen
    assert {first: state, second: "not_sent"} == states_in(path)


@pytest.mark.usefixtures("whole_batches")
async def test_texts_wait_as_not_sent_between_rounds(tmp_path: Path) -> None:
    """A run that is killed while the router waits finds the waiting texts unsent, not unknown.

    Both gateways refused them in an answer, so no failed connection has released their rows.
    """
    path = tmp_path / "j.db"
    clock = WatchingClock(path, {"released"})
    answers = [CREDIT]

    def build(a: IprogProvider, b: IprogProvider, _: InstantClock) -> Failover:
        return Failover(a, b, retry=RetryPolicy(attempts=2), clock=clock)

    def step(request: RawRequest) -> Reply:
        return answers.pop() if answers else accept(request)

    async with pair(a=step, b=Reply(401), build=build) as two:
        outcomes = await run(two, path, NUMBERS)

    assert [dict.fromkeys(NUMBERS, "released")] == clock.seen
    assert dict.fromkeys(NUMBERS, "accepted") == outcomes


@pytest.mark.usefixtures("whole_batches")
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
        async with pair(a=CREDIT, journal=journal) as two:
            receipts = [await two.sms.send(NUMBER, "Hi", key="order-1") for _ in range(2)]

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
