from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.cli.runner import Cli
from support.shells import Shell


_ASK = """
source /dev/stdin
COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); COMP_LINE="${{COMP_WORDS[*]}}"
COMP_POINT=${{#COMP_LINE}}; COMPREPLY=()
function_of=$(complete -p iprog-async | sed -E 's/.*-F ([^ ]+).*/\\1/')
$function_of iprog-async "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD-1]}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


_SCRIPTS: dict[str, str] = {}


@pytest.fixture
def script_for(cli: Cli) -> Callable[[str], str]:
    """Return the script of a shell; to write one takes most of a second."""

    def read(shell: str) -> str:
        if shell not in _SCRIPTS:
            _SCRIPTS[shell] = cli("completion", shell).out
        return _SCRIPTS[shell]

    return read


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(cli: Cli, shell: str) -> None:
    """The script names the commands and the options of each."""
    ran = cli("completion", shell)

    assert (0, "") == (ran.code, ran.err)
    assert [] == [word for word in ("otp", "regenerate", "rename") if word not in ran.out]
    assert "iprog-async" in ran.out
    assert {"shell": shell, "script": ran.out} == cli("completion", shell, "--json").json


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_syntax(script_for: Callable[[str], str], shell: str) -> None:
    """The shell itself has no complaint about its script."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    script = script_for(shell)
    ran = subprocess.run([program, "-n"], input=script, capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    assert (0, "") == (ran.returncode, ran.stderr)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("iprog-async ot", "otp"),
        ("iprog-async otp ver", "verify"),
        ("iprog-async me --js", "--json"),
    ],
)
def test_bash(script_for: Callable[[str], str], words: str, expected: str) -> None:
    """In bash, the beginning of a command or option is completed."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    ran = subprocess.run(  # noqa: S603 - our own script
        [bash, "--norc", "-c", _ASK.format(words=words)],
        input=script_for("bash"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert [expected] == [word.strip() for word in ran.stdout.splitlines()]


_SETUP = {
    "bash": ("source ./script",),
    "zsh": ("autoload -Uz compinit", "compinit -u -D", "source ./script"),
    "zsh, autoloaded": ("fpath=($PWD/functions $fpath)", "autoload -Uz compinit", "compinit -u -D"),
    "fish": ("source ./script",),
}


@pytest.mark.slow
@pytest.mark.parametrize("how", _SETUP)
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("iprog-async prov", "providers"),
        ("iprog-async otp ver", "otp verify"),
        ("iprog-async bulk --sup", "bulk --suppress"),
        ("iprog-async bulk jun", "bulk june.csv"),
        ("iprog-async bulk june.csv --journal jour", "bulk june.csv --journal journal.db"),
    ],
)
def test_shell_completes_words_and_files(
    script_for: Callable[[str], str], tmp_path: Path, how: str, typed: str, expected: str
) -> None:
    """On a terminal, a tab completes commands, options and, where it may be one, a file."""
    name = how.partition(",")[0]
    script = script_for(name)
    (tmp_path / "script").write_text(script)
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "_iprog-async").write_text(script)
    for file in ("june.csv", "journal.db"):
        (tmp_path / file).touch()

    assert expected == Shell(name, tmp_path, _SETUP[how]).complete(typed)


def test_no_shell(cli: Cli) -> None:
    """A shell that is none of the three is wrong usage."""
    ran = cli("completion", "tcsh")
    assert (2, True) == (ran.code, "bash" in ran.err)
