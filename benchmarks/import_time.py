"""How long `import iprog_async` takes, against `import httpx` alone."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time


def _once(module: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)  # noqa: S603 - ours
    return time.perf_counter() - started


def measure(rounds: int = 11) -> dict[str, float]:
    """Return the median seconds of each import, the interpreter's own start taken off."""
    modules = ("sys", "httpx", "iprog_async", "iprog_async_providers")
    seen: dict[str, list[float]] = {module: [] for module in modules}
    for round_number in range(rounds + 1):
        for module in modules:
            seconds = _once(module)
            if round_number:  # the first one fills the disk cache
                seen[module].append(seconds)
    start = statistics.median(seen.pop("sys"))
    return {module: statistics.median(seconds) - start for module, seconds in seen.items()}


def rows(figures: dict[str, float]) -> list[tuple[str, str, str]]:
    """Return the table's rows."""
    return [
        (f"import {module}", f"{seconds * 1000:.0f} ms", f"{seconds / figures['httpx']:.2f} x")
        for module, seconds in figures.items()
    ]


if __name__ == "__main__":
    for row in rows(measure()):
        print("  ".join(row))
