from __future__ import annotations

import importlib.metadata
import logging
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest
from support.cli.bulk import HI, Bulk, write_csv
from support.cli.runner import Cli, Ran
from support.cli.vendor import Vendors

from iprog_async import provider_types
from iprog_async._providers import registry
from iprog_async.sandbox import Sandbox


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    """One sandbox for all commands, whose texts are delivered at once."""
    with Sandbox(delivered_after=0) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    """Give the sandbox as it is at the start."""
    running.clear()
    return running


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No gateway is configured, the terminal has a known width, and no handler is left behind."""
    names = {name for cls in provider_types().values() for name in cls.env_names}
    for name in (*names, "SMS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    handlers = logging.getLogger("iprog_async").handlers[:]
    yield
    logging.getLogger("iprog_async").handlers[:] = handlers


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Give what runs commands by the real entry point."""
    return Cli(capsys)


@pytest.fixture
def _iprog(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """IPROG's sandbox is the configured gateway."""
    monkeypatch.setenv("SMS_URL", sandbox.address("iprog"))


@pytest.fixture
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow one another at once."""

    async def sleep(self: object, seconds: float) -> None:
        return

    monkeypatch.setattr("iprog_async._core.clock.SystemClock.sleep", sleep)


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Entry points of somebody else's providers, name to object, beside ours."""
    points: dict[str, str] = {}

    def installed(*, group: str) -> list[EntryPoint]:
        theirs = [EntryPoint(name, value, group) for name, value in points.items()]
        return [*entry_points(group=group), *theirs]

    monkeypatch.setattr(importlib.metadata, "entry_points", installed)
    registry._entries.cache_clear()  # pyright: ignore[reportPrivateUsage] - its only memory
    yield points
    registry._entries.cache_clear()  # pyright: ignore[reportPrivateUsage] - its only memory


@pytest.fixture
def vendors(cli: Cli, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vendors:
    """Give what runs commands against the gateways that have them, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return Vendors(cli, sandbox)


@pytest.fixture
def bulk(cli: Cli, tmp_path: Path) -> Bulk:
    """Give what writes rows to a file and runs `bulk` over it."""

    def run(rows: list[tuple[str, str]], *tokens: str) -> Ran:
        path = write_csv(tmp_path / "june.csv", rows)
        return cli("bulk", path, *(tokens if "--text" in tokens else (*HI, *tokens)))

    return run
