"""Worker processes that a test can do something bad to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from support.fleet import child
from support.waiting import LONG


class Workers:
    """So many workers, each in a process.

    Args:
        base_url: The gateway.
        journal: The journal's address.
        log: Where they write what they have to say.
        count: How many there are.
        stalled_after: After how many seconds without a sign of life they count as gone.
    """

    def __init__(
        self, base_url: str, journal: str, log: Path, count: int, stalled_after: float = 1.0
    ) -> None:
        self._base_url = base_url
        self._journal = journal
        self._log = log
        self._count = count
        self._stalled_after = stalled_after
        self._started = 0
        self.processes: list[subprocess.Popen[bytes]] = []
        self.names: list[str] = []

    def __enter__(self) -> Self:
        for _ in range(self._count):
            self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def start(self) -> None:
        """Start one more."""
        self._started += 1
        name = f"worker {self._started}"
        command = [sys.executable, child.__file__, self._base_url, self._journal]
        command += [name, str(self._stalled_after)]
        with self._log.open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - ours
        self.processes.append(process)
        self.names.append(name)

    def kill(self, place: int) -> None:
        """Kill one, and start another one in its place."""
        process = self.processes.pop(place)
        self.names.pop(place)
        process.kill()
        process.wait()
        self.start()

    def freeze(self, place: int) -> int:
        """Stop one where it stands; `thaw` lets it go on."""
        number = self.processes[place].pid
        os.kill(number, signal.SIGSTOP)
        return number

    def thaw(self, number: int) -> None:
        """Let one go on."""
        os.kill(number, signal.SIGCONT)

    def terminate(self) -> list[int]:
        """Let all end what they are at; return how they ended."""
        for process in self.processes:
            process.terminate()
        return [process.wait(LONG) for process in self.processes]

    def said(self) -> str:
        """Return what they have said so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""
