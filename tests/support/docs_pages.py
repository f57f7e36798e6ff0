"""Reading a page of the documentation as its reader does: from top to bottom, by copy and paste.

| block | what the reader does |
|---|---|
| `python title="notify.py"` | saves it and runs it, by pytest if it is called `test_….py`; where |
| | an `sh` block of the page runs it or serves it, or it needs an account, only saves it |
| any other with a `title` that is a file's name | saves it |
| `sh` | types it; all blocks of a page are typed into one terminal |
| `sh` that starts `iprog-async sandbox` | types it into another terminal, where it goes on |
| `sh` that starts a server of an app | types it into another terminal, where it goes on until the |
| | page starts the next one |
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
import time
from collections.abc import Iterator
from pathlib import Path

from attrs import define, field, frozen

from support.waiting import LONG


ROOT = Path(__file__).parents[2]
SANDBOX_PORT = "8025"
"""The port that the pages write; each page is read with one that is free."""
APP_PORT = "8000"
"""The same of the servers of apps."""
DATABASE = "postgresql://localhost/shop"
"""The database that the pages write; each page is read with one of its own."""

_FEWER = ("--workers 4", "--workers 2")
"""How many processes the pages write for a server, and what shows the same in half the time."""

_BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)(?: title=\"(?P<title>[^\"]*)\")?\n"
    r"(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_INSTALLS = re.compile(r"(?:pip install|python3 -m venv|\.venv/bin/)")
_APP_SERVERS = ("uvicorn ", "gunicorn ", "celery ")
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
    def is_app_server(self) -> bool:
        """Whether it serves an app until somebody stops it."""
        return self.language == "sh" and self.code.startswith(_APP_SERVERS)

    @property
    def is_run(self) -> bool:
        """Whether it is a program that needs no account."""
        return self.language == "python" and _ACCOUNT not in self.code

    @property
    def is_file(self) -> bool:
        """Whether it is to be saved."""
        return self.language == "python" or "." in self.title


def _listens(port: str) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", int(port))) == 0


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
        programs: A folder whose programs are found before all others.
        database: The address of an empty database, for pages that need one.
    """

    directory: Path
    state: Path
    programs: Path
    database: str = DATABASE
    _typed: str = field(default="", init=False)
    _port: str = field(init=False)
    _app_port: str = field(init=False)
    _last: str = field(default="", init=False)
    _server: subprocess.Popen[str] | None = field(default=None, init=False)
    _app: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        nowhere = ("127.0.0.1", 0)
        with socket.create_server(nowhere) as sandbox, socket.create_server(nowhere) as app:
            self._port, self._app_port = (str(it.getsockname()[1]) for it in (sandbox, app))
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
        code = block.code.replace(DATABASE, self.database)
        for written, here in (SANDBOX_PORT, self._port), (APP_PORT, self._app_port), _FEWER:
            code = code.replace(written, here)
        if block.installs:
            return
        if block.is_file:
            assert block.title, f"this block does not say what to call it:\n{block.code}"
            (self.directory / block.title).write_text(code, encoding="utf-8")
        if block.is_server:
            self._start(code)
        elif block.is_app_server:
            self._serve(code)
        elif block.is_run and not self._is_typed(block.title):
            runner = "-m pytest -q -p no:cacheprovider" if block.title.startswith("test_") else ""
            self._type(f"python {runner} {shlex.quote(block.title)}")
        elif block.language == "sh":
            self._type(code)
        elif block.title == "output":
            self._compare(code)

    def _is_typed(self, title: str) -> bool:
        """Return whether a command of the page runs a program, or serves the app in it."""
        module = title.removesuffix(".py")
        return any(name in self._typed for name in (f" {title}", f"{module}:", f" -A {module} "))

    def _leave(self) -> None:
        self._stop_app()
        if self._server is not None:
            self._server.terminate()
            self._server.communicate(timeout=LONG)

    def _start(self, command: str) -> None:
        assert self._server is None, "one sandbox is enough for a page"
        self._server = subprocess.Popen(  # noqa: S603 - a page of ours
            ["bash", "-c", f"exec {command}"],  # noqa: S607 - the reader's shell
            cwd=self.directory,
            env=self._environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._server.stdout is not None
        assert self._server.stdout.readline(), "the sandbox did not start"

    def _serve(self, command: str) -> None:
        """Start the server of an app in the place of the one before, and wait until it answers."""
        self._stop_app()
        log = self.state.with_name("app.log")
        with log.open("wb") as output:
            self._app = subprocess.Popen(  # noqa: S603 - a page of ours
                ["bash", "-c", f". {shlex.quote(str(self.state))}\nexec {command}"],  # noqa: S607 - the reader's shell
                cwd=self.directory,
                env=self._environment(),
                stdout=output,
                stderr=output,
            )
        # A worker of a queue listens nowhere: what it is asked waits for it.
        while self._app_port in command and not _listens(self._app_port):
            assert self._app.poll() is None, log.read_text(encoding="utf-8")
            time.sleep(0.05)

    def _stop_app(self) -> None:
        if self._app is not None:
            self._app.terminate()
            self._app.wait(LONG)
            self._app = None

    def _type(self, command: str) -> None:
        state = shlex.quote(str(self.state))
        done = subprocess.run(  # noqa: S603 - a page of ours
            ["bash", "-euo", "pipefail", "-c", f". {state}\n{command}\nexport -p > {state}"],  # noqa: S607 - the reader's shell
            cwd=self.directory,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONG,
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

    def _environment(self) -> dict[str, str]:
        """Return what a fresh terminal has: no gateway's credentials, and no way out."""
        kept = {name: os.environ[name] for name in ("HOME", "SYSTEMROOT") if name in os.environ}
        folders = (str(self.programs), str(Path(sys.executable).parent), os.environ["PATH"])
        proxies = {f"{kind}_proxy": _NOWHERE for kind in ("http", "https", "all")}
        return {
            **kept,
            **proxies,
            "no_proxy": "127.0.0.1",
            "PATH": os.pathsep.join(folders),
            "LANG": "C.UTF-8",
            "COLUMNS": "100",
        }
