from __future__ import annotations

import asyncio
import io
import os
import re
import runpy
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.cli.runner import Cli
from support.waiting import LONG

from iprog_async.cli import _run, main
from iprog_async.cli._errors.failure import from_bug
from iprog_async.sandbox import Fault, Sandbox


_TO = "09171234567"


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (["bogus"], "iprog-async --help"),
        (["--json"], "iprog-async --help"),
        (["--", "bogus"], "iprog-async --help"),
        (["send"], "iprog-async send --help"),
        (["providers", "a"], "iprog-async providers --help"),
        (["status", "iprog:1", "--bogus"], "iprog-async status --help"),
        (["balance", "--json=maybe"], "iprog-async balance --help"),
        (["send", _TO, "hello", "--form", "ACME"], "iprog-async send --help"),
    ],
)
def test_usage(cli: Cli, tokens: list[str], words: str) -> None:
    """Wrong usage is one line that ends with where to look."""
    ran = cli.run(tokens)
    said = ran.err or ran.error["message"]
    assert (ran.code, said.strip().endswith(f"see {words}")) == (2, True)


def test_usage_in_json(cli: Cli) -> None:
    """With `--json` a usage error is an object, too."""
    ran = cli("send", "--json")
    assert (ran.code, ran.err, ran.error["type"]) == (2, "", "UsageError")
    assert False is ran.error["may_have_been_sent"]


@pytest.mark.parametrize(
    "tokens",
    [
        ["iprog://sandbox-hidden@", "send"],
        ["send", _TO, "hello", "iprog://sandbox-hidden@"],
        ["send", _TO, "hello", "--ulr", "iprog://sandbox-hidden@"],
        ["send", _TO, "hello", "--ulr=iprog://sandbox-hidden@"],
        ["balance", "--url", "iprog://sandbox-hidden@?rate=often"],
        ["balance", "--url", "iprog://sandbox-hidden@/path"],
        ["balance", "--url", "sandbox-hidden"],
    ],
)
def test_addresses_are_not_echoed(cli: Cli, tokens: list[str]) -> None:
    """An address in the wrong place, or a wrong one, is never shown."""
    ran = cli.run(tokens)
    assert (ran.code in (2, 3), "sandbox-hidden" in ran.out + ran.err) == (True, False)


def test_no_command(cli: Cli) -> None:
    """Without a command the help is shown."""
    ran = cli()
    assert (ran.code, "Usage: iprog-async COMMAND" in ran.out) == (0, True)


def test_version(cli: Cli) -> None:
    """`--version` is the version and nothing else."""
    ran = cli("--version")
    assert (ran.code, len(ran.out.strip().split("."))) == (0, 3)


def test_arguments_of_the_process(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry point takes the process's own arguments."""
    monkeypatch.setattr(sys, "argv", ["iprog-async", "count", "hi"])
    assert (main(), capsys.readouterr().out[:5]) == (0, "GSM-7")


def test_module(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m iprog_async` ends with the command's exit code."""
    monkeypatch.setattr(sys, "argv", ["iprog_async", "count"])
    with pytest.raises(SystemExit, match=r"^2$"):
        runpy.run_module("iprog_async", run_name="__main__")
    assert "either a text or --file" in capsys.readouterr().err


@pytest.mark.parametrize("module", ["cyclopts", "rich.table"])
def test_missing_extra(cli: Cli, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """Without the extra the line is the command that installs it."""
    if module == "cyclopts":
        monkeypatch.delitem(sys.modules, "iprog_async.cli._base.app", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    ran = cli("providers")
    assert (ran.code, ran.err.endswith(': pip install "iprog-async[cli]"\n')) == (3, True)


def test_missing_module_of_someone_else(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that no extra has is a bug, told by its name."""

    def fail(*_: object) -> None:
        raise ModuleNotFoundError("no module", name="plugin.missing")

    monkeypatch.setattr(_run, "_dispatch", fail)
    ran = cli("providers")
    assert (ran.code, "ModuleNotFoundError (plugin.missing)" in ran.err) == (1, True)


@pytest.mark.parametrize(
    ("tokens", "target", "code", "words"),
    [
        (["balance"], "balance", 1, "nothing was sent"),
        (["send", _TO, "hello"], "send", 6, "the text may have been sent"),
    ],
)
@pytest.mark.usefixtures("_iprog")
def test_bug(
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    tokens: list[str],
    target: str,
    code: int,
    words: str,
) -> None:
    """An error that nobody foresaw is one line with its place and without its words."""

    async def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("sandbox-hidden")

    monkeypatch.setattr(f"iprog_async._client.client.SmsClient.{target}", fail)
    ran = cli.run(tokens)
    assert (code, False) == (ran.code, "sandbox-hidden" in ran.err)
    assert re.search(r"unexpected ZeroDivisionError in [\w.]*test_run, line \d+", ran.err)
    assert words in ran.err


def test_bug_without_a_place() -> None:
    """An error that was never raised has no place to name."""
    failure = from_bug(ValueError())
    assert failure.message.startswith("unexpected ValueError: ")


class _Closed(io.StringIO):
    """A pipe whose reader went away."""

    def write(self, text: str) -> int:
        """Fail like a pipe."""
        raise BrokenPipeError

    def fileno(self) -> int:
        """Have no file, like a buffer."""
        raise OSError


@pytest.mark.usefixtures("_iprog")
def test_broken_pipe(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that goes away changes no exit code: the text was accepted, and once."""
    monkeypatch.setattr(sys, "stdout", _Closed())
    assert (main(["send", _TO, "hello"]), len(sandbox.inbox)) == (0, 1)


@pytest.mark.parametrize("error", [BrokenPipeError(), SystemExit(1)])
def test_broken_pipe_of_the_help(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Help into a closed pipe is no failure, whichever way the help's writer says so."""
    monkeypatch.setattr(sys, "stdout", io.StringIO())

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(_run, "_dispatch", fail)
    assert main(["--help"]) == 0


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """A terminal that can't show a character gets its number."""
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    assert main(["count", "☃"]) == 0
    assert b"\\u2603  U+2603  SNOWMAN" in written.getvalue()


def _press_ctrl_c_when(happened: Callable[[], object]) -> threading.Thread:
    """Interrupt this process once something has happened at the sandbox."""

    def wait_and_press() -> None:
        ends_at = time.monotonic() + LONG
        while not happened() and time.monotonic() < ends_at:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=wait_and_press)
    thread.start()
    return thread


@pytest.mark.usefixtures("_iprog")
def test_ctrl_c_on_the_way(cli: Cli, sandbox: Sandbox) -> None:
    """Ctrl-C while a text is on its way says that it may have been sent."""
    sandbox.add_fault(Fault("POST /iprog/*", "delay", delay=30))
    presser = _press_ctrl_c_when(lambda: sandbox.inbox)
    ran = cli("send", _TO, "hello", "--json")
    presser.join()
    assert (
        ran.code,
        ran.error["type"],
        ran.error["may_have_been_sent"],
    ) == (130, "Interrupted", True)


@pytest.mark.usefixtures("_iprog")
def test_ctrl_c_while_a_text_with_a_key_is_on_the_way(
    cli: Cli, sandbox: Sandbox, tmp_path: Path
) -> None:
    """It says the same of a text with a key, whose sending goes on to its outcome."""
    sandbox.add_fault(Fault("POST /iprog/*", "delay", delay=0.5))
    presser = _press_ctrl_c_when(lambda: sandbox.inbox)
    journal = str(tmp_path / "texts.db")
    ran = cli("send", _TO, "hello", "--key", "order-42", "--journal", journal, "--json")
    presser.join()
    counted = cli("journal", "show", journal, "--json")
    assert (130, "Interrupted", True) == (
        ran.code,
        ran.error["type"],
        ran.error["may_have_been_sent"],
    )
    assert (1, 0) == (counted.json["counts"]["accepted"], counted.json["counts"]["unknown"])


@pytest.mark.usefixtures("_iprog")
def test_ctrl_c_while_waiting(cli: Cli, sandbox: Sandbox) -> None:
    """Ctrl-C while waiting for the delivery keeps the receipt."""
    sandbox.add_fault(Fault("GET /iprog/*", "delay", delay=30))
    # Once it asks for the status, the command has read that the text was accepted.
    presser = _press_ctrl_c_when(lambda: not sandbox.faults)
    ran = cli("send", _TO, "hello", "--wait")
    presser.join()
    assert (ran.code, "accepted (do not send it again)" in ran.err) == (130, True)
    assert sandbox.inbox[0].message_id in ran.out


@pytest.mark.usefixtures("_iprog")
@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt()])
def test_ctrl_c_with_nothing_on_the_way(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Ctrl-C at any other time is 130 as well, and no text is in doubt."""

    def interrupt(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("iprog_async.cli._commands.balance.open_client", interrupt)
    cli("balance", "--help")
    ran = cli("balance")
    assert (ran.code, ran.err) == (130, "iprog-async: stopped by Ctrl-C; no text was on its way\n")


@pytest.mark.usefixtures("_iprog")
def test_ctrl_c_twice(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """An impatient second Ctrl-C leaves a send in doubt, and the line says so."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("iprog_async._client.client.SmsClient.send", interrupt)
    ran = cli("send", _TO, "hello", "--json")
    assert (130, True) == (ran.code, ran.error["may_have_been_sent"])


def test_ctrl_c_before_anything(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the command is still loading leaves nothing in doubt."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_run, "_dispatch", interrupt)
    ran = cli("send", _TO, "hello", "--json")
    assert (130, False) == (ran.code, ran.error["may_have_been_sent"])
