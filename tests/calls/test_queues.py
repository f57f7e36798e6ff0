from __future__ import annotations

import asyncio
from functools import partial
from operator import gt

from hypothesis import given
from hypothesis import strategies as st
from support.core.clock import settle

from iprog_async._http.queues import SlotQueue, TurnQueue


async def test_slots_are_distinct_and_counted() -> None:
    """As many as there are can be had at once, each once."""
    slots = SlotQueue(3)

    taken = {await slots.acquire() for _ in range(3)}

    assert {0, 1, 2} == taken
    assert 3 == slots.in_use


async def test_warm_slot_comes_first() -> None:
    """The slot given back last is handed out next: its connection is still open."""
    slots = SlotQueue(3)
    first, second = await slots.acquire(), await slots.acquire()

    slots.release(first)
    slots.release(second)

    assert second == await slots.acquire()


async def test_waiting_calls_are_served_in_order() -> None:
    """First come, first served."""
    slots = SlotQueue(1)
    slot = await slots.acquire()
    order: list[int] = []

    async def one(number: int) -> None:
        taken = await slots.acquire()
        order.append(number)
        slots.release(taken)

    tasks = [asyncio.create_task(one(number)) for number in range(5)]
    await settle()
    slots.release(slot)
    await asyncio.gather(*tasks)

    assert [0, 1, 2, 3, 4] == order
    assert 0 == slots.in_use


async def test_slot_that_arrives_with_the_cancellation_is_passed_on() -> None:
    """A slot handed to a task that is cancelled in the same moment is not lost."""
    slots = SlotQueue(1)
    slot = await slots.acquire()
    unlucky = asyncio.create_task(slots.acquire())
    next_one = asyncio.create_task(slots.acquire())
    await settle()

    slots.release(slot)
    unlucky.cancel()

    assert slot == await next_one
    assert unlucky.cancelled()


STEPS = st.lists(
    st.tuples(st.sampled_from(["acquire", "release", "cancel", "settle"]), st.integers(0, 9)),
    max_size=60,
)


@given(st.integers(1, 3), STEPS)
async def test_storm_of_cancellations_loses_and_doubles_no_slot(
    size: int, steps: list[tuple[str, int]]
) -> None:
    """However acquiring, releasing and cancelling interleave, every slot has one owner or none."""
    slots = SlotQueue(size)
    tasks: list[asyncio.Task[int]] = []
    held: set[int] = set()

    def collect() -> None:
        for task in [task for task in tasks if task.done()]:
            tasks.remove(task)
            if not task.cancelled():
                assert task.result() not in held
                held.add(task.result())

    for step, which in steps:
        collect()
        if step == "acquire":
            tasks.append(asyncio.create_task(slots.acquire()))
        elif step == "release" and held:
            slots.release(held.pop())
        elif step == "cancel" and tasks:
            tasks[which % len(tasks)].cancel()
        elif step == "settle":
            await settle()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    collect()

    assert len(held) == slots.in_use
    for slot in held:
        slots.release(slot)
    assert 0 == slots.in_use
    assert set(range(size)) == {await slots.acquire() for _ in range(size)}


LINE = st.lists(
    st.tuples(
        st.sampled_from(["enter", "leave", "cancel", "send away", "settle"]), st.integers(0, 9)
    ),
    max_size=60,
)


@given(LINE)
async def test_storm_of_cancellations_loses_and_doubles_no_turn(
    steps: list[tuple[str, int]],
) -> None:
    """However they come, go and are sent away, one at most has its turn, and the next gets it."""
    line = TurnQueue()
    tasks: list[tuple[int, asyncio.Task[bool]]] = []
    having: list[int] = []

    def collect() -> None:
        for place in [place for place in tasks if place[1].done()]:
            tasks.remove(place)
            if not place[1].cancelled() and place[1].result():
                having.append(place[0])
        assert len(having) <= 1

    for number, (step, which) in enumerate(steps):
        await settle()
        collect()
        if step == "enter":
            tasks.append((number, asyncio.create_task(line.enter(which))))
        elif step == "leave" and having:
            having.clear()
            line.leave()
        elif step == "cancel" and tasks:
            tasks[which % len(tasks)][1].cancel()
        elif step == "send away":
            line.send_away(partial(gt, which))
    await settle()
    collect()
    assert len(tasks) + len(having) == len(line)
    assert having or not tasks
    order = [number for number, _ in tasks]
    for number in order:
        having.clear()
        line.leave()
        await settle()
        collect()
        assert [number] == having
    if having:
        line.leave()
    assert 0 == len(line)


async def test_a_turn_that_comes_with_the_cancellation_is_passed_on() -> None:
    """A turn given to a task that is cancelled in the same moment is not lost."""
    line = TurnQueue()
    assert await line.enter(0)
    unlucky = asyncio.create_task(line.enter(0))
    next_one = asyncio.create_task(line.enter(0))
    await settle()

    line.leave()
    unlucky.cancel()

    assert await next_one
    assert unlucky.cancelled()
