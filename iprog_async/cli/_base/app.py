"""The commands; each lives in a module of its own that is imported when it is called."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from iprog_async.cli._base.command_table import COMMANDS, closing_words
from iprog_async.cli._base.exit_codes import ExitCode


if TYPE_CHECKING:
    from rich.table import Table

_HELP = """Send SMS through cheap regional gateways.

The gateway is that of --url, else of SMS_URL, else the one whose credentials are set.
With --debug any command shows on stderr what it says to the gateway and what that answers: numbers
and texts, and no credential.
"""


class Root(App):
    """The application; what its help ends with depends on the command that was asked about."""

    # The annotations are those of the method that this one replaces; cyclopts reads them.
    def help_print(
        self,
        tokens: Annotated[str | Iterable[str] | None, Parameter(show=False)] = None,
        *,
        console: Annotated[Any, Parameter(parse=False)] = None,
    ) -> None:
        """Print the help, then the exit codes, or of a command an example."""
        # It may be read once only, and is needed twice.
        tokens = tokens if tokens is None or isinstance(tokens, str) else list(tokens)
        super().help_print(tokens, console=console)
        path, _, _ = self.parse_commands(tokens)
        out = console or self.console
        if path:
            # Not wrapped by us, so that an example can be copied as one line.
            lines = ["", *closing_words(" ".join(path))]
            out.print(*lines, sep="\n", soft_wrap=True, markup=False, highlight=False, emoji=False)
        else:
            out.print("\nExit codes:", _exit_codes(), sep="\n")


def _exit_codes() -> Table:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", min_width=5)
    for code in ExitCode:
        table.add_row(str(code.value), code.meaning)
    return table


def _build() -> App:
    app = Root(
        name="iprog-async",
        help=_HELP,
        help_format="markdown",
        version=lambda: version("iprog-async"),
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for place, (name, command) in enumerate(COMMANDS.items()):
        where = f"iprog_async.cli.{command.module}:{name}"
        app.command(where, name=name, help=command.help, sort_key=place)
    return app


app = _build()
