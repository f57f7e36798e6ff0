"""`iprog-async completion`."""

from __future__ import annotations

import re
from typing import Literal

from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.shared import AsJson
from iprog_async.cli._terminal.output import echo, emit


def completion(  # noqa: D417 - the shared options describe themselves
    shell: Literal["bash", "zsh", "fish"], /, *, as_json: AsJson = False
) -> ExitCode:
    """Print the script that lets a shell complete this command with the tab key.

    bash: source the script from ~/.bashrc. zsh: source it from ~/.zshrc behind compinit, or save
    it as _iprog-async in a folder of $fpath. fish: save it as
    ~/.config/fish/completions/iprog-async.fish.

    Args:
        shell: Which shell.
    """
    # Imported late: the app imports this module to show its help.
    from iprog_async.cli._base.app import app

    script = _whole(shell, app.generate_completion(shell=shell).rstrip())
    if as_json:
        emit({"shell": shell, "script": f"{script}\n"})
    else:
        echo(script)
    return ExitCode.OK


# Where the generated script offers nothing, bash does what it does without one: it completes files.
_BASH = ("\ncomplete -F ", "\ncomplete -o bashdefault -o default -F ")
# A value of an option, and an argument, of which it says nothing but the name: it may be a file.
_VALUE = re.compile(r"^( +'(?:\*?-[^\n]*\]:[\w-]+|\d+:(?! :)[^\n]*[^\n:]))'( \\)?$", re.MULTILINE)
_FILES = r"\1:_files'\2"
# The generated script defines a function and calls or registers it nowhere: as an autoloaded file
# it has to call it, and sourced it has to register it.
_ZSH = """
if [[ $funcstack[1] == _iprog-async ]]; then
  _cyclopts_iprog-async "$@"
elif (( $+functions[compdef] )); then
  compdef _cyclopts_iprog-async iprog-async
fi"""


def _whole(shell: str, script: str) -> str:
    """Return a generated script with what it lacks."""
    if shell == "bash":
        return script.replace(*_BASH)
    if shell == "zsh":
        return f"{_VALUE.sub(_FILES, script)}\n{_ZSH}"
    return script
