"""Options and questions of commands that change, bill or reveal something."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

from cyclopts import Parameter

from iprog_async._core.errors import (
    AuthenticationError,
    InvalidMessageError,
    NoAnswerError,
    OutcomeUnknownError,
    SmsError,
)
from iprog_async.cli._terminal.ask import ask
from iprog_async.cli._terminal.output import echo, print_error
from iprog_async.cli._terminal.signals import ctrl_c_interrupts


Yes = Annotated[
    bool,
    Parameter(name="--yes", negative="", show_default=False, help="Do it without asking."),
]
Show = Annotated[
    bool,
    Parameter(name="--show", negative="", show_default=False, help="Print the secret itself."),
]


def confirm(deed: str, *, yes: bool, as_json: bool) -> bool:
    """Return whether somebody wants it done, after saying so where not.

    Args:
        deed: What is to be done, as in "Delete the group 7?".
        yes: Whether `--yes` was given, which asks nobody.
        as_json: Whether `--json` was given, where a question has no place.

    Raises:
        InvalidMessageError: There is nobody to ask.
    """
    if yes:
        return True
    if as_json or not sys.stdin.isatty():
        why = "--json" if as_json else "there is no terminal"
        raise InvalidMessageError(f"nobody can be asked: {deed}? ({why}); add --yes to do it")
    if confirmed(f"{deed}? [y/N] "):
        return True
    print_error("stopped; nothing was done")
    return False


def confirmed(question: str) -> bool:
    """Return whether a person at the terminal answers yes."""
    with ctrl_c_interrupts():
        try:
            answer = ask(question)
        except (EOFError, KeyboardInterrupt):
            echo("")
            return False
    return answer.strip().lower() in ("y", "yes")


@contextmanager
def explain_outcome(
    unknown: str, certain: str | None = None, *, unauthorized: str | None = None
) -> Generator[None]:
    """Say on an error what it means for the deed.

    Args:
        unknown: What may have happened where no trustworthy answer came.
        certain: What is certain after any other error; `None` where such an error says it.
        unauthorized: What it may mean that the key is not taken (any more).
    """
    try:
        yield
    except (OutcomeUnknownError, NoAnswerError) as exc:
        exc.add_note(unknown)
        raise
    except SmsError as exc:
        refused = isinstance(exc, AuthenticationError)
        note = (unauthorized if refused else None) or certain
        if note is not None:
            exc.add_note(note)
        raise
