"""A program that a prepared interpreter runs can't tell: what its reader sees is the same."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from pathlib import Path

import pytest


pytestmark = pytest.mark.slow


def _bash(line: str, programs: Path, folder: Path, **variables: str) -> tuple[int, str, str]:
    """Return how a line of shell ends, and what it writes."""
    environment = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", **variables}
    done = subprocess.run(  # noqa: S603 - ours
        ["bash", "-c", line],  # noqa: S607 - the reader's shell
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        input="from outside\n",
    )
    return done.returncode, done.stdout, done.stderr


def test_what_it_has(programs: Path, tmp_path: Path) -> None:
    """It has the caller's folder, arguments, variables and streams, and imports its neighbours."""
    (tmp_path / "neighbour.py").write_text("WORD = 'a neighbour'\n", encoding="utf-8")
    (tmp_path / "program.py").write_text(
        "import os, sys, neighbour\n"
        "print(__name__, os.getcwd(), sys.argv, os.environ['GIVEN'], neighbour.WORD, input())\n"
        "print('a complaint', file=sys.stderr)\n",
        encoding="utf-8",
    )
    said = f"__main__ {tmp_path} ['program.py', 'a b'] 1 a neighbour from outside\n"
    ended = _bash("python program.py 'a b'", programs, tmp_path, GIVEN="1")
    assert (0, said, "a complaint\n") == ended


def test_what_it_leaves(programs: Path, tmp_path: Path) -> None:
    """What it changed is gone with it: the next one finds the library as it was."""
    (tmp_path / "one.py").write_text(
        "import os, iprog_async\niprog_async.LEFT = os.environ['LEFT'] = '1'\n", encoding="utf-8"
    )
    (tmp_path / "two.py").write_text(
        "import os, iprog_async\nprint(hasattr(iprog_async, 'LEFT'), 'LEFT' in os.environ)\n",
        encoding="utf-8",
    )
    assert (0, "False False\n", "") == _bash("python one.py; python two.py", programs, tmp_path)


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ("pass", 0),
        ("raise SystemExit(3)", 3),
        ("raise ValueError", 1),
        ("import atexit, os; atexit.register(os._exit, 4)", 4),
        ("import os; os.kill(os.getpid(), 9)", 128 + signal.SIGKILL),
    ],
)
def test_how_it_ends(programs: Path, tmp_path: Path, ends: str, code: int) -> None:
    """Its caller ends as it did."""
    (tmp_path / "program.py").write_text(ends, encoding="utf-8")
    # Not the last command: bash would be replaced by it.
    assert code == _bash("python program.py; exit $?", programs, tmp_path)[0]


def test_a_module_and_a_command(programs: Path, tmp_path: Path) -> None:
    """A module runs by its name, and the library's command as it is installed."""
    line = f"{shlex.join(['count', 'Hello'])} && "
    told = _bash(f"python -m iprog_async {line} iprog-async {line} true", programs, tmp_path)
    first, second = told[1].splitlines()
    assert (0, first) == (told[0], second)


def test_a_signal(programs: Path, tmp_path: Path) -> None:
    """A signal to the caller is the program's."""
    (tmp_path / "program.py").write_text(
        "import signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
        "print('ready', flush=True)\n"
        "print(signal.sigwait([signal.SIGTERM]).name)\n",
        encoding="utf-8",
    )
    with subprocess.Popen(  # noqa: S603 - ours
        [programs / "python", "program.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as caller:
        assert caller.stdout is not None
        assert "ready\n" == caller.stdout.readline()
        caller.terminate()
        assert "SIGTERM\n" == caller.stdout.read()
    assert 0 == caller.returncode
