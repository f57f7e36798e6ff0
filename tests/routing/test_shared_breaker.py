"""Circuit breakers that several processes share: one opens for all, one tries, all go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from support.core.fakes import prepared
from support.routing.fakes import gateway, lost

from iprog_async import BreakerPolicy, SmsError
from iprog_async._limits.breaker import BreakerReply, BreakerReport, settle_breaker
from iprog_async._limits.shared import SharedLimits
from iprog_async._limits.store import LimitStoreError, MemoryStore
from iprog_async._routing.caution import Caution
from iprog_async._routing.circuit_breaker import Breaker
from iprog_async._routing.members import Member
from iprog_async._routing.shared_breaker import SharedBreaker
from iprog_async.adapter import PreparedMessage
from iprog_async.testing import InstantClock


ACCOUNT = ("sms.example", ("a token",))
POLICY = BreakerPolicy(failures=2, cooldown=30)

Step = SmsError | None


class Fleet:
    """The same member in several processes, over one store."""

    def __init__(self, processes: int, *steps: Step) -> None:
        self.clock = InstantClock()
        self.store = MemoryStore(self.clock.monotonic)
        self.provider = gateway("a", *steps)
        self.members = [self.one_more() for _ in range(processes)]

    def one_more(self) -> Member:
        """Return the member as one more process has it."""
        limits = SharedLimits(self.store)
        breaker = Breaker(POLICY, self.clock)
        report = limits.of_breaker(ACCOUNT)
        shared = SharedBreaker(limits.owner, report, breaker, POLICY, self.clock)
        return Member(self.provider, breaker, Caution(POLICY.failures), shared)

    async def send(self, process: int) -> bool:
        """Submit a text in a process; return whether the gateway was asked for it."""
        # A process that sends looks at what the others found twice a second.
        self.clock.advance(0.6)
        return await self.members[process].submit((prepared(),), None, "failover") is not None

    @property
    def asked(self) -> int:
        """How often the gateway was asked."""
        return len(self.provider.sent)


async def opened(processes: int, *later: Step) -> Fleet:
    """Return a fleet whose first process has just found the gateway out of order."""
    fleet = Fleet(processes, lost(), lost(), *later)
    assert [True, True] == [await fleet.send(0), await fleet.send(0)]
    return fleet


async def test_one_process_opens_it_for_all() -> None:
    """A gateway that one process found out of order is left alone by all."""
    fleet = await opened(3)

    assert [False] * 3 == [await fleet.send(process) for process in (0, 1, 2)]
    assert 2 == fleet.asked


async def test_one_text_of_all_processes_tries_whether_it_works_again() -> None:
    """While the try is on its way, no process makes another one."""
    going, answered = asyncio.Event(), asyncio.Event()

    async def slowly(batch: Sequence[PreparedMessage]) -> object:
        going.set()
        await answered.wait()
        raise lost()

    fleet = await opened(3)
    fleet.clock.advance(31)
    trying = asyncio.create_task(_with(fleet, slowly).send(1))
    await going.wait()

    assert [False, False] == [await fleet.send(process) for process in (0, 2)]
    answered.set()
    assert await trying


def _with(fleet: Fleet, send: Callable[[Sequence[PreparedMessage]], Awaitable[object]]) -> Fleet:
    object.__setattr__(fleet.provider, "send", send)
    return fleet


async def test_a_try_that_fails_leaves_it_open_for_all() -> None:
    """The next try, of whichever process, comes after another cooldown."""
    fleet = await opened(2, lost(), None)
    fleet.clock.advance(31)

    assert [True, False, False] == [await fleet.send(process) for process in (1, 0, 1)]
    fleet.clock.advance(31)
    assert await fleet.send(0)


async def test_a_try_that_works_closes_it_for_all() -> None:
    """All processes go on at once."""
    fleet = await opened(3, None)
    fleet.clock.advance(31)

    assert [True] * 4 == [await fleet.send(process) for process in (2, 0, 1, 2)]


async def test_a_process_that_comes_later_knows_it_too() -> None:
    """Before its first text it looks what the others have found."""
    fleet = await opened(1)
    fleet.members.append(fleet.one_more())

    assert not await fleet.send(1)


async def test_a_process_that_is_gone_with_its_try_holds_it_up_for_a_minute() -> None:
    """Another one tries then."""
    fleet = await opened(2)
    fleet.clock.advance(31)
    tried = fleet.members[0].shared
    assert tried is not None
    await tried.look()

    assert not await fleet.send(1)
    fleet.clock.advance(61)
    assert await fleet.send(1)


async def test_a_try_that_was_not_made_is_left_to_others() -> None:
    """A process that has only a whole batch to send gives back the leave for one text."""
    fleet = await opened(2, None)
    fleet.clock.advance(31)
    batch = [prepared(), prepared()]

    assert await fleet.members[1].submit(batch, None, "failover") is None
    assert await fleet.send(0)


async def test_a_lost_text_costs_as_many_as_without_the_store() -> None:
    """Where the store can't be used, each process goes by what it has seen itself."""
    fleet = Fleet(2, lost())

    async def away(report: BreakerReport) -> BreakerReply:
        raise LimitStoreError(report)

    for number, member in enumerate(fleet.members):
        shared = SharedBreaker(str(number), away, member.breaker, POLICY, fleet.clock)
        fleet.members[number] = Member(fleet.provider, member.breaker, Caution(2), shared)

    assert [True, True, False] == [await fleet.send(0) for _ in range(3)]
    assert [True, True, False] == [await fleet.send(1) for _ in range(3)]


@pytest.mark.parametrize("state", ["", "nonsense", "[]", "{}", "[1]", '["a", 1, null, 0]'])
def test_a_state_that_can_not_be_read_is_made_anew(state: str) -> None:
    """Another release may have written it."""
    assert BreakerReply() == settle_breaker(state, 1.0, BreakerReport(owner="a"))[1]
