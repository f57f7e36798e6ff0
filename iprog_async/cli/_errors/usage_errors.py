"""What is said of a command line that no command takes."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from iprog_async.cli._base.command_table import TAKES_TEXT
from iprog_async.cli._base.stdin import STDIN
from iprog_async.cli._errors import failure
from iprog_async.cli._errors.failure import CommandFailure


if TYPE_CHECKING:
    from cyclopts import CycloptsError, MissingArgumentError, UnknownOptionError

_SLIP = re.compile(r"--[a-z-]+(=.*)?")
_TAKES_NUMBER = ("send", "reminder create")


def from_cyclopts(error: CycloptsError, options: list[str]) -> CommandFailure:
    """Describe a mistake on the command line, and what to write instead.

    Args:
        error: What was made of it.
        options: The words before a lone --.
    """
    from cyclopts import UnknownOptionError, UnusedCliTokensError

    command = " ".join(error.command_chain or ())
    words, hint = str(error), _hint(error, command, options)
    if isinstance(error, UnusedCliTokensError):
        more = shlex.join(error.unused_tokens or ())
        words = f"{f'iprog-async {command}'.strip()} does not expect {more}"
        hint = _quotes(command) or hint
    if isinstance(error, UnknownOptionError) and (places := _places(error)):
        words = f"{_word(error)} is no option: it is given by its place, without the dashes"
        hint = f"write iprog-async {command} {places}"
    return failure.from_usage(words.replace(STDIN, "-"), hint)


def _quotes(command: str) -> str | None:
    """Return how blanks are written in what a command takes, if it takes such a thing."""
    if command not in TAKES_TEXT:
        return None
    call = TAKES_TEXT[command].replace("0917…", "'0917 123 4567'")
    what = "the number and the text each" if command in _TAKES_NUMBER else "the text"
    return f"put {what} in quotes: iprog-async {call} 'Hi there'"


def _hint(error: CycloptsError, command: str, options: list[str]) -> str:
    from cyclopts import MissingArgumentError, UnknownOptionError

    if isinstance(error, MissingArgumentError) and (option := _robbed(error, options)):
        return f"a value that starts with - is written {option}='-5 % today'"
    if command in TAKES_TEXT and isinstance(error, UnknownOptionError) and _is_text(error):
        return (
            "a text that starts with - goes last, after --: "
            f"iprog-async {TAKES_TEXT[command]} -- '-5 % today'"
        )
    return " ".join(f"see iprog-async {command} --help".split())


def _robbed(error: MissingArgumentError, options: list[str]) -> str | None:
    """Return the option whose value was taken for an option of its own, if that is the trouble."""
    name = error.argument.name if error.argument is not None else ""
    after = options[options.index(name) + 1 :][:1] if name in options else []
    return name if after and after[0].startswith("-") and not _SLIP.fullmatch(after[0]) else None


def _is_text(error: UnknownOptionError) -> bool:
    """Return whether an unknown option looks less like a slip than like a text."""
    return _SLIP.fullmatch(_word(error)) is None


def _places(error: UnknownOptionError) -> str:
    """Return what a command takes by its place, if the unknown option is named like one of it."""
    names = [argument.name for argument in error.argument_collection]
    places = [name for name in names if not name.startswith("-")]
    meant = _word(error).removeprefix("--").replace("-", "_").upper()
    return " ".join(places) if meant in places else ""


def _word(error: UnknownOptionError) -> str:
    return (error.token.keyword or error.token.value).partition("=")[0]
