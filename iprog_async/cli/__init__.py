"""The command `iprog-async` (extra `cli`), one function for each of its subcommands."""

from __future__ import annotations

from collections.abc import Sequence


__all__ = ["main"]


def main(tokens: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `iprog-async --help` lists the codes.

    Args:
        tokens: What stands after the command's name; the process's own arguments if `None`.

    Returns:
        The exit code. Nothing is raised for what goes wrong, whatever it is.
    """
    # Imported late: the module itself must load where the extra is not installed.
    from iprog_async.cli._run import run

    return int(run(tokens))
