from __future__ import annotations

from collections.abc import Iterator

import pytest

from iprog_async.sandbox import Sandbox


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    """One sandbox for all examples, whose texts are delivered at once."""
    with Sandbox(delivered_after=0) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Give the sandbox as it is at the start; its IPROG is the gateway that is configured."""
    running.clear()
    monkeypatch.setenv("SMS_URL", running.address("iprog"))
    return running
