"""What gives a test the programs of a prepared interpreter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.prepared import prepared_programs


@pytest.fixture(scope="session")
def programs() -> Iterator[Path]:
    """Give the folder of a `python`, and of commands, that have done their imports."""
    with prepared_programs() as folder:
        yield folder
