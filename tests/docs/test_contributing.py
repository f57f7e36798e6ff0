"""Whoever follows CONTRIBUTING.md finds what it names."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest


_ROOT = Path(__file__).parents[2]
_GUIDE = _ROOT / "CONTRIBUTING.md"
_PAGES = [_GUIDE, _ROOT / "docs" / "architecture.md"]
_PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[A-Z]+\.md|pyproject\.toml)`")

pytestmark = pytest.mark.skipif(not _GUIDE.exists(), reason="runs where the documentation is")


def _names(page: Path) -> list[str]:
    found: list[str] = _PATH.findall(page.read_text(encoding="utf-8"))
    # What is there only once the tools of development are installed is no part of the project.
    return [name for name in found if not name.startswith(".venv/")]


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_paths_exist(page: Path) -> None:
    """Each file and folder that is named is there."""
    text = page.read_text(encoding="utf-8")
    short = re.findall(r"^(_\w+/\w+\.py)", text, re.MULTILINE)  # in the journeys
    names = [*_names(page), *(f"iprog_async/{name}" for name in short)]
    assert names
    assert [] == [name for name in names if not (_ROOT / name).exists()]


def test_links_exist() -> None:
    """Each link of the guide leads to a file of the project."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", _GUIDE.read_text(encoding="utf-8"))
    assert links
    assert [] == [link for link in links if not (_ROOT / link).exists()]


def test_every_how_to_names_the_file_to_open_first() -> None:
    """Each row of the table of changes has a path in its second column."""
    table = _GUIDE.read_text(encoding="utf-8").partition("## How to …")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 15
    assert [] == [row[0] for row in rows if not _PATH.search(row[1])]


def test_every_layer_is_on_the_tour() -> None:
    """Each folder of the library is named, so that nobody meets one that the guide forgot."""
    folders = {path.name for path in (_ROOT / "iprog_async").glob("*/") if path.is_dir()}
    text = _GUIDE.read_text(encoding="utf-8")
    missing = [name for name in folders if f"iprog_async/{name}/" not in text]
    assert [] == [name for name in missing if name != "__pycache__"]


def test_ci_runs_as_many_rows_as_the_guide_says() -> None:
    """Of a table's rows beyond the fast set CI chooses as many as whoever looks for one is told."""
    (runs,) = re.findall(r"--further-rows (\d+)", (_ROOT / ".ci" / "run").read_text("utf-8"))
    (told,) = re.findall(r"it runs (\d+) of a\s+table", _GUIDE.read_text(encoding="utf-8"))
    assert told == runs


_SOURCES = ("iprog_async", "providers", "pytest_iprog_async", "tests")
_SPECIAL = {"__init__.py", "__main__.py", "conftest.py"}


def _most(things: str) -> int:
    """Return how many of them the guide allows."""
    (most,) = re.findall(rf"\bat\s+most\s+(\d+)\s+{things}\b", _GUIDE.read_text(encoding="utf-8"))
    return int(most)


def _modules() -> list[Path]:
    return [path for source in _SOURCES for path in (_ROOT / source).rglob("*.py")]


def test_no_module_is_long() -> None:
    """None has more lines than the guide allows: it would have more than one subject."""
    lines = {path: path.read_bytes().count(b"\n") for path in _modules()}
    assert lines
    most = _most("lines")
    long = {path: count for path, count in lines.items() if count > most}
    assert {} == {str(path.relative_to(_ROOT)): count for path, count in long.items()}


def test_no_folder_is_full() -> None:
    """None has more modules than the guide allows: nobody would find one at a glance."""
    counts = Counter(path.parent for path in _modules() if path.name not in _SPECIAL)
    assert counts
    most = _most("modules")
    full = {folder: count for folder, count in counts.items() if count > most}
    assert {} == {str(folder.relative_to(_ROOT)): count for folder, count in full.items()}
