from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.waiting import LONG

from iprog_async import provider_from_url


pytestmark = pytest.mark.slow

_SCRIPT = str(Path(sys.executable).with_name("iprog-async"))
_MODULE = [sys.executable, "-m", "iprog_async"]


def _run(*command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        command,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
        env={**os.environ, **settings},
    )


@pytest.mark.parametrize("command", [[_SCRIPT], _MODULE], ids=["script", "module"])
def test_entry_points(command: list[str]) -> None:
    """The installed script and `python -m` are the same command, with the same exit codes."""
    counted = _run(*command, "count", "hi", "--json")
    refused = _run(*command, "send", "0917", "hi", SMS_URL="nonsense")
    assert (counted.returncode, json.loads(counted.stdout)["segments"]) == (0, 1)
    assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (3, "", 1)


def test_count_starts_light() -> None:
    """`count` loads neither an HTTP library nor a provider nor rich."""
    code = (
        "import sys; from iprog_async.cli import main; main(['count', 'hi']);"
        "print([m for m in ('httpx', 'rich.console', 'phonenumbers', 'iprog_async_providers')"
        " if m in sys.modules])"
    )
    assert _run(sys.executable, "-c", code).stdout.splitlines()[-1] == "[]"


def test_package_loads_without_the_extra() -> None:
    """Without cyclopts and rich the command is one line and an exit code, not a traceback."""
    code = (
        "import sys; sys.modules['cyclopts'] = sys.modules['rich'] = None;"
        "from iprog_async.cli import main; sys.exit(main(['count', 'hi']))"
    )
    ran = _run(sys.executable, "-c", code)
    assert (ran.returncode, ran.stdout) == (3, "")
    assert ran.stderr.endswith('pip install "iprog-async[cli]"\n')
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_sandbox_until_stopped(stop: signal.Signals) -> None:
    """The sandbox of a process prints working addresses and ends cleanly on both signals."""
    with subprocess.Popen(  # noqa: S603 - our own command
        [*_MODULE, "sandbox"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines: list[str] = []
        while not lines or "Ctrl-C" not in lines[-1]:
            lines.append(process.stdout.readline())
        process.send_signal(stop)
        assert (process.wait(LONG), process.stderr.read()) == (0, "")
    address = lines[1].strip().removeprefix("export SMS_URL='").removesuffix("'")
    assert address.startswith(provider_from_url(address).name)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell with head")
@pytest.mark.parametrize("words", ["count hi --json", "providers", "--help"])
def test_reader_that_goes_away(words: str) -> None:
    """`| head -0` gives no traceback and changes no exit code."""
    command = f"set -o pipefail; {sys.executable} -m iprog_async {words} | head -c 0; exit $?"
    ran = _run("bash", "-c", command)
    assert (ran.returncode, ran.stderr) == (0, "")
