"""The README's programs do what it says, with the sandbox in the place of the gateways."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from iprog_async import SmsClient
from iprog_async.sandbox import REFUSED_RECIPIENT, Fault, Sandbox
from iprog_async_providers import InfopromoProvider, IprogProvider


_README = Path(__file__).parents[2] / "README.md"
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


def _block(words: str) -> str:
    """Return the block of Python that has certain words."""
    text = _README.read_text(encoding="utf-8")
    blocks: list[str] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (block,) = [code for code in blocks if words in code]
    return block


def _program(name: str, sandbox: Sandbox) -> Program:
    """Return a function of the README; providers that it makes speak to the sandbox."""
    names: dict[str, Any] = {}
    exec(_block(f"async def {name}("), names)  # noqa: S102 - a program of ours
    for cls in (IprogProvider, InfopromoProvider):
        if cls.__name__ in names:
            names[cls.__name__] = partial(cls, base_url=sandbox.base_url(cls.scheme))
    program: Program = names[name]
    return program


def test_first_program(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Pointed at the sandbox in the way that stands below it, it prints what it promises."""
    code = _block('IprogProvider(api_token="…")')
    found = re.search(r"`(IprogProvider\(.*?\))`", _README.read_text(encoding="utf-8"))
    assert found is not None
    address = found[1].replace("http://127.0.0.1:8025/iprog", sandbox.base_url("iprog"))
    exec(code.replace('IprogProvider(api_token="…")', address), {})  # noqa: S102 - a program of ours

    receipt, status = capsys.readouterr().out.splitlines()
    assert [sandbox.inbox[0].message_id, "1", "1.0"] == receipt.split()
    assert "delivered" in status


@pytest.mark.parametrize(
    ("number", "fault", "expected"),
    [
        (_NUMBER, None, "iprog:iSms-"),
        ("12", None, "fix the message: "),
        (f"0917 123 {REFUSED_RECIPIENT}", None, "refused: "),
        (_NUMBER, "drop_after", "check at the gateway, do not send again: "),
    ],
)
async def test_notify(sandbox: Sandbox, number: str, fault: Any, expected: str) -> None:
    """Each outcome is told as the comments say."""
    if fault is not None:
        sandbox.add_fault(Fault("POST /iprog/*", fault))
    async with SmsClient.from_url(sandbox.address("iprog")) as sms:
        told = await _program("notify", sandbox)(sms, number)

    assert str(told).startswith(expected)


async def test_announce(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Run again on the same journal, the bulk run texts nobody again."""
    people = [(_NUMBER, "Ann"), ("12", "Ben")]
    async with SmsClient.from_url(sandbox.address("iprog")) as sms:
        for _ in range(2):
            await _program("announce", sandbox)(sms, people)

    assert ["Hi Ann, we open at nine."] == [text.text for text in sandbox.inbox]
    assert "1 not sent: the phone number '12'" in capsys.readouterr().out


async def test_confirm_order(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """A key is one text."""
    await _program("confirm_order", sandbox)("sandbox-iprog-token")

    assert 1 == len(sandbox.inbox)
    assert "accepted" in capsys.readouterr().out


async def test_alarm(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the first gateway refuses for now, the second takes the text."""
    sandbox.set_credit("iprog", 0)
    await _program("alarm", sandbox)("sandbox-iprog-token", "1|sandbox-infopromo-token")

    assert ["infopromo"] == [text.gateway for text in sandbox.inbox]
    assert capsys.readouterr().out.startswith("infopromo DeliveryStatus(")


async def test_lost_answer(sandbox: Sandbox) -> None:
    """The program has a sandbox of its own, and checks by itself what it found."""
    async with asyncio.timeout(30):
        await _program("try_a_lost_answer", sandbox)()


@pytest.mark.parametrize("name", ["def test_confirms(", "async def test_sends("])
def test_tests(tmp_path: Path, name: str) -> None:
    """What the README shows of tests passes, pasted into a file."""
    (tmp_path / "test_texts.py").write_text(_block(name), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)  # noqa: S603 - ours

    assert (0, True) == (done.returncode, "1 passed" in done.stdout), done.stdout
