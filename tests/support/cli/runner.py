"""Running the command inside the test's process, and reading what it wrote."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from attrs import frozen

from iprog_async.cli import main


@frozen
class Ran:
    """What a command did.

    Args:
        code: Its exit code.
        out: What it wrote to stdout.
        err: What it wrote to stderr.
    """

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error object on stdout."""
        return dict(self.json["error"])


@frozen
class Cli:
    """Runs commands; `cli("count", "hi")`."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *tokens: str) -> Ran:
        """Run one command by the real entry point."""
        return self.run(tokens)

    def run(self, tokens: Sequence[str]) -> Ran:
        """Run one command, and check what holds for all: no traceback, one line of error."""
        self.capsys.readouterr()
        code = main(list(tokens))
        written = self.capsys.readouterr()
        assert "Traceback" not in written.out + written.err
        assert len(written.err.splitlines()) <= 1
        return Ran(code, written.out, written.err)
