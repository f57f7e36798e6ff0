"""From the words of a command line to an exit code."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from iprog_async._cancellation import was_in_flight
from iprog_async._errors import SmsError
from iprog_async.cli import _failure
from iprog_async.cli._commands import RISKS, TAKES_TEXT
from iprog_async.cli._exit import ExitCode
from iprog_async.cli._extras import extra_of, install_line
from iprog_async.cli._failure import Failure
from iprog_async.cli._output import complain, emit, forgive_encoding, hush
from iprog_async.cli._stdin import STDIN


if TYPE_CHECKING:
    from cyclopts import CycloptsError, MissingArgumentError, UnknownOptionError


_SLIP = re.compile(r"--[a-z-]+(=.*)?")


def run(tokens: Sequence[str] | None = None) -> ExitCode:
    """Run one command; whatever goes wrong becomes one line, or one JSON object."""
    tokens = list(sys.argv[1:] if tokens is None else tokens)
    options = tokens[: tokens.index("--")] if "--" in tokens else tokens
    forgive_encoding()
    # Without any handler Python itself would print the library's warnings and tracebacks.
    logging.getLogger("iprog_async").addHandler(logging.NullHandler())
    result = _outcome(tokens, options)
    if isinstance(result, ExitCode):
        return result
    if "--json" in options:
        emit({"error": result.to_dict()})
    else:
        complain(result.message)
    return result.code


def _outcome(tokens: list[str], options: list[str]) -> ExitCode | Failure:
    try:
        return _dispatch(tokens, options)
    except SmsError as exc:
        return _failure.from_error(exc)
    except _InterruptedError as exc:
        return exc.failure
    except KeyboardInterrupt:
        return _interrupted(in_flight=False)
    except ModuleNotFoundError as exc:
        extra = extra_of(exc.name)
        if extra is None:
            return _failure.from_bug(exc)
        line = f"this needs the extra {extra!r}, which is not installed: {install_line(extra)}"
        return Failure("MissingExtraError", line, ExitCode.CONFIGURATION)
    except (BrokenPipeError, SystemExit):
        # Only the help is not written by us; its reader went away.
        hush(sys.stdout)
        return ExitCode.OK
    except Exception as exc:
        return _failure.from_bug(exc, risk=_risk(options))


def _dispatch(tokens: list[str], options: list[str]) -> ExitCode | Failure:
    from cyclopts import CycloptsError

    from iprog_async.cli._app import app

    # A lone dash stands for stdin, and cyclopts would take it for an option.
    given = [STDIN if word == "-" else word for word in options] + tokens[len(options) :]
    try:
        code = asyncio.run(_supervise(app.run_async(given, exit_on_error=False, print_error=False)))
    except CycloptsError as exc:
        return _failure.from_usage(str(exc).replace(STDIN, "-"), _hint(exc, options))
    except KeyboardInterrupt:
        # A second Ctrl-C, which did not wait for what the first one would have told.
        return _interrupted(in_flight=_risk(options) is not None)
    return ExitCode.OK if code is None else code


def _risk(options: list[str]) -> str | None:
    """Return what the command may have done where nobody knows, if it does such things."""
    calls = ((call.split(), risk) for call, risk in RISKS.items())
    return next((risk for words, risk in calls if options[: len(words)] == words), None)


async def _supervise(command: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await command
    except asyncio.CancelledError as exc:
        # Ctrl-C. Only here is it still known whether a send was on its way.
        raise _InterruptedError(_interrupted(in_flight=was_in_flight(exc))) from None


class _InterruptedError(Exception):
    """Carries what a cancelled command knew past asyncio, which would drop it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure


def _interrupted(*, in_flight: bool) -> Failure:
    fate = (
        "a text was on its way and may have been sent: look at the gateway before you repeat it"
        if in_flight
        else "no text was on its way"
    )
    return Failure(
        "Interrupted", f"stopped by Ctrl-C; {fate}", ExitCode.INTERRUPTED, in_flight, not in_flight
    )


def _hint(error: CycloptsError, options: list[str]) -> str:
    from cyclopts import MissingArgumentError, UnknownOptionError

    command = " ".join(error.command_chain or ())
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
    word = error.token.keyword or error.token.value
    return _SLIP.fullmatch(word) is None
