"""The README says what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import iprog_async
from iprog_async import SmsError
from iprog_async.cli._commands.capability_table import markdown, rows


_ROOT = Path(__file__).parents[2]
_README = _ROOT / "README.md"

pytestmark = pytest.mark.skipif(not _README.exists(), reason="runs where the README is")


def _text() -> str:
    return _README.read_text(encoding="utf-8")


def test_matrix_is_generated_from_the_code() -> None:
    """The table of providers is the one that `iprog-async providers --markdown` prints."""
    block = re.search(r"<!-- providers -->\n(.*?)\n<!-- /providers -->", _text(), re.DOTALL)
    assert block is not None
    assert markdown(rows()).strip() == block[1].strip()


@pytest.mark.parametrize("path", ["README.md", "providers/README.md"])
def test_code_blocks_compile(path: str) -> None:
    """Each block of Python can be pasted into a file."""
    text = (_ROOT / path).read_text(encoding="utf-8")
    blocks = re.findall(r"```python[^\n]*\n(.*?)```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        compile(block, path, "exec")


def test_links_lead_somewhere() -> None:
    """Each relative link of the README names a file or folder of the project."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", _text())
    assert links
    assert [] == [link for link in links if not (_ROOT / link).exists()]


@pytest.mark.parametrize("name", ["demo", "tests"])
def test_commands_are_one_line(name: str) -> None:
    """Each of the two commands is a single line that makes its own environment."""
    block = re.search(rf"<!-- {name} -->\n```sh\n(.*?)\n```", _text(), re.DOTALL)
    assert block is not None
    (line,) = block[1].splitlines()
    assert line.startswith("python3 -m venv .venv && .venv/bin/pip install")


@pytest.mark.slow
def test_guide_for_providers_holds(tmp_path: Path) -> None:
    """The adapter and the test of the guide, in two files, pass the contract."""
    text = (_ROOT / "providers" / "README.md").read_text(encoding="utf-8")
    adapter, contract = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "acme_sms.py").write_text(adapter, encoding="utf-8")
    (tmp_path / "test_acme.py").write_text(contract, encoding="utf-8")

    command = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)  # noqa: S603 - ours
    assert 0 == done.returncode, done.stdout
    assert "no reads to check" in done.stdout
    assert "empty parameter set" not in done.stdout


def test_error_table_is_complete() -> None:
    """The table of what to do with an error has every public error but the base of all."""
    page = (_ROOT / "docs" / "concepts.md").read_text(encoding="utf-8")
    table = re.search(r"<!-- errors -->\n(.*?)\n<!-- /errors -->", page, re.DOTALL)
    assert table is not None
    public = {
        name
        for name, value in vars(iprog_async).items()
        if isinstance(value, type) and issubclass(value, SmsError)
    }
    assert public - {"SmsError"} == set(re.findall(r"`(\w+Error)`", table[1])) - {"ValueError"}
