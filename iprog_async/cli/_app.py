"""The commands; each lives in a module of its own that is imported when it is called."""

from __future__ import annotations

from importlib.metadata import version

from cyclopts import App

from iprog_async.cli._commands import COMMANDS
from iprog_async.cli._exit import ExitCode


_HELP = """Send SMS through cheap regional gateways.

The gateway is that of --url, else of SMS_URL, else the one whose credentials are set.
"""


def _epilogue() -> str:
    codes = "\n".join(f"- {code.value}: {code.meaning}" for code in ExitCode)
    return f"Exit codes:\n\n{codes}"


def _build() -> App:
    app = App(
        name="iprog-async",
        help=_HELP,
        help_epilogue=_epilogue(),
        help_format="markdown",
        version=lambda: version("iprog-async"),
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for place, (name, words) in enumerate(COMMANDS.items()):
        app.command(f"iprog_async.cli._{name}:{name}", name=name, help=words, sort_key=place)
    return app


app = _build()
