from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve
from support.contract.iprog import IPROG

from iprog_async import Failover, HttpPool, RetryPolicy
from iprog_async._core.clock import Clock, SystemClock
from iprog_async.testing import Operation, ProviderContract, Subject
from iprog_async.testing._contract.checks.base import in_loop, scene


class Shared:
    """The clock of the pool that was opened last: the router goes by the same."""

    clock: Clock = SystemClock()


def open_pool(*, clock: Clock, max_connections: int) -> HttpPool:
    """Open a pool, and remember its clock."""
    Shared.clock = clock
    return HttpPool(clock=clock, max_connections=max_connections, engine="asyncio")


def _alone(base_url: str) -> Failover:
    retry = RetryPolicy(attempts=3, base=0)
    return Failover(IPROG.make(base_url), name="iprog", retry=retry, clock=Shared.clock)


def _of_member(operations: Mapping[str, Operation]) -> dict[str, Operation]:
    """Return a vendor's operations, called by way of the router's members."""

    def called(operation: Operation) -> Operation:
        async def call(router: Failover) -> object:
            return await operation.call(router.members["iprog"])

        return evolve(operation, call=call)

    return {name: called(operation) for name, operation in operations.items()}


async def _status(router: Failover) -> object:
    return await router.status("iprog:iSms-2GfhbG")


_STATUS = evolve(IPROG.reads["status"], call=_status)


class TestRouterOfOne(ProviderContract):
    """The contract that every adapter keeps, for a router with one member.

    Two claims hold in another form: each text of a router waits by itself, and a binding that
    breaks is an unknown outcome already.
    """

    case = evolve(
        IPROG,
        make=_alone,
        registered=False,
        variants={},
        reads={**_of_member(IPROG.reads), "status-by-ref": _STATUS},
        deletes=_of_member(IPROG.deletes),
        billed=_of_member(IPROG.billed),
    )
    open_pool = staticmethod(open_pool)

    @in_loop
    @pytest.mark.usefixtures("whole_batches")
    async def test_a_rate_limit_is_waited_for_once_by_all(self, subject: Subject) -> None:
        """Texts in the queue learn of the pause: one refusal, and nobody waits any longer."""
        busy = subject.case.limited.with_headers(Retry_After="2")
        async with scene(subject, busy, subject.accept, max_connections=1) as it:
            async with it.sms.send_many([subject.message(at) for at in range(5)]) as run:
                counts = await run.drain()

            assert (5, 2, {2.0}) == (counts.accepted, it.gateway.begun, set(it.sleeps))

    @in_loop
    async def test_bind_returns_a_copy_and_leaves_the_original_untouched(
        self, subject: Subject
    ) -> None:
        """Calls of the bound copy go where it was bound to; the original makes none."""
        calls: list[object] = []

        async def call(made: object, /) -> Any:
            calls.append(made)
            raise RuntimeError("no network here")

        original = subject.make("http://127.0.0.1:9")
        bound = original.bind(call)
        (first,) = await original.submit([original.prepare(subject.message())])
        before = len(calls)
        (second,) = await bound.submit([bound.prepare(subject.message())])

        assert (type(original), original.name) == (type(bound), bound.name)
        assert ("not_sent", "unknown") == (first.state, second.state)
        assert (0, 1) == (before, len(calls))
