"""`iprog-async completion`."""

from __future__ import annotations

from typing import Literal

from iprog_async.cli._exit import ExitCode
from iprog_async.cli._input import AsJson
from iprog_async.cli._output import emit, say


def completion(  # noqa: D417 - the shared options describe themselves
    shell: Literal["bash", "zsh", "fish"], /, *, as_json: AsJson = False
) -> ExitCode:
    """Print what makes a shell complete this command's words.

    bash: source the script from ~/.bashrc. zsh: save it as _iprog-async in a folder of $fpath.
    fish: save it as ~/.config/fish/completions/iprog-async.fish.

    Args:
        shell: Which shell.
    """
    # Imported late: the app imports this module to show its help.
    from iprog_async.cli._app import app

    script = app.generate_completion(shell=shell).rstrip()
    if as_json:
        emit({"shell": shell, "script": f"{script}\n"})
    else:
        say(script)
    return ExitCode.OK
