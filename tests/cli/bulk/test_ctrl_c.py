from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from support.cli.bulk import COMMAND, people, read_csv, read_json, start, write_csv
from support.waiting import LONG

from iprog_async.cli import main
from iprog_async.cli._terminal.signals import ctrl_c_interrupts, on_interrupts
from iprog_async.sandbox import Fault, Sandbox


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")

_PEOPLE = 30
_AT_ONCE = 3
# Seconds of an answer; a signal comes in the midst of it, also where a process has to wait for one.
_WHILE = 2.0


def _wait_until(ready: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + LONG
    while not ready() and time.monotonic() < ends_at:
        time.sleep(0.01)


def _copies(sandbox: Sandbox) -> Counter[str]:
    return Counter(text.to for text in sandbox.inbox)


def _tokens(tmp_path: Path, *more: str) -> list[str]:
    path = write_csv(tmp_path / "june.csv", people(_PEOPLE))
    return [
        *("bulk", path, "--text", "Hi {name}", "--concurrency", str(_AT_ONCE), "--yes"),
        *("--journal", str(tmp_path / "june.db"), "--results", str(tmp_path / "out.csv")),
        *more,
    ]


def _resume(output: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the very command that a stopped run printed."""
    line = next(line for line in output.splitlines() if line.startswith("  iprog-async bulk "))
    return subprocess.run(  # noqa: S603 - our own command
        [*COMMAND, *shlex.split(line)[1:], "--yes"],
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
        env={**os.environ, **settings},
    )


@pytest.mark.slow
def test_who_waits_for_the_rate_is_not_on_the_way(sandbox: Sandbox, tmp_path: Path) -> None:
    """What waits for the rate is withdrawn by a Ctrl-C, and not counted as on its way."""
    with start(*_tokens(tmp_path, "--rate", "2/h"), SMS_URL=sandbox.address("iprog")) as process:
        # One of the two is the question for the balance.
        _wait_until(lambda: "0917" in _written(tmp_path / "out.csv"))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LONG)

    assert (130, 1) == (process.returncode, len(sandbox.inbox))
    assert "iprog-async: stopping, none on their way" == err.splitlines()[0]
    assert f"accepted 1, not sent 0, unknown 0, not begun {_PEOPLE - 1}" in out


def _written(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def _line_with(stream: IO[str] | None, words: str) -> str:
    assert stream is not None
    return next(line for line in stream if words in line)


@pytest.mark.slow
def test_once_in_a_process(sandbox: Sandbox, tmp_path: Path) -> None:
    """The first Ctrl-C waits for what is on its way; the printed command sends the rest, once."""
    address = sandbox.address("iprog")
    sandbox.add_fault(Fault("POST /iprog/*", "delay", delay=_WHILE, times=None))

    with start(*_tokens(tmp_path), SMS_URL=address) as process:
        _wait_until(lambda: len(sandbox.inbox) >= _AT_ONCE)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LONG)
    first = len(sandbox.inbox)
    states = [row["state"] for row in read_csv(tmp_path / "out.csv")]
    sandbox.clear_faults()
    resumed = _resume(out, SMS_URL=address)

    assert (130, True, ["accepted"] * first) == (process.returncode, first < _PEOPLE, states)
    stopping, stopped = err.splitlines()
    assert f"iprog-async: stopping, {_AT_ONCE} on their way; Ctrl-C again gives them up" == stopping
    assert "iprog-async: stopped by Ctrl-C" == stopped
    assert "Traceback" not in err
    assert f"accepted {first}, not sent 0, unknown 0, not begun {_PEOPLE - first}" in out
    assert (0, {1}, _PEOPLE) == (
        resumed.returncode,
        set(_copies(sandbox).values()),
        len(sandbox.inbox),
    )


@pytest.mark.slow
def test_twice_in_a_process(sandbox: Sandbox, tmp_path: Path) -> None:
    """The second gives up at once; what was on its way is unknown, and is not sent again."""
    address = sandbox.address("iprog")
    sandbox.add_fault(Fault("POST /iprog/*", "delay", delay=30, times=None))

    with start(*_tokens(tmp_path), SMS_URL=address) as process:
        _wait_until(lambda: len(sandbox.inbox) == _AT_ONCE)
        process.send_signal(signal.SIGINT)
        _line_with(process.stderr, "stopping")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LONG)
    rows = read_csv(tmp_path / "out.csv")
    sandbox.clear_faults()
    resumed = _resume(out, SMS_URL=address)

    assert (6, ["unknown"] * _AT_ONCE) == (process.returncode, [row["state"] for row in rows])
    assert "giving up what is on its way: it may have been sent" in err
    assert "Traceback" not in err
    assert (6, {1}, _PEOPLE) == (
        resumed.returncode,
        set(_copies(sandbox).values()),
        len(sandbox.inbox),
    )
    assert f"unknown {_AT_ONCE}\n" in resumed.stdout


@pytest.mark.slow
def test_terminated_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """SIGTERM, as docker stop sends it, is a first Ctrl-C: nobody is unknown, and it is 143."""
    address = sandbox.address("iprog")
    sandbox.add_fault(Fault("POST /iprog/*", "delay", delay=_WHILE, times=None))

    with start(*_tokens(tmp_path), SMS_URL=address) as process:
        _wait_until(lambda: len(sandbox.inbox) >= _AT_ONCE)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=LONG)
    first = len(sandbox.inbox)
    sandbox.clear_faults()
    resumed = _resume(out, SMS_URL=address)

    assert (143, True) == (process.returncode, first < _PEOPLE)
    assert "stopping, 3 on their way; another SIGTERM gives them up" in err
    assert err.endswith("iprog-async: stopped by SIGTERM\n")
    assert f"accepted {first}, not sent 0, unknown 0, not begun {_PEOPLE - first}" in out
    assert (0, {1}, _PEOPLE) == (
        resumed.returncode,
        set(_copies(sandbox).values()),
        len(sandbox.inbox),
    )


@pytest.mark.slow
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_terminated_twice(sandbox: Sandbox, tmp_path: Path, second: signal.Signals) -> None:
    """Whatever comes second gives up at once, with a summary: what was on its way is unknown."""
    sandbox.add_fault(Fault("POST /iprog/*", "delay", delay=30, times=None))

    with start(*_tokens(tmp_path), SMS_URL=sandbox.address("iprog")) as process:
        _wait_until(lambda: len(sandbox.inbox) == _AT_ONCE)
        process.send_signal(signal.SIGTERM)
        _line_with(process.stderr, "stopping")
        process.send_signal(second)
        out, err = process.communicate(timeout=LONG)

    assert (6, True) == (process.returncode, "giving up what is on its way" in err)
    assert f"unknown {_AT_ONCE}, not begun {_PEOPLE - _AT_ONCE}\n" in out


def _press_when(ready: Callable[[], bool], *others: Callable[[], bool]) -> threading.Thread:
    """Interrupt this process when something has happened, and again when the next has."""

    def press() -> None:
        for happened in (ready, *others):
            _wait_until(happened)
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    return thread


@pytest.mark.usefixtures("_iprog")
def test_once(sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In JSON a stopped run tells the command to go on with; the old handler is back after."""
    sandbox.add_fault(Fault("POST /iprog/*", "delay", delay=0.3, times=None))
    before = signal.getsignal(signal.SIGINT)
    presser = _press_when(lambda: len(sandbox.inbox) >= _AT_ONCE)

    code = main(_tokens(tmp_path, "--json"))
    presser.join()

    data = read_json(capsys.readouterr().out)
    assert (130, True, None) == (code, data["stopped"], data["halted"])
    assert str(data["resume"]).startswith("iprog-async bulk ")
    assert before == signal.getsignal(signal.SIGINT)


@pytest.mark.usefixtures("_iprog")
def test_twice(sandbox: Sandbox, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Every message has one line in the results, whether it was settled or given up."""
    sandbox.add_fault(Fault("POST /iprog/*", "delay", delay=0.001, times=5))
    sandbox.add_fault(Fault("POST /iprog/*", "delay", delay=30, times=None))
    told: list[str] = []

    def stopping() -> bool:
        told.append(capfd.readouterr().err)
        return "stopping" in "".join(told)

    presser = _press_when(lambda: len(sandbox.inbox) == 5 + _AT_ONCE, stopping)

    code = main(_tokens(tmp_path))
    presser.join()

    states = Counter(row["state"] for row in read_csv(tmp_path / "out.csv"))
    assert (6, {"accepted": 5, "unknown": _AT_ONCE}) == (code, states)


@pytest.mark.usefixtures("_iprog")
def test_before_anything_is_sent(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the file is checked is 130, and nothing was sent."""

    def interrupt(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("iprog_async.cli._bulk.messages.CsvMessages.line_of", interrupt)
    path = write_csv(tmp_path / "june.csv", [("12", "Bo")])

    assert (130, 0) == (main(["bulk", path, "--text", "Hi", "--yes"]), len(sandbox.inbox))


def test_blocking_question() -> None:
    """While the loop is blocked Ctrl-C interrupts at once."""
    with contextlib.suppress(KeyboardInterrupt), ctrl_c_interrupts():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(LONG)
        raise AssertionError


def test_outside_of_the_main_thread() -> None:
    """Where no handler can be set, everything else works."""
    entered: list[bool] = []

    def enter() -> None:
        with ctrl_c_interrupts():
            entered.append(True)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert [True] == entered


# Makes the terminal the session's own, so that its Ctrl-C is a signal.
_ON_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def _on_a_terminal(tokens: list[str], keys: str, address: str) -> tuple[str, int]:
    """Run the command on a pseudo-terminal, and press keys at its question."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-c", _ON_TERMINAL, *COMMAND[1:], *tokens],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "SMS_URL": address, "COLUMNS": "160"},
    )
    os.close(theirs)
    shown = b""
    # When the other end is closed there is nothing to read any more, which Linux calls an error.
    with contextlib.suppress(OSError):
        while data := os.read(ours, 4096):
            shown += data
            if keys and b"[y/N] " in shown:
                os.write(ours, keys.encode())
                keys = ""
    os.close(ours)
    return shown.decode(), process.wait(LONG)


@pytest.mark.slow
@pytest.mark.parametrize(("keys", "code", "inbox"), [("\x03", 130, 0), ("y\n", 0, 3)])
def test_terminal(sandbox: Sandbox, tmp_path: Path, keys: str, code: int, inbox: int) -> None:
    """On a terminal it asks; Ctrl-C sends nothing, and a yes sends behind a bar."""
    path = write_csv(tmp_path / "june.csv", people(3))

    shown, returned = _on_a_terminal(
        ["bulk", path, "--text", "Hi {name}"], keys, sandbox.address("iprog")
    )

    bar = re.search(r"3/3.*accepted 3, not sent 0, unknown 0", shown, re.DOTALL)
    assert (code, inbox, inbox > 0) == (returned, len(sandbox.inbox), bar is not None)
    assert "Traceback" not in shown


async def test_once_more_than_there_are_actions() -> None:
    """Who goes on pressing is not kept waiting."""
    with on_interrupts(), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_which_signal_it_was(number: signal.Signals) -> None:
    """Each action learns what it was, and afterwards the signals do what they did before."""
    before, told = signal.getsignal(number), asyncio.Queue[signal.Signals]()
    with on_interrupts(told.put_nowait):
        os.kill(os.getpid(), number)
        assert number == await told.get()

    assert before == signal.getsignal(number)
