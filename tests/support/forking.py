"""A process that forks for each call of a function: imports take a new interpreter longest."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

from attrs import frozen


_EACH = """
import json as _json, os as _os, sys as _sys, traceback as _traceback

for _line in _sys.stdin:
    _child = _os.fork()
    if _child == 0:
        try:
            main(*_json.loads(_line))
        except BaseException:
            _traceback.print_exc()
            _os._exit(1)
        _os._exit(0)
    _, _status = _os.waitpid(_child, 0)
    print(_os.waitstatus_to_exitcode(_status), flush=True)
"""


@frozen
class Forking:
    """A process that has done its imports.

    Args:
        process: The process.
    """

    process: subprocess.Popen[str]

    def call(self, *arguments: str | int) -> int:
        """Call `main` in a child of its own, and return how that ended, as `Popen` does."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(arguments) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@contextmanager
def forking(script: str) -> Generator[Forking]:
    """Run a script that defines `main`, whose calls then cost a fork each."""
    command = [sys.executable, "-c", script + _EACH]
    with subprocess.Popen(  # noqa: S603 - ours
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Forking(process)
