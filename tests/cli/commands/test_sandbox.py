from __future__ import annotations

import asyncio
import json
import sys
import urllib.request

import pytest
from support.cli.runner import Cli

import iprog_async.sandbox
from iprog_async import SmsClient, provider_from_url
from iprog_async.cli._base.app import app
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.sandbox import Sandbox


async def _running(
    capsys: pytest.CaptureFixture[str], *options: str
) -> tuple[asyncio.Task[ExitCode], str]:
    """Start the command, and return it with what it wrote."""
    task = asyncio.create_task(app.run_async(["sandbox", *options]))
    written = ""
    while not written.endswith(("}\n", "stops it.\n")):
        await asyncio.sleep(0.01)
        assert not task.done()
        written += capsys.readouterr().out
    return task, written


async def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The addresses it prints work, the inbox shows what was sent, and it ends when told."""
    task, written = await _running(capsys, "--json", "--credit", "7", "--delivered-after", "0")
    data = json.loads(written)
    async with SmsClient.from_url(data["addresses"]["iprog"]) as client:
        assert (await client.balance()).amount == 7
        await client.send("09171234567", "hello")
    with await asyncio.to_thread(urllib.request.urlopen, data["inbox"]) as answer:
        inbox = json.load(answer)
    task.cancel()
    assert [text["text"] for text in inbox["texts"]] == ["hello"]
    assert await task == ExitCode.OK


async def test_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Every address is a line to paste."""
    task, written = await _running(capsys)
    task.cancel()
    assert await task == ExitCode.OK
    lines = [line for line in written.splitlines() if line.startswith("  export SMS_URL='")]
    addresses = [line.removeprefix("  export SMS_URL='").removesuffix("'") for line in lines]
    names = [provider_from_url(address).name for address in addresses]
    with Sandbox() as sandbox:
        assert len(sandbox.providers) == len(names)


async def test_the_usual_port_or_the_next_one(
    capsys: pytest.CaptureFixture[str], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It listens where it always does; if that port is taken, it says so and takes the next."""
    taken = sandbox.url.rpartition(":")[2]
    monkeypatch.setattr("iprog_async.cli._commands.sandbox._PORT", int(taken))
    task, written = await _running(capsys)
    task.cancel()
    assert ExitCode.OK == await task
    assert f"Port {taken} is taken" in written
    assert f"The sandbox runs at {sandbox.url} " not in written


def test_taken_port(cli: Cli, sandbox: Sandbox) -> None:
    """A port that is taken is a matter of configuration, told in one line."""
    ran = cli("sandbox", "--port", sandbox.url.rpartition(":")[2])
    assert (ran.code, "can't listen" in ran.err) == (3, True)


@pytest.mark.parametrize("host", ["nosuch.invalid", "a..b"])
def test_no_such_host(cli: Cli, host: str) -> None:
    """A host that is none is told as that, with one that is, and without a word about ports."""
    ran = cli("sandbox", "--host", host)
    assert (3, True) == (ran.code, ran.err.startswith("iprog-async: the sandbox can't listen on "))
    assert ran.err.endswith("; give a name or an address of this machine, such as 127.0.0.1\n")


def test_host_of_another_machine(cli: Cli) -> None:
    """An address that is not this machine's is told as that."""
    ran = cli("sandbox", "--host", "192.0.2.1", "--allow-remote")
    assert ran.err.endswith("; give an address of this machine, such as 127.0.0.1\n")


@pytest.mark.parametrize("option", ["--port", "--credit", "--delivered-after"])
def test_no_negative_numbers(cli: Cli, option: str) -> None:
    """Numbers below zero are wrong usage."""
    assert cli("sandbox", option, "-1").code == 2


@pytest.mark.parametrize("command", ["sandbox", "demo"])
def test_missing_extra(cli: Cli, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """Without the extra the line is the command that installs it."""
    for name in [name for name in sys.modules if name.startswith("iprog_async.sandbox")]:
        monkeypatch.delitem(sys.modules, name)
    # Importing it anew sets this, too; afterwards both are the module of before.
    monkeypatch.setattr(iprog_async, "sandbox", iprog_async.sandbox)
    monkeypatch.delitem(sys.modules, "iprog_async.cli._demo.scenario", raising=False)
    monkeypatch.setitem(sys.modules, "starlette.routing", None)
    monkeypatch.setitem(sys.modules, "starlette.requests", None)
    monkeypatch.setitem(sys.modules, "starlette", None)
    ran = cli(command)
    assert (ran.code, 'pip install "iprog-async[sandbox]"' in ran.err) == (3, True)


async def test_page_and_loopback_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The page's address is printed, and nothing is said of other machines that can't come in."""
    task, written = await _running(capsys)
    task.cancel()
    assert await task == ExitCode.OK
    (line,) = [line for line in written.splitlines() if line.startswith("Inbox, live")]
    assert line.split()[-1].startswith("http://127.0.0.1:")
    assert "beyond this machine" not in written


@pytest.mark.parametrize("options", [(), ("--json",)])
async def test_open_door_is_told(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    """Listening beyond loopback needs leave, and is said in words and in JSON."""
    task, written = await _running(capsys, "--host", "0.0.0.0", "--allow-remote", *options)  # noqa: S104 - for a moment
    task.cancel()
    assert await task == ExitCode.OK
    if options:
        assert json.loads(written)["loopback_only"] is False
    else:
        assert "It listens beyond this machine" in written


def test_remote_host_names_the_option(cli: Cli) -> None:
    """A host that others can reach is refused in terms of the command."""
    ran = cli("sandbox", "--host", "0.0.0.0")  # noqa: S104 - it is refused
    assert (2, True) == (ran.code, "--allow-remote" in ran.err)
    assert "allow_remote" not in ran.err
