"""The documentation as it is built: nothing missing, no dead link, no other host."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from functools import cache
from html import unescape
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from urllib.parse import unquote, urlsplit

import pytest
from attrs import define, field

import iprog_async
from iprog_async.cli._base.command_table import COMMANDS, EXAMPLES


_ROOT = Path(__file__).parents[2]
_COMMAND = "cli"  # has a reference of its own
_MODULES = [name for _, name, _ in iter_modules(iprog_async.__path__)]
_PACKAGES = (
    "iprog_async",
    *(f"iprog_async.{name}" for name in _MODULES if not name.startswith("_") and name != _COMMAND),
    "iprog_async_providers",
)
# Elements that make a browser ask for something, and the attribute that says where.
_ASKS = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),  # The first test builds the site, perhaps on a busy machine.
    pytest.mark.skipif(not (_ROOT / "mkdocs.yml").exists(), reason="runs where the pages are"),
    pytest.mark.skipif(
        find_spec("mkdocs") is None or find_spec("mkdocstrings") is None,
        reason='needs pip install -e ".[docs]"',
    ),
]


@define
class _Page(HTMLParser):
    """What a page has to land on, where it leads, and what it loads."""

    anchors: set[str] = field(factory=set[str])
    links: list[str] = field(factory=list[str])
    loads: list[str] = field(factory=list[str])

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one element."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        wanted = _ASKS.get(tag)
        if wanted in given and given.get("rel") != "canonical":
            self.loads.append(given[wanted])


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the documentation, and return where it is."""
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(target)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(  # noqa: S603 - ours
        command, cwd=_ROOT, env=environment, capture_output=True, text=True
    )
    assert 0 == done.returncode, done.stderr
    assert "WARNING" not in done.stderr
    return target


@cache
def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    return page


def _pages(site: Path) -> Iterator[Path]:
    # The page for an address that does not exist has links from the root of a host.
    return (path for path in site.rglob("*.html") if path.name != "404.html")


def test_links_lead_somewhere(site: Path) -> None:
    """Each link within the built site leads to a page that is there, and to a place on it."""
    dead: list[str] = []
    for path in _pages(site):
        for link in _read(path).links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            anchor = unquote(parts.fragment)
            if not target.is_file() or (anchor and anchor not in _read(target).anchors):
                dead.append(f"{path.relative_to(site)}: {link}")
    assert [] == dead


def test_no_page_asks_another_host(site: Path) -> None:
    """No page loads a script, a style, a picture or a font from elsewhere."""
    loads = {address for path in _pages(site) for address in _read(path).loads}
    assert any(address.endswith(".js") for address in loads)
    assert [] == sorted(address for address in loads if urlsplit(address).netloc)
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert "url(http" not in styles


@pytest.mark.parametrize("package", _PACKAGES)
def test_reference_is_complete(site: Path, package: str) -> None:
    """Every public name has a place in the reference, under the name users import it by."""
    inventory = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    described = {line.split(" ")[0] for line in zlib.decompress(inventory).decode().splitlines()}
    public = importlib.import_module(package).__all__
    assert [] == [name for name in public if f"{package}.{name}" not in described]


def test_signatures_are_in_lines(site: Path) -> None:
    """No signature of the reference is one endless line; what breaks them comes with `docs`."""
    longest: list[int] = []
    for path in (site / "reference").glob("*.html"):
        text = path.read_text(encoding="utf-8")
        for block in re.findall(r"doc-signature[^>]*>(.*?)</pre>", text, re.DOTALL):
            lines = unescape(re.sub("<[^>]+>", "", block)).splitlines()
            longest += map(len, lines)
    assert longest
    assert [] == [length for length in longest if length > 120]


def test_command_line_is_complete(site: Path) -> None:
    """Every command, and every subcommand, has a place and an example in the reference."""
    page = site / "cli.html"
    text = page.read_text(encoding="utf-8")
    missing = [words for words in EXAMPLES if words.replace(" ", "-") not in _read(page).anchors]
    assert [] == missing
    assert len(EXAMPLES) == text.count("<p>Example:</p>")
    assert COMMANDS.keys() == {words.split(" ")[0] for words in EXAMPLES}


@pytest.mark.parametrize(
    ("page", "drawing"), [("concepts.html", "outcomes"), ("architecture.html", "layers")]
)
def test_drawings_are_part_of_their_page(site: Path, page: str, drawing: str) -> None:
    """A drawing stands in its page, where it takes the colours of the theme."""
    text = (site / page).read_text(encoding="utf-8")
    assert f'id="{drawing}-title"' in text
    assert "<!-- include:" not in text


@pytest.mark.parametrize(
    "word", ["django", "flask", "celery", "workers", "webhook", "troubleshooting"]
)
def test_search_leads_somewhere(site: Path, word: str) -> None:
    """What people look for first is found, also where the answer is that it is not there."""
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    assert [entry["location"] for entry in index["docs"] if word in entry["text"].lower()]
