"""Servers of several processes that text with the synchronous client: gunicorn, and Celery."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from attrs import define, field

from iprog_async.testing import RawRequest, Reply


RATE = (15, 0.4)
"""How many texts each process of these servers may send in how many seconds."""

CLIENT = f"""
import os

from iprog_async import Rate
from iprog_async.sync import SmsClient
from iprog_async_providers.iprog import IprogProvider

provider = IprogProvider("1|token", base_url=os.environ["GATEWAY"], rate=Rate{RATE})
sms = SmsClient(provider, journal="texts.db", max_connections=4)
if os.environ.get("BEFORE"):
    # The process that forks the workers off uses it, too.
    sms.send("+639170000000", f"{{os.getpid()}} before", key="before")
"""
"""What these servers begin with: one client, made when the module is imported."""


@define
class Arrivals:
    """Answers as IPROG does, and notes when which process's texts arrived: a text is its name."""

    times: dict[str, list[float]] = field(factory=lambda: defaultdict[str, list[float]](list))
    texts: list[str] = field(factory=list[str])

    def __call__(self, request: RawRequest) -> Reply:
        """Note a text, and accept it."""
        text = str(json.loads(request.body)["message"])
        self.times[text.split()[0]].append(time.monotonic())
        self.texts.append(text)
        return Reply.of_json({"status": 200, "message_id": f"iSms-{len(self.texts)}"})

    @property
    def most_in_a_window(self) -> int:
        """The most texts that one process sent within the window of its rate."""
        return max(
            sum(start <= other < start + RATE[1] for other in times)
            for times in self.times.values()
            for start in times
        )


@define
class Server:
    """A server that runs, and what it has written so far."""

    process: subprocess.Popen[str]
    log: list[str] = field(factory=list[str])
    _changed: threading.Condition = field(factory=threading.Condition, init=False)

    def read(self) -> None:
        """Read what it writes until it ends; for a thread."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.log.append(line)
                self._changed.notify_all()

    def wait_for(self, pattern: str) -> str:
        """Return what the group of a pattern is in the first line that has it."""
        with self._changed:
            while True:
                for line in self.log:
                    if found := re.search(pattern, line):
                        return found[1]
                assert self._changed.wait(60), "".join(self.log)


@contextmanager
def running(*command: str, directory: Path, environment: dict[str, str]) -> Generator[Server]:
    """Start a module of Python as a server, and end it; it must have ended well."""
    process = subprocess.Popen(  # noqa: S603 - the test's own
        [sys.executable, "-m", *command],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    server = Server(process)
    reader = threading.Thread(target=server.read)
    reader.start()
    try:
        yield server
    finally:
        process.terminate()
        try:
            process.wait(60)
        finally:
            process.kill()
            reader.join()
            process.stdout.close()  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess] - it is a pipe
    assert "Traceback" not in "".join(server.log), "".join(server.log)
