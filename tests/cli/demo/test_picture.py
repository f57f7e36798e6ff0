"""The picture of a bulk run that the README shows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.waiting import LONG


_ROOT = Path(__file__).parents[3]
_KEPT = _ROOT / "docs" / "images" / "bulk.svg"
_NEW = pytest.param(False, marks=pytest.mark.slow)  # it takes a run to draw one


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw the picture of a small run, by the documented command."""
    path = tmp_path_factory.mktemp("picture") / "bulk.svg"
    command = [sys.executable, "-m", "benchmarks.picture", "--rows", "300", "--output", str(path)]
    subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, timeout=LONG)  # noqa: S603 - our own command
    return path


def _picture(request: pytest.FixtureRequest, kept: bool) -> Path:
    drawn: Path = _KEPT if kept else request.getfixturevalue("drawn")
    return drawn


def _words(picture: Path) -> str:
    root = ElementTree.fromstring(picture.read_text("utf-8"))  # noqa: S314 - our own file
    return " ".join(" ".join(root.itertext()).split())


@pytest.mark.parametrize("kept", [True, _NEW])
def test_it_shows_a_run_midway(request: pytest.FixtureRequest, kept: bool) -> None:
    """The preview and the bar are there, with some sent and some still to come."""
    words = _words(_picture(request, kept))

    assert "iprog-async bulk june.csv" in words
    assert "--price 0.35 --currency PHP" in words
    done, total = map(int, re.findall(r"(\d+)/(\d+)", words)[-1])
    assert 0 < done < total
    assert re.search(r"accepted \d+ ?, not sent \d+ ?, unknown 0", words)


@pytest.mark.parametrize("kept", [True, _NEW])
def test_it_asks_no_other_host_and_names_no_folder(
    request: pytest.FixtureRequest, kept: bool
) -> None:
    """A picture loads no letters from elsewhere, and shows nothing of whose machine it was."""
    text = _picture(request, kept).read_text("utf-8")

    assert {"http://www.w3.org/2000/svg"} == set(re.findall(r"https?://[^\"\s)]+", text))
    assert [] == re.findall(r"@font-face|@import|/home/|/tmp/|/root/|127\.0\.0\.1", text)
