"""What users copy from the documentation passes the type checker they have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.docs_pages import ROOT, blocks_of, pages


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (ROOT / "mkdocs.yml").exists(), reason="runs where the documentation is"
    ),
]

_README = ROOT / "README.md"
_GUIDE = ROOT / "providers" / "README.md"


def test_programs_pass_the_type_checker(tmp_path: Path) -> None:
    """Each program of the documentation, the README and its guide passes mypy in strict mode."""
    pytest.importorskip("mypy")
    programs = [(b.title, b.code) for page in pages() for b in blocks_of(page) if b.is_file]
    readme = [b.code for b in blocks_of(_README) if b.language == "python"]
    programs += [(f"readme_{place}.py", code) for place, code in enumerate(readme)]
    guide = [b.code for b in blocks_of(_GUIDE) if b.language == "python"]
    programs += zip(("acme_sms.py", "test_acme.py"), guide, strict=True)
    for title, code in programs:
        (tmp_path / title).write_text(code, encoding="utf-8")
    files = [str(tmp_path / title) for title, _ in programs if title.endswith(".py")]

    # The project's settings and its cache: only the programs themselves are looked at anew.
    command = [sys.executable, "-m", "mypy", "--no-error-summary", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)  # noqa: S603 - ours

    assert "" == done.stdout + done.stderr
