"""Writes the reference of the command line from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cyclopts import App

from iprog_async.cli._base.app import app
from iprog_async.cli._base.command_table import EXAMPLES
from iprog_async.cli._base.exit_codes import ExitCode


MARK = "<!-- commands -->"

Path = tuple[str, ...]


def reference() -> str:
    """Return what exit codes mean, and all commands, as Markdown."""
    return "\n\n".join([*_exit_codes(), *(_section(path, each) for path, each in _walk(app, ()))])


def _exit_codes() -> Iterator[str]:
    yield "## Exit codes"
    rows = [f"| {code.value} | {code.meaning} |" for code in ExitCode]
    yield "\n".join(["| code | meaning |", "| --- | --- |", *rows])


def _walk(parent: App, path: Path) -> Iterator[tuple[Path, App]]:
    """Yield the commands and their subcommands, each with the words that call it."""
    for name in parent:
        if not name.startswith("-"):
            below = (*path, name)
            yield below, parent[name]
            yield from _walk(parent[name], below)


def _section(path: Path, command: App) -> str:
    words = " ".join(path)
    heading = f"{'#' * (1 + len(path))} {words} {{ #{'-'.join(path)} }}"
    if any(not name.startswith("-") for name in command):
        return f"{heading}\n\n{command.help}"
    written = command.generate_docs(recursive=False, usage_name=f"iprog-async {words}")
    # The first line is a title of its own.
    body = re.sub(r"\A# .*\n", "", written).strip()
    return f"{heading}\n\n{body}\n\nExample:\n\n```sh\n{EXAMPLES[words]}\n```"


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put the commands where a page wants them."""
    return markdown.replace(MARK, reference()) if MARK in markdown else markdown
