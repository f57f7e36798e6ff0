"""What a process holds, and whether that grows."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from attrs import asdict, field, frozen


_WARM_UP = 0.2
_PART = 0.25


@frozen
class Level:
    """What a process holds at one moment.

    Args:
        memory: Resident memory, in kB.
        files: Open file descriptors.
        threads: Threads.
        tasks: Tasks of asyncio that have not ended.
    """

    memory: int
    files: int
    threads: int
    tasks: int

    @staticmethod
    def can_measure() -> bool:
        """Return whether this system tells what a process holds."""
        return os.path.isdir("/proc/self/fd")

    @classmethod
    def now(cls) -> Level:
        """Measure this process; it must be on its event loop."""
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return cls(
            memory=_figure(status, "VmRSS:"),
            files=len(os.listdir("/proc/self/fd")),
            threads=_figure(status, "Threads:"),
            tasks=len(asyncio.all_tasks()),
        )


def _figure(status: str, name: str) -> int:
    return int(status.partition(name)[2].split(maxsplit=1)[0])


@frozen
class Change:
    """One figure after warming up and at the end.

    Args:
        early: Its median after warming up.
        late: Its median at the end.
        noise: Growth that means nothing.
    """

    early: float
    late: float
    noise: float = field(repr=False)

    @property
    def grew(self) -> bool:
        """Whether it is a leak."""
        return self.late - self.early > self.noise

    def __str__(self) -> str:
        return f"{self.early:.0f} → {self.late:.0f} (noise: {self.noise:.0f})"


# At least so much is noise, and at least this share of the level: requests in flight, the
# rounds of bulk runs, pages that the allocator keeps, SQLite's cache of each journal, which
# takes some ten thousand keys to fill its 2 MB, and the marks of the sender itself.
_NOISE = {
    "memory": (6144.0, 0.05),
    "files": (12.0, 0.15),
    "threads": (3.0, 0.15),
    "tasks": (20.0, 0.15),
}


def changes(
    levels: Sequence[Level], *, noise: Mapping[str, float] | None = None
) -> dict[str, Change]:
    """Return how each figure changed from the end of the warm-up to the end of the run.

    The first fifth is warm-up. Of the rest, the median of the first quarter is held against
    that of the last: a peak moves neither, and what leaks a little each time moves the last.

    Args:
        levels: Measured at equal intervals, at least five times.
        noise: By figure, growth that means nothing, where more than usual does.
    """
    warm = [asdict(level) for level in levels[int(len(levels) * _WARM_UP) :]]
    part = max(1, int(len(warm) * _PART))
    found: dict[str, Change] = {}
    for name, (least, share) in _NOISE.items():
        early = median(level[name] for level in warm[:part])
        late = median(level[name] for level in warm[-part:])
        further = 0.0 if noise is None else noise.get(name, 0.0)
        found[name] = Change(early, late, max(least, share * early, further))
    return found
