"""`iprog-async providers`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._commands.capability_table import HEADINGS, markdown, rows
from iprog_async.cli._doctor.inventory import complain_of_broken_plugins
from iprog_async.cli._options.shared import AsJson
from iprog_async.cli._terminal.output import Column, echo, emit, say_table


_WRAP = ("Gateway", "Request", "Also")


def providers(
    *,
    as_markdown: Annotated[
        bool,
        Parameter(
            name="--markdown", negative="", show_default=False, help="Print a Markdown table."
        ),
    ] = False,
    as_json: AsJson = False,
) -> ExitCode:
    """Show what each installed gateway can do, as its own code says."""
    table = rows()
    complain_of_broken_plugins()
    if as_json:
        emit([row.to_dict() for row in table])
    elif as_markdown:
        echo(markdown(table))
    else:
        # The last column, of variables, has no room in a terminal.
        columns = [Column(name, wraps=name in _WRAP) for name in HEADINGS[:-1]]
        say_table(columns, (row.cells()[:-1] for row in table))
    return ExitCode.OK
