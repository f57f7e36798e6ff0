"""A journal of some texts, seen from outside while they are on their way."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path


def states_in(path: Path) -> dict[str, str]:
    """Return the state of each number's row as another process would find it after a kill."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        rows: Sequence[tuple[str | int, str]]
        rows = connection.execute("SELECT number, state FROM entries").fetchall()
    return {f"+{str(number).removeprefix('+')}": state for number, state in rows}
