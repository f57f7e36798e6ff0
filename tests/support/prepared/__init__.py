"""An interpreter that has done its imports, which are most of what a short program takes.

A program that it runs is a process of its own, forked, with the caller's streams, folder, variables
and signals, and ends as any other. What it does not show is an import that the program forgot, of
something that the library has imported: type checkers show that.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


_HERE = Path(__file__).parent
_COMMANDS = ("iprog-async", "gunicorn", "celery")


@contextmanager
def prepared_programs() -> Generator[Path]:
    """Start the interpreter, and end it with all that it still runs.

    Yields:
        The folder of a `python`, and of commands written in it, that ask it, for `PATH`.
    """
    # Not in `tmp_path`: in memory there may be no programs.
    with TemporaryDirectory(prefix="prepared-") as folder:
        door, programs = Path(folder, "door"), Path(folder, "bin")
        _write_programs(programs, door)
        command = [sys.executable, str(_HERE / "interpreter.py"), str(door)]
        with subprocess.Popen(  # noqa: S603 - ours
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
        ) as interpreter:
            try:
                assert interpreter.stdout is not None
                assert interpreter.stdout.readline(), "the interpreter did not start"
                yield programs
            finally:
                os.killpg(interpreter.pid, signal.SIGKILL)


def _write_programs(folder: Path, door: Path) -> None:
    # Without `site`, as it imports nothing but what is built in, it has begun in a moment.
    ask = shlex.join([sys.executable, "-IS", str(_HERE / "caller.py"), str(door)])
    folder.mkdir()
    _write(folder / "python", f'exec {ask} "$@"\n')
    for name in _COMMANDS:
        installed = shlex.quote(str(Path(sys.executable).with_name(name)))
        _write(folder / name, f'exec {ask} {installed} "$@"\n')


def _write(program: Path, line: str) -> None:
    program.write_text(f"#!/bin/sh\n{line}", encoding="utf-8")
    program.chmod(0o755)
