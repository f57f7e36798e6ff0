"""The README's programs do what it says, with the sandbox in the place of the gateways."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.docs_pages import ROOT, Reader

from iprog_async import SmsClient
from iprog_async.sandbox import Sandbox
from iprog_async_providers import IprogProvider


_README = ROOT / "README.md"
_NUMBER = "0917 123 4567"

Program = Callable[..., Coroutine[Any, Any, Any]]

pytestmark = pytest.mark.skipif(not _README.exists(), reason="runs where the README is")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Play the gateways."""
    with Sandbox(delivered_after=0) as running:
        yield running


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the programs write their files where nobody looks for them."""
    monkeypatch.chdir(tmp_path)


def _program(title: str, name: str) -> Program:
    """Return a function of a program of the README."""
    text = _README.read_text(encoding="utf-8")
    block = re.search(rf'```python title="{title}"\n(.*?)```', text, re.DOTALL)
    assert block is not None
    names: dict[str, Any] = {"__name__": title}
    exec(block[1], names)  # noqa: S102 - a program of ours
    program: Program = names[name]
    return program


@pytest.mark.slow
def test_readme_can_be_followed(tmp_path: Path, programs: Path) -> None:
    """Each program can be run, and prints what stands below it."""
    directory = tmp_path / "reader"
    directory.mkdir()
    Reader(directory, tmp_path / "state", programs).read(_README)


async def test_one_text(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The program for one text prints its reference, segments and cost, and how it ended."""
    provider = IprogProvider("sandbox-iprog-token", base_url=sandbox.base_url("iprog"))
    await _program("one_text.py", "main")(provider)

    receipt, state = capsys.readouterr().out.splitlines()
    assert [f"iprog:{sandbox.inbox[0].message_id}", "1", "1.0"] == receipt.split()
    assert "delivered" == state


async def test_announce(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Run again on the same journal, the bulk run texts nobody again."""
    people = [(_NUMBER, "Ann"), ("12", "Ben")]
    async with SmsClient.from_url(sandbox.address("iprog")) as sms:
        for _ in range(2):
            await _program("announce.py", "announce")(sms, people)

    assert ["Hi Ann, we open at nine."] == [text.text for text in sandbox.inbox]
    assert "1 not sent: the phone number '12'" in capsys.readouterr().out
