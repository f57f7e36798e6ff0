from __future__ import annotations

import random
import socket
from collections.abc import Callable

import pytest
from attrs import evolve

from soak.levels import Level, changes


_HELD = Level(memory=80_000, files=60, threads=12, tasks=70)
_MEASUREMENTS = 120


def _levels(change: Callable[[int, Level], Level]) -> list[Level]:
    """Return noisy levels, each changed as told by its position."""
    noise = random.Random(7)  # noqa: S311 - noise
    return [
        change(
            position,
            Level(
                memory=_HELD.memory + noise.randrange(-1500, 1500),
                files=_HELD.files + noise.randrange(-8, 8),
                threads=_HELD.threads + noise.randrange(-1, 2),
                tasks=_HELD.tasks + noise.randrange(-12, 12),
            ),
        )
        for position in range(_MEASUREMENTS)
    ]


def _grown(levels: list[Level]) -> set[str]:
    return {name for name, change in changes(levels).items() if change.grew}


def _nothing(_: int, level: Level) -> Level:
    """Leave the noise as it is."""
    return level


def _warm_up(position: int, level: Level) -> Level:
    """Grow fast at the start, as imports and pools do."""
    missing = max(0.0, 1 - position / (_MEASUREMENTS * 0.2))
    return evolve(level, memory=int(level.memory * (1 - missing / 2)), files=5)


def _peak(position: int, level: Level) -> Level:
    """Hold ten times as much for a moment, shortly before the end."""
    if 105 <= position < 112:
        return Level(level.memory * 10, level.files * 10, level.threads * 10, level.tasks * 10)
    return level


@pytest.mark.parametrize("change", [_nothing, _warm_up, _peak])
def test_noise_is_no_leak(change: Callable[[int, Level], Level]) -> None:
    """What only varies, grows while it warms up, or has a peak, does not grow."""
    assert set() == _grown(_levels(change))


@pytest.mark.parametrize(
    ("name", "each"), [("memory", 150), ("files", 0.25), ("threads", 0.1), ("tasks", 0.4)]
)
def test_leak_is_found(name: str, each: float) -> None:
    """What grows a little from each measurement to the next is a leak, in the noise, too."""

    def leak(position: int, level: Level) -> Level:
        return evolve(level, **{name: getattr(level, name) + int(position * each)})

    assert {name} == _grown(_levels(leak))


def test_memory_may_be_given_more_room() -> None:
    """A short run may allow for memory that is still being warmed up, and for nothing else."""

    def leak(position: int, level: Level) -> Level:
        return evolve(level, memory=level.memory + position * 150, files=level.files + position)

    found = changes(_levels(leak), noise={"memory": 20_000})
    assert {"files"} == {name for name, change in found.items() if change.grew}


def test_leak_that_begins_late_is_found() -> None:
    """A leak of the last third shows, too."""

    def leak(position: int, level: Level) -> Level:
        return evolve(level, files=level.files + max(0, position - 80))

    assert {"files"} == _grown(_levels(leak))


async def test_level_is_of_this_process() -> None:
    """A level counts the sockets that were opened since the last one."""
    if not Level.can_measure():
        pytest.skip("reads Linux's own figures")
    before = Level.now()
    one, other = socket.socketpair()
    with one, other:
        now = Level.now()
    assert (before.files + 2, before.tasks) == (now.files, now.tasks)
    assert now.memory > 1000
