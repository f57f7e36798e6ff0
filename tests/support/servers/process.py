"""A server of several processes: what it writes is waited for, and a worker can be killed."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import define, field

from support.waiting import LONG


LISTENING = r"(?:Listening at:|running on) (http://[\d.:]+)"
"""Where gunicorn and uvicorn are to be found, as they write it."""

_STARTED = re.compile(
    r"(?:Started server process \[|Booting worker with pid: \[?|Worker process )(\d+)"
)
"""Seconds for a server to do what it always does; a busy machine may need some of them."""


@define
class Server:
    """A server that runs, and what it has written so far."""

    process: subprocess.Popen[str]
    log: list[str] = field(factory=list[str])
    killed: set[int] = field(factory=set[int])
    _changed: threading.Condition = field(factory=threading.Condition, init=False)

    @property
    def told(self) -> str:
        """All that it has written."""
        return "".join(self.log)

    def read(self) -> None:
        """Read what it writes until it ends; for a thread."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.log.append(line)
                self._changed.notify_all()

    def wait_for(self, pattern: str, times: int = 1) -> str:
        """Return what the group of a pattern is in the first line that has it.

        Args:
            pattern: Has one group.
            times: In so many lines it has to be.
        """
        with self._changed:
            while True:
                found = re.findall(pattern, self.told)
                if len(found) >= times:
                    return str(found[0])
                assert self._changed.wait(LONG), self.told

    def workers(self) -> list[int]:
        """Return the processes that have started and were not killed."""
        started = map(int, _STARTED.findall(self.told))
        return [pid for pid in started if pid not in self.killed]

    def kill_a_worker(self, moments: random.Random, may: Callable[[], bool] = lambda: True) -> None:
        """Kill a worker as hard as can be; the server starts another one.

        Args:
            moments: Chooses the worker.
            may: Tells, while the worker is stopped, whether it may be killed as it stands; if not,
                it goes on, and another moment is tried.
        """
        pid = moments.choice(self.workers())
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            while not may():
                os.kill(pid, signal.SIGCONT)
                time.sleep(moments.uniform(0, 0.05))
                os.kill(pid, signal.SIGSTOP)
        self.killed.add(pid)
        # The server itself may have ended it, where a machine is so busy that it took it for dead.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def running(
    *command: str, directory: Path, environment: Mapping[str, str], tracebacks: bool = False
) -> Generator[Server]:
    """Start a module of Python as a server, and end it; it must have ended well.

    Args:
        command: The module, and its arguments.
        directory: Where it runs.
        environment: All its variables.
        tracebacks: Whether it may write some, as Celery does of a process that was killed.
    """
    process = subprocess.Popen(  # noqa: S603 - the test's own
        [sys.executable, "-m", *command],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # so that no worker is left if it does not end by itself
    )
    server = Server(process)
    reader = threading.Thread(target=server.read)
    reader.start()
    try:
        yield server
    finally:
        process.terminate()
        try:
            process.wait(LONG)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        finally:
            reader.join()
            process.stdout.close()  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess] - it is a pipe
    assert tracebacks or "Traceback" not in server.told, server.told
