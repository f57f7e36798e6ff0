"""The provider that is a distribution of its own, built and installed as its users would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from attrs import frozen
from support.waiting import LONG


EXAMPLE = Path(__file__).parents[2] / "examples" / "acme-sms"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not EXAMPLE.exists(), reason="runs where the examples are"),
]


@frozen
class Installed:
    """A copy of the example, and the folder that its wheel was installed into."""

    source: Path
    site: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a module of Python in the copy, with the installed package in reach."""
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, *command],
            cwd=self.source,
            env={**os.environ, "PYTHONPATH": str(self.site)},
            capture_output=True,
            text=True,
            timeout=LONG,
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the example's wheel from a copy, and install it into a folder."""
    folder = tmp_path_factory.mktemp("acme")
    acme = Installed(folder / "acme-sms", folder / "site")
    shutil.copytree(EXAMPLE, acme.source, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    # Without isolation, so that nothing is fetched: the build backend is an extra of the tests.
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    done = acme.run("-m", "pip", "install", "-q", *options, "--target", str(acme.site), ".")
    assert 0 == done.returncode, done.stderr
    return acme


def test_the_wheel_holds_the_package_and_its_entry_point(installed: Installed) -> None:
    """The adapter is typed, and can be found by its name."""
    files = {path.name for path in (installed.site / "acme_sms").iterdir()}
    (entry_points,) = installed.site.glob("acme_sms-*.dist-info/entry_points.txt")

    assert {"__init__.py", "_provider.py", "_sandbox.py", "py.typed"} <= files
    assert "acme = acme_sms:AcmeProvider" in entry_points.read_text().splitlines()


def test_its_own_tests_pass(installed: Installed) -> None:
    """The contract and the sandbox's Acme, by the plug-in's fixtures, with warnings as errors."""
    # pytest-asyncio warns where a project has not set its loop scope.
    plugins = ("-p", "no:asyncio", "-p", "no:cacheprovider")
    done = installed.run("-W", "error", "-m", "pytest", "-q", *plugins)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "failed" not in done.stdout


def test_the_command_line_knows_it(installed: Installed) -> None:
    """`iprog-async providers` has a row for it, like for any other."""
    in_words = installed.run("-m", "iprog_async", "providers")
    as_json = installed.run("-m", "iprog_async", "providers", "--json")

    assert "Acme SMS" in in_words.stdout
    assert "acme" in json.dumps(json.loads(as_json.stdout))


@pytest.mark.parametrize("command", [("mypy",), ("pyright", "--pythonpath", sys.executable)])
def test_checkers_accept_it(installed: Installed, command: Sequence[str]) -> None:
    """Strictly checked by its own settings, as a consumer of the library's types."""
    pytest.importorskip(command[0])
    done = installed.run("-m", *command)

    assert 0 == done.returncode, done.stdout
