"""`iprog-async sandbox`."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import shlex
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, validators

from iprog_async._core.errors import ConfigurationError, InvalidMessageError
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._errors.wording import in_options
from iprog_async.cli._options.shared import AsJson
from iprog_async.cli._terminal.output import echo, emit


if TYPE_CHECKING:
    from iprog_async.sandbox import Sandbox

_PORT = 8025
_PORTS_TO_TRY = 20
_Natural = Parameter(validator=validators.Number(gte=0))


async def sandbox(  # noqa: D417 - the shared options describe themselves
    *,
    port: Annotated[int | None, Parameter(validator=validators.Number(gte=0, lte=65535))] = None,
    host: str = "127.0.0.1",
    allow_remote: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    credit: Annotated[int, _Natural] = 1000,
    delivered_after: Annotated[float, _Natural] = 1.0,
    push: str | None = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Run a local server that plays the gateways, until Ctrl-C.

    Args:
        port: Port to listen on; 0 takes any that is free. By default 8025, or the next free one.
        host: Address to listen on.
        allow_remote: Let other machines in: the sandbox asks nobody for a password.
        credit: Credit of each account at the start, in segments.
        delivered_after: Seconds from a text's departure to its final status.
        push: Address of your app that answers of phones are posted to, as a gateway posts
            incoming texts; see the page "Incoming texts and STOP".
    """
    from iprog_async.sandbox import Sandbox

    # Before the first line is written: its reader may stop us at once.
    stopped = _watch_for_sigterm()

    def at(number: int) -> Sandbox:
        return Sandbox(
            host=host,
            port=number,
            allow_remote=allow_remote,
            credit=credit,
            delivered_after=delivered_after,
            push=push,
        )

    async with AsyncExitStack() as stack:
        if port is None:
            running = await _started_near(at, stack)
        else:
            running = await _started(at(port), stack)
        if as_json:
            emit(_data(running))
        else:
            if port is None and not running.url.endswith(f":{_PORT}"):
                echo(f"Port {_PORT} is taken, perhaps by another sandbox.")
            echo(*_words(running))
        # Being stopped is how a server ends, and no failure.
        with contextlib.suppress(asyncio.CancelledError):
            await stopped.wait()
    return ExitCode.OK


async def _started_near(at: Callable[[int], Sandbox], stack: AsyncExitStack) -> Sandbox:
    """Start at the usual port, or at the next one that is free."""
    for number in range(_PORT, _PORT + _PORTS_TO_TRY):
        try:
            return await _started(at(number), stack)
        except ConfigurationError as exc:
            if getattr(exc.__cause__, "errno", None) != errno.EADDRINUSE:
                raise
    return await _started(at(0), stack)


async def _started(playing: Sandbox, stack: AsyncExitStack) -> Sandbox:
    from iprog_async.sandbox._server.listening import RemoteHostError

    try:
        return await stack.enter_async_context(playing)
    except RemoteHostError as exc:
        # What is missing is an option, as with any other wrong usage.
        raise InvalidMessageError(f"--host: {in_options(str(exc))}") from None


def _data(running: Sandbox) -> dict[str, Any]:
    return {
        "url": running.url,
        "page": running.page,
        "loopback_only": not running.is_remote,
        "addresses": {name: running.address(name) for name in running.providers},
        "inbox": f"{running.url}/_sandbox/inbox",
        "faults": f"{running.url}/_sandbox/faults",
    }


def _words(running: Sandbox) -> list[str]:
    open_door = (
        "It listens beyond this machine and asks nobody for a password: whoever reaches it reads "
        "every text, and the codes in them."
    )
    return [
        f"The sandbox runs at {running.url} and texts nobody. Choose a gateway, for example with:",
        *(f"  export SMS_URL={shlex.quote(running.address(name))}" for name in running.providers),
        f"Inbox, live, in a browser: {running.page}",
        *([open_door] if running.is_remote else []),
        "Ctrl-C stops it.",
    ]


def _watch_for_sigterm() -> asyncio.Event:
    """Return what SIGTERM sets; Ctrl-C cancels the command instead."""
    stopped = asyncio.Event()
    # Windows has no signal handlers of the loop, and neither has a thread.
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    return stopped
