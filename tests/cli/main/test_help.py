"""What `--help` ends with."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest
from cyclopts import App
from support.cli.runner import Cli

from iprog_async.cli._base.app import app
from iprog_async.cli._base.command_table import COMMANDS, EXAMPLES, POINTER
from iprog_async.cli._base.exit_codes import ExitCode


def _paths(of: App, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command, those of groups included."""
    for name in of:
        if not name.startswith("-"):
            yield (*before, name)
            yield from _paths(of[name], (*before, name))


_ALL = [" ".join(path) for path in _paths(app)]
_GROUPS = {path.rpartition(" ")[0] for path in _ALL} - {""}
_COMMANDS = [path for path in _ALL if path not in _GROUPS]


def test_exit_codes_are_in_the_help_of_all(cli: Cli) -> None:
    """The help without a command lists every exit code with its meaning."""
    words = " ".join(cli("--help").out.split())

    assert [] == [code for code in ExitCode if f"{code.value} {code.meaning}" not in words]
    assert cli("--help").out == cli().out


@pytest.mark.parametrize("command", _COMMANDS)
def test_help_of_a_command(cli: Cli, command: str) -> None:
    """A command's help ends with one example and says where the exit codes are."""
    ran = cli(*command.split(), "--help")

    assert 0 == ran.code
    assert ["", "Example:", f"  {EXAMPLES[command]}", "", POINTER] == ran.out.splitlines()[-5:]
    assert "wrong usage or bad input" not in ran.out


def test_examples_are_not_broken_into_lines(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a narrow terminal, too, an example can be copied as one line."""
    monkeypatch.setenv("COLUMNS", "40")

    assert f"  {EXAMPLES['bulk']}" in cli("bulk", "--help").out.splitlines()


@pytest.mark.parametrize("command", _COMMANDS)
def test_examples_parse(command: str) -> None:
    """Every example is a command line that the command takes, and is of that command."""
    program, *tokens = shlex.split(EXAMPLES[command])

    path, _, _ = app.parse_commands(tokens)
    function, _, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)

    assert ("iprog-async", True) == (program, " ".join(path).startswith(command))
    assert path[-1].replace("-", "_") in function.__name__


def test_every_command_is_listed() -> None:
    """What is listed is what there is."""
    assert list(COMMANDS) == [command for command in _ALL if " " not in command]


@pytest.mark.parametrize("group", sorted(_GROUPS))
def test_help_of_a_group(cli: Cli, group: str) -> None:
    """A group's help names its commands, and says where the exit codes are."""
    out = cli(*group.split(), "--help").out
    names = [path.rpartition(" ")[2] for path in _ALL if path.startswith(f"{group} ")]

    assert [] == [name for name in names if name not in out]
    assert ["", POINTER] == out.splitlines()[-2:]
