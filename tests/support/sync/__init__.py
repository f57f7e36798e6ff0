"""What the tests of the synchronous client share."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from iprog_async.testing import RawGateway
from support.waiting import LONG


class ThreadGateway:
    """A raw gateway that serves in a thread of its own, for code that has no event loop."""

    def __init__(self, gateway: RawGateway, loop: asyncio.AbstractEventLoop) -> None:
        self.gateway = gateway
        self._loop = loop

    @property
    def base_url(self) -> str:
        """Address of the gateway."""
        return self.gateway.base_url

    def until(self, condition: Callable[[RawGateway], bool]) -> None:
        """Wait until the gateway is as told."""
        asyncio.run_coroutine_threadsafe(self.gateway.until(condition), self._loop).result()


@contextmanager
def serving(gateway: RawGateway) -> Generator[ThreadGateway]:
    """Have a raw gateway serve in a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(gateway.__aenter__(), loop).result()
        try:
            yield ThreadGateway(gateway, loop)
        finally:
            asyncio.run_coroutine_threadsafe(gateway.__aexit__(None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def run_program(source: str, directory: Path, *arguments: str) -> str:
    """Run a program in a process of its own, and return what it prints; it must not complain."""
    path = directory / "program.py"
    path.write_text(source, encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - the test's own program
        [sys.executable, "-W", "always", str(path), *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout
