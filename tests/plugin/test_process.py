"""The plug-in as pytest finds it: by its entry point, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.waiting import LONG

import pytest_iprog_async


pytestmark = pytest.mark.slow


OUTBOX = """
import asyncio

from iprog_async import SmsClient
from iprog_async.testing import OutboxMessage


async def notify():
    async with SmsClient.from_env() as sms:
        await sms.send("0917 123 4567", "Hi")


def test_plain(sms_outbox):
    asyncio.run(notify())
    assert [OutboxMessage("+639171234567", "Hi")] == sms_outbox.messages
"""

AWAITED = """
import pytest

from iprog_async import SmsClient


@pytest.mark.{mark}
async def test_outbox(sms_outbox):
    async with SmsClient.from_env() as sms:
        await sms.send("0917 123 4567", "Hi")
    assert "Hi" == sms_outbox.last.text


@pytest.mark.{mark}
async def test_sandbox(sms_sandbox):
    async with SmsClient.from_url(sms_sandbox.address("iprog")) as sms:
        receipt = await sms.send("0917 123 4567", "Hi")
        assert "delivered" == (await sms.wait(receipt)).state
    assert ["Hi"] == [text.text for text in sms_sandbox.inbox]
"""

ON_ASYNCIO = AWAITED.format(mark="asyncio")
ON_ONE_LOOP = AWAITED.format(mark='asyncio(loop_scope="session")')
# It would also run them on trio, which the library does not.
ON_ANYIO = (
    AWAITED.format(mark="anyio")
    + """

@pytest.fixture
def anyio_backend():
    return "asyncio"
"""
)

WEB_APP = """
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from iprog_async import SmsClient


@asynccontextmanager
async def lifespan(app):
    async with SmsClient.from_env() as sms:
        yield {"sms": sms}


async def order(request):
    receipt = await request.state.sms.send("+63 917 123 4567", "Thank you!")
    return JSONResponse({"ref": receipt.ref})


app = Starlette(routes=[Route("/orders", order, methods=["POST"])], lifespan=lifespan)


def test_outbox(sms_outbox):
    with TestClient(app) as client:
        assert "outbox:text-1" == client.post("/orders").json()["ref"]
    assert "Thank you!" == sms_outbox.last.text


def test_sandbox(sms_sandbox, monkeypatch):
    monkeypatch.setenv("SMS_URL", sms_sandbox.address("infopromo"))
    with TestClient(app) as client:
        assert client.post("/orders").json()["ref"].startswith("infopromo:")
    assert ["Thank you!"] == [text.text for text in sms_sandbox.inbox]
"""

IMPORTS_NOTHING = """
import sys


def test_nothing_of_it_is_loaded():
    assert "pytest_iprog_async" in sys.modules
    assert [] == [name for name in sys.modules if name.startswith("iprog_async")]
"""

WITHOUT_EXTRA = """
import sys

sys.modules["starlette"] = None


def test_sandbox(sms_sandbox):
    pass
"""


def run(folder: Path, sources: tuple[str, ...], *options: str) -> subprocess.CompletedProcess[str]:
    """Run test files in a folder of their own, with warnings as errors."""
    for number, source in enumerate(sources):
        (folder / f"test_{number}.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider", *options]
    return subprocess.run(  # noqa: S603 - our own command
        command, cwd=folder, capture_output=True, text=True, timeout=LONG
    )


BARE = ("-p", "no:asyncio", "-p", "no:anyio", "-p", "no:xdist")
ASYNCIO = ("-o", "asyncio_default_fixture_loop_scope=function", "-p", "no:anyio")
ANYIO = ("-p", "no:asyncio")
# Starlette's test client would rather have the next httpx.
OLD_HTTPX = ("-W", "ignore:Using `httpx` with")


@pytest.mark.parametrize(
    ("sources", "options", "passed"),
    [
        pytest.param((IMPORTS_NOTHING,), BARE, 1, id="unused"),
        pytest.param((OUTBOX, WEB_APP), (*BARE, *OLD_HTTPX), 3, id="bare"),
        pytest.param((ON_ASYNCIO, ON_ONE_LOOP), ASYNCIO, 4, id="asyncio"),
        pytest.param((ON_ANYIO,), ANYIO, 2, id="anyio"),
        pytest.param((ON_ASYNCIO, OUTBOX), (*ASYNCIO, "-n", "2"), 3, id="xdist"),
    ],
)
def test_fixtures_work_wherever_tests_run(
    tmp_path: Path, sources: tuple[str, ...], options: tuple[str, ...], passed: int
) -> None:
    """Without a plug-in for coroutines, with either of two, on one loop or several processes."""
    done = run(tmp_path, sources, *options)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert f"{passed} passed" in done.stdout


def test_missing_extra_is_named(tmp_path: Path) -> None:
    """Where the packages of the sandbox are missing, the test fails with what installs them."""
    done = run(tmp_path, (WITHOUT_EXTRA,), *BARE)

    assert 1 == done.returncode
    assert 'pip install "iprog-async[sandbox]"' in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("name", ["sms_clock", "sms_outbox", "sms_sandbox"])
def test_fixtures_are_documented(name: str) -> None:
    """`pytest --fixtures` says what each is for."""
    assert (getattr(pytest_iprog_async, name).__doc__ or "").endswith(".")
