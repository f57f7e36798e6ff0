"""Where the journals of these tests are kept."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(params=["sqlite", "postgres"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Return where to make a journal; what holds of policies holds for each store."""
    if request.param == "sqlite":
        return tmp_path / "j.db"
    address: str = request.getfixturevalue("postgres_journal")
    return address
