"""From the words of a command line to an exit code."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Coroutine, Sequence
from contextlib import nullcontext
from typing import Any

from iprog_async._core.errors import SmsError
from iprog_async._http.exchange_log import exchanges_shown
from iprog_async._http.send_context import was_in_flight
from iprog_async.cli._base.command_table import RISKS
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._base.extras import extra_of, install_line
from iprog_async.cli._base.stdin import STDIN
from iprog_async.cli._errors import failure as failure_module
from iprog_async.cli._errors.failure import CommandFailure
from iprog_async.cli._terminal.output import emit, forgive_encoding, print_error, silence


_DEBUG = "--debug"


def run(tokens: Sequence[str] | None = None) -> ExitCode:
    """Run one command; whatever goes wrong becomes one line, or one JSON object."""
    tokens = list(sys.argv[1:] if tokens is None else tokens)
    options = tokens[: tokens.index("--")] if "--" in tokens else tokens
    forgive_encoding()
    # Without any handler Python itself would print the library's warnings and tracebacks.
    logging.getLogger("iprog_async").addHandler(logging.NullHandler())
    debug = _DEBUG in options
    if debug:
        # Of every command, wherever it stands among its words.
        tokens = [*(word for word in options if word != _DEBUG), *tokens[len(options) :]]
        options = [word for word in options if word != _DEBUG]
    with exchanges_shown(print_error) if debug else nullcontext():
        result = _outcome(tokens, options)
    if isinstance(result, ExitCode):
        return result
    result = result.veiled(tokens)
    if "--json" in options:
        emit({"error": result.to_dict()})
    else:
        print_error(result.message)
    return result.code


def _outcome(tokens: list[str], options: list[str]) -> ExitCode | CommandFailure:
    try:
        return _dispatch(tokens, options)
    except SmsError as exc:
        return failure_module.from_error(exc)
    except KeyboardInterrupt:
        return _interrupted(in_flight=False)
    except ModuleNotFoundError as exc:
        extra = extra_of(exc.name)
        if extra is None:
            return failure_module.from_bug(exc)
        line = f"this needs the extra {extra!r}, which is not installed: {install_line(extra)}"
        return CommandFailure("MissingExtraError", line, ExitCode.CONFIGURATION)
    except (BrokenPipeError, SystemExit):
        # Only the help is not written by us; its reader went away.
        silence(sys.stdout)
        return ExitCode.OK
    except Exception as exc:
        return failure_module.from_bug(exc, risk=_risk(options))


def _dispatch(tokens: list[str], options: list[str]) -> ExitCode | CommandFailure:
    from cyclopts import CycloptsError

    from iprog_async.cli._base.app import app
    from iprog_async.cli._errors.usage_errors import from_cyclopts

    # A lone dash stands for stdin, and cyclopts would take it for an option.
    given = [STDIN if word == "-" else word for word in options] + tokens[len(options) :]
    try:
        code = asyncio.run(_supervise(app.run_async(given, exit_on_error=False, print_error=False)))
    except CycloptsError as exc:
        return from_cyclopts(exc, options)
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
        # Ctrl-C. Only here is it still known whether a send was on its way. It is returned: of an
        # error asyncio would make a KeyboardInterrupt, or show it if there is a second Ctrl-C.
        return _interrupted(in_flight=was_in_flight(exc))


def _interrupted(*, in_flight: bool) -> CommandFailure:
    fate = (
        "a text was on its way and may have been sent: look at the gateway before you repeat it"
        if in_flight
        else "no text was on its way"
    )
    return CommandFailure(
        "Interrupted", f"stopped by Ctrl-C; {fate}", ExitCode.INTERRUPTED, in_flight, not in_flight
    )
