"""`iprog-async keys`: its commands are functions of this module."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from cyclopts import App, Parameter

from iprog_async._core.errors import InvalidMessageError
from iprog_async._core.sealed import MASK
from iprog_async.cli._base.command_table import COMMANDS
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._errors.failure import CommandFailure
from iprog_async.cli._options.shared import AsJson, Url, open_client
from iprog_async.cli._terminal.confirm import Show, Yes, confirm, explain_outcome
from iprog_async.cli._terminal.output import echo, emit, print_error
from iprog_async.cli._terminal.plain import plain
from iprog_async.cli._terminal.secret_file import SecretFile
from iprog_async.cli._vendor.operations import KEYS
from iprog_async.cli._vendor.protocols import ApiKey


ExpiryDays = Annotated[
    int | None, Parameter(name="--expiry-days", help="How long the new key is valid.")
]
Output = Annotated[
    str | None,
    Parameter(
        name=["--output", "-o"], help="A new file to write the key to, which only you can read."
    ),
]

keys = App(name="keys", help=COMMANDS["keys"].help)


@keys.command
async def generate(
    *,
    expiry_days: ExpiryDays = None,
    show: Show = False,
    output: Output = None,
    url: Url = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Make a new API key; --show or --output says where it goes."""
    _check_place(output, show=show)
    async with open_client(url) as client:
        desk = KEYS.of(client.provider)
        with (
            SecretFile(output) as file,
            explain_outcome("A key may have been made", "No key was made"),
        ):
            made = await _kept(desk.generate, expiry_days, file)
    return _told(made, output, file.problem, show=show, as_json=as_json)


@keys.command
async def regenerate(
    *,
    expiry_days: ExpiryDays = None,
    show: Show = False,
    output: Output = None,
    yes: Yes = False,
    url: Url = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Replace the API key with a new one; the old one, perhaps the one you use, ends at once."""
    _check_place(output, show=show)
    async with open_client(url) as client:
        desk = KEYS.of(client.provider)
        if not confirm("Replace the API key, which voids the old one", yes=yes, as_json=as_json):
            return ExitCode.INTERRUPTED
        with (
            SecretFile(output) as file,
            explain_outcome(
                "The key may have been replaced: if so, the old one is void and the new one lost",
                "The key was not replaced",
            ),
        ):
            made = await _kept(desk.regenerate, expiry_days, file)
    return _told(made, output, file.problem, show=show, as_json=as_json)


@keys.command
async def revoke(*, yes: Yes = False, url: Url = None, as_json: AsJson = False) -> ExitCode:
    """Revoke the API key, perhaps the one you call with."""
    async with open_client(url) as client:
        desk = KEYS.of(client.provider)
        if not confirm("Revoke the API key", yes=yes, as_json=as_json):
            return ExitCode.INTERRUPTED
        with explain_outcome(
            "The key may have been revoked: look before you repeat it",
            unauthorized="If an earlier try got through, the key is revoked",
        ):
            await desk.revoke()
    if as_json:
        emit({"revoked": True})
    else:
        echo("Revoked the API key")
    return ExitCode.OK


def _check_place(output: str | None, *, show: bool) -> None:
    if not show and output is None:
        raise InvalidMessageError(
            "the new key would be lost, so none was made: add --show to print it, or "
            "--output FILE to keep it in a file"
        )


async def _kept(
    make: Callable[[int | None], Awaitable[ApiKey]], expiry_days: int | None, file: SecretFile
) -> ApiKey:
    made = await make(expiry_days)
    file.write(made.key)
    return made


def _told(
    made: ApiKey, output: str | None, problem: str | None, *, show: bool, as_json: bool
) -> ExitCode:
    if problem is None:
        _tell(made, output, show=show, as_json=as_json)
        return ExitCode.OK
    if show:
        # It is shown where it can be: the file is gone, and so would be the only copy.
        _tell(made, None, show=True, as_json=as_json)
        print_error(f"the key was made, and is only in what was printed: --output {problem}")
        return ExitCode.UNKNOWN
    words = (
        f"the key was made and could not be written: --output {problem}; "
        "make another with keys regenerate --show"
    )
    if as_json:
        emit({"error": CommandFailure("KeyLostError", words, ExitCode.UNKNOWN).to_dict()})
    print_error(words)
    return ExitCode.UNKNOWN


def _tell(made: ApiKey, output: str | None, *, show: bool, as_json: bool) -> None:
    if as_json:
        emit(_data(made, output, show=show))
        return
    until = f", valid until {plain(made.expires_at)}" if made.expires_at else ""
    echo(f"New key {plain(made.key) if show else MASK}{until}")
    if output is not None:
        echo(f"It is in {output}" + ("" if show else "; --show would print it, too"))


def _data(made: ApiKey, output: str | None, *, show: bool) -> dict[str, Any]:
    return {
        "key": made.key if show else MASK,
        "shown": show,
        "expires_at": made.expires_at or None,
        "output": output,
    }
