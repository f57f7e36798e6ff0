"""A reader of the documentation gets what it promises."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from support.docs_pages import DATABASE, ROOT, Reader, blocks_of, pages


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (ROOT / "mkdocs.yml").exists(), reason="runs where the documentation is"
    ),
]

_PAGES = [page for page in pages() if any(blocks_of(page))]
_README = ROOT / "README.md"


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.timeout(600)
@pytest.mark.every_row
@pytest.mark.parametrize("page", _PAGES, ids=_name)
def test_page_can_be_followed(
    page: Path, tmp_path: Path, programs: Path, request: pytest.FixtureRequest
) -> None:
    """Each block of a page works, in order, in an empty directory, against the sandbox."""
    directory = tmp_path / "reader"
    directory.mkdir()
    needs_database = DATABASE in page.read_text(encoding="utf-8")
    database: str = request.getfixturevalue("own_database") if needs_database else DATABASE
    Reader(directory, tmp_path / "state", programs, database).read(page)


def test_examples_run_as_they_say(tmp_path: Path, programs: Path) -> None:
    """The examples' own page can be followed from the folder that holds them."""
    (tmp_path / "examples").symlink_to(ROOT / "examples", target_is_directory=True)
    Reader(tmp_path, tmp_path / "state", programs).read(ROOT / "examples" / "README.md")


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("```sh\nfalse\n```\n", "wrote"),
        ('```python title="a.py"\nprint(1)\n```\n```text title="output"\n2\n```\n', "but there is"),
        ("```python\nprint(1)\n```\n", "what to call it"),
    ],
    ids=["command", "output", "name"],
)
def test_reader_notices(source: str, complaint: str, tmp_path: Path, programs: Path) -> None:
    """A block that fails, or shows something else than the page does, is noticed."""
    page = tmp_path / "page.md"
    page.write_text(source, encoding="utf-8")
    reader = Reader(tmp_path, tmp_path / "state", programs)
    with pytest.raises(AssertionError, match=complaint):
        reader.read(page)


def test_every_file_has_a_name_of_its_own() -> None:
    """No two pages use one file name for two programs, so that a reader can keep them all."""
    titles = [b.title for page in _PAGES for b in blocks_of(page) if b.language == "python"]
    assert sorted(set(titles)) == sorted(titles)


def test_installs_name_extras_that_exist() -> None:
    """Whoever installs as a page or the README says gets extras that there are."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    sources = "".join(b.code for page in [*_PAGES, _README] for b in blocks_of(page) if b.installs)
    named = {extra for found in re.findall(r"\[([\w,]+)\]", sources) for extra in found.split(",")}
    assert named
    assert set() == named - set(project["optional-dependencies"])
