"""What all tests of codes have in common."""

from __future__ import annotations

import pytest

from iprog_async.codes._making import COST


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash in microseconds: what a guess costs is not what these tests are about."""
    monkeypatch.setitem(COST, "n", 2)
