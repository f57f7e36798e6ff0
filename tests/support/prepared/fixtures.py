"""What gives a test the programs of a prepared interpreter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.prepared import prepared_programs


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the folder of a `python`, and of commands, that have done their imports."""
    with prepared_programs(tmp_path_factory.mktemp("prepared")) as folder:
        yield folder
