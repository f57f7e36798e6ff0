"""What a process holds, and whether it holds more and more of it."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median


Levels = Mapping[str, float]

ALLOWANCE: Levels = {
    "MB of memory": 8,
    "objects": 1500,
    "files": 3,
    "sockets": 10,
    "tasks": 3,
}
"""How much each level may differ between the start, once warm, and the end."""


def levels() -> Levels:
    """Return what this process holds now; on Linux."""
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text().split()[1])
    sockets = [_is_socket(name) for name in os.listdir("/proc/self/fd")]
    return {
        "MB of memory": resident * os.sysconf("SC_PAGE_SIZE") / 2**20,
        "objects": len(gc.get_objects()),
        "files": sockets.count(False),
        "sockets": sockets.count(True),
        "tasks": len(asyncio.all_tasks()),
    }


def _is_socket(name: str) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
    except FileNotFoundError:  # the listing's own
        return False


def grown(samples: Sequence[Levels]) -> dict[str, float]:
    """Return the levels that went up by more than they may, and by how much.

    The first third is warming up. Of the rest, the medians of the first and last third are
    compared, so that one odd moment neither hides a leak nor makes one.

    Args:
        samples: Levels at moments of rest, in order; at least nine.
    """
    warm = samples[len(samples) // 3 :]
    part = len(warm) // 3
    if part < 2:
        raise ValueError(f"{len(samples)} samples are too few to tell a trend")
    growth = {
        name: median(one[name] for one in warm[-part:]) - median(one[name] for one in warm[:part])
        for name in ALLOWANCE
    }
    return {name: more for name, more in growth.items() if more > ALLOWANCE[name]}
