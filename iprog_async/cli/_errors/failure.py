"""What went wrong, as one line for people and as one object for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve, frozen

from iprog_async._core.errors import SmsError
from iprog_async._core.redaction import one_line
from iprog_async.cli._base.exit_codes import ExitCode, exit_code
from iprog_async.cli._errors.veil import mask_addresses, veil
from iprog_async.cli._errors.wording import words_of_error


_LONGEST_LINE = 1000


@frozen
class CommandFailure:
    """One failure of a command.

    Args:
        type: Name of the error's class.
        message: One line: what is known, what it means for the text, what to do.
        code: How the command ends.
        may_have_been_sent: Whether a text may have gone out.
        healable: Whether a later try, or another gateway, could succeed.
    """

    type: str
    message: str
    code: ExitCode
    may_have_been_sent: bool = False
    healable: bool = False

    def veiled(self, tokens: Sequence[str]) -> CommandFailure:
        """Return it without the words of the command line that may be a credential."""
        return evolve(self, message=veil(self.message, tokens))

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` shows of it."""
        return {
            "type": self.type,
            "message": self.message,
            "may_have_been_sent": self.may_have_been_sent,
            "healable": self.healable,
        }


def from_error(error: SmsError) -> CommandFailure:
    """Describe one of the library's own errors, with the notes that a command put on it."""
    return CommandFailure(
        type(error).__name__,
        one_line(_with_notes(error), _LONGEST_LINE),
        exit_code(error),
        error.may_have_been_sent,
        error.healable,
    )


def _with_notes(error: SmsError) -> str:
    words = words_of_error(error).rstrip(". ")
    notes: list[str] = getattr(error, "__notes__", [])
    if notes:
        # The note says what may have happened.
        words = words.replace("It may have happened: check", "Check")
    return ". ".join([words, *notes])


def from_usage(words: str, hint: str) -> CommandFailure:
    """Describe a mistake on the command line; an address in it is masked."""
    line = mask_addresses(words).rstrip(". ")
    between = " " if line.endswith("?") else "; "
    line = one_line(f"{line}{between}{hint}", _LONGEST_LINE)
    return CommandFailure("UsageError", line, ExitCode.USAGE)


def from_bug(error: Exception, *, risk: str | None = None) -> CommandFailure:
    """Describe an error that nobody foresaw; its words may hold anything and are not shown."""
    place = _place(error)
    fate = risk or "nothing was sent"
    what = type(error).__name__
    if isinstance(error, ImportError):
        what = f"{what} ({error.name})"
    line = f"unexpected {what}{place}: a bug in iprog-async or a plug-in; {fate}"
    code = ExitCode.UNKNOWN if risk else ExitCode.UNEXPECTED
    return CommandFailure("UnexpectedError", line, code, may_have_been_sent=risk is not None)


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    module = trace.tb_frame.f_globals.get("__name__", "?")
    return f" in {module}, line {trace.tb_lineno}"
