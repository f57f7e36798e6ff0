"""Reading a page of the documentation as its reader does: from top to bottom, by copy and paste.

| block | what the reader does |
|---|---|
| `python title="notify.py"` | saves it and runs it, by pytest if it is called `test_….py`; where |
| | an `sh` block of the page runs it, or it needs an account, only saves it |
| any other with a `title` that is a file's name | saves it |
| `sh` | types it; all blocks of a page are typed into one terminal |
| `sh` that starts `iprog-async sandbox` | types it into another terminal, where it goes on |
| `sh` that installs | has done it: the environment of the tests has everything |
| `text title="output"` | compares it with what the last command wrote; `…` is anything |
"""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from attrs import define, field, frozen


ROOT = Path(__file__).parents[2]
SANDBOX_PORT = "8025"
"""The port that the pages write; each page is read with one that is free."""
DATABASE = "postgresql://localhost/shop"
"""The database that the pages write; each page is read with one of its own."""

_BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)(?: title=\"(?P<title>[^\"]*)\")?\n"
    r"(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_INSTALLS = re.compile(r"(?:pip install|python3 -m venv|\.venv/bin/)")
_ACCOUNT = "YOUR-TOKEN"
# Whatever would leave this machine meets a closed door instead.
_NOWHERE = "http://127.0.0.1:9"


@frozen
class Block:
    """One block of code of a page.

    Args:
        language: What the fence says.
        title: What the fence says about its name, or empty.
        code: What it holds.
    """

    language: str
    title: str
    code: str

    @property
    def installs(self) -> bool:
        """Whether each of its lines prepares the environment."""
        return self.language == "sh" and all(map(_INSTALLS.match, self.code.splitlines()))

    @property
    def is_server(self) -> bool:
        """Whether it goes on until somebody stops it."""
        return self.language == "sh" and self.code.startswith("iprog-async sandbox")

    @property
    def is_run(self) -> bool:
        """Whether it is a program that needs no account."""
        return self.language == "python" and _ACCOUNT not in self.code

    @property
    def is_file(self) -> bool:
        """Whether it is to be saved."""
        return self.language == "python" or "." in self.title


def blocks_of(path: Path) -> Iterator[Block]:
    """Yield the blocks of a page, in order."""
    for found in _BLOCK.finditer(path.read_text(encoding="utf-8")):
        code = re.sub(rf"^{found['indent']}", "", found["code"], flags=re.MULTILINE)
        yield Block(found["language"], found["title"] or "", code)


def pages() -> list[Path]:
    """Return the sources of all pages."""
    return sorted((ROOT / "docs").rglob("*.md"))


@define
class Reader:
    """Somebody who follows one page in an empty directory.

    Args:
        directory: Where files are saved.
        state: A file that keeps the terminal's variables from one block to the next.
        database: The address of an empty database, for pages that need one.
    """

    directory: Path
    state: Path
    database: str = DATABASE
    _typed: str = field(default="", init=False)
    _port: str = field(init=False)
    _last: str = field(default="", init=False)
    _server: subprocess.Popen[str] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._port = str(listener.getsockname()[1])
        self.state.touch()

    def read(self, page: Path) -> None:
        """Do what a page asks for; raises `AssertionError` if something does not work."""
        blocks = list(blocks_of(page))
        self._typed = "".join(block.code for block in blocks if block.language == "sh")
        try:
            for block in blocks:
                self._follow(block)
        finally:
            self._leave()

    def _follow(self, block: Block) -> None:
        code = block.code.replace(SANDBOX_PORT, self._port).replace(DATABASE, self.database)
        if block.installs:
            return
        if block.is_file:
            assert block.title, f"this block does not say what to call it:\n{block.code}"
            (self.directory / block.title).write_text(code, encoding="utf-8")
        if block.is_server:
            self._start(code)
        elif block.is_run and f" {block.title}" not in self._typed:
            runner = "-m pytest -q -p no:cacheprovider" if block.title.startswith("test_") else ""
            self._type(f"python {runner} {shlex.quote(block.title)}")
        elif block.language == "sh":
            self._type(code)
        elif block.title == "output":
            self._compare(code)

    def _leave(self) -> None:
        if self._server is not None:
            self._server.terminate()
            self._server.communicate(timeout=30)

    def _start(self, command: str) -> None:
        assert self._server is None, "one sandbox is enough for a page"
        self._server = subprocess.Popen(  # noqa: S603 - a page of ours
            shlex.split(command, comments=True),
            cwd=self.directory,
            env=_environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._server.stdout is not None
        assert self._server.stdout.readline(), "the sandbox did not start"

    def _type(self, command: str) -> None:
        state = shlex.quote(str(self.state))
        done = subprocess.run(  # noqa: S603 - a page of ours
            ["bash", "-euo", "pipefail", "-c", f". {state}\n{command}\nexport -p > {state}"],  # noqa: S607 - the reader's shell
            cwd=self.directory,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=90,
        )
        self._last = done.stdout
        assert 0 == done.returncode, f"{command}\nwrote:\n{done.stdout}"

    def _compare(self, expected: str) -> None:
        expected = expected.replace("\n…\n", "…").strip()
        pattern = ".*?".join(re.escape(part) for part in expected.split("…"))
        shown = "\n".join(line.rstrip() for line in self._last.strip().splitlines())
        assert re.fullmatch(pattern, shown, re.DOTALL), (
            f"the page shows:\n{expected}\nbut there is:\n{shown}"
        )


def _environment() -> dict[str, str]:
    """Return what a fresh terminal has: no gateway's credentials, and no way out."""
    kept = {name: os.environ[name] for name in ("HOME", "SYSTEMROOT") if name in os.environ}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    proxies = {f"{kind}_proxy": _NOWHERE for kind in ("http", "https", "all")}
    return {
        **kept,
        **proxies,
        "no_proxy": "127.0.0.1",
        "PATH": path,
        "LANG": "C.UTF-8",
        "COLUMNS": "100",
    }
