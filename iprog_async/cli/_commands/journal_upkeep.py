"""`iprog-async journal settle`, `prune` and `forget`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

from attrs import asdict
from cyclopts import Parameter

from iprog_async._core.errors import InvalidMessageError
from iprog_async._core.phones import to_e164, to_region
from iprog_async._journal.places import shown
from iprog_async._journal.postgres.address import is_address
from iprog_async._journal.pseudonyms import national_digits
from iprog_async._journal.upkeep.settling import Settlement
from iprog_async._journal.upkeep.traces import files_with
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.durations import duration
from iprog_async.cli._options.journals import Campaign, open_journal
from iprog_async.cli._options.shared import AsJson
from iprog_async.cli._terminal.output import echo, emit


Region = Annotated[
    str | None,
    Parameter(name="--region", help="Two-letter region of a national number, such as PH."),
]


async def settle(  # noqa: D417 - the shared options describe themselves
    file: str,
    number: str,
    /,
    *,
    key: str | None = None,
    accepted: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    not_sent: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    region: Region = None,
    campaign: Campaign = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Put on record what a person has found out about an unknown text.

    Only an unknown text is settled, and none that is on its way. Nobody checks what you say: a text
    that was accepted and is settled as not sent goes out a second time.

    Args:
        file: The journal: a file, or a postgresql:// address.
        number: Whom it was for.
        key: The text's key; needed if several texts for the number are unknown.
        accepted: The gateway has it: nobody sends it again.
        not_sent: It certainly never went out: the next run, or a send with its key, sends it.
    """
    if accepted == not_sent:
        raise InvalidMessageError("say what became of it: --accepted or --not-sent")
    outcome: Settlement = "accepted" if accepted else "not_sent"
    async with open_journal(file, campaign) as opened:
        entry = await opened.settle(number, outcome=outcome, key=key, region=region)
    if as_json:
        emit(asdict(entry))
    else:
        named = "" if entry.key is None else f" with the key {entry.key!r}"
        what = "is sent by the next run or send" if not_sent else "is not sent again"
        echo(f"the text for {entry.number}{named} was unknown, and is {entry.state} now: it {what}")
    return ExitCode.OK


async def prune(  # noqa: D417 - the shared options describe themselves
    file: str,
    /,
    *,
    older_than: str,
    campaign: Campaign = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Take the people out of texts that nobody has touched for a time.

    Number, key and the gateway's id go. Salted hashes stay, by which nobody is texted twice, and by
    which whoever has the journal can find out whether a number was in it.

    Args:
        file: The journal: a file, or a postgresql:// address.
        older_than: For how long, in whole days, such as 90d.
    """
    age = duration(older_than, "--older-than")
    async with open_journal(file, campaign) as opened:
        count = await opened.prune(older_than=age)
    if as_json:
        emit({"file": shown(file), "pruned": count})
    else:
        echo(f"pruned {count}: their numbers and keys are gone, and no repeat of them is sent")
    return ExitCode.OK


async def forget(  # noqa: D417 - the shared options describe themselves
    file: str,
    number: str,
    /,
    *,
    region: Region = None,
    campaign: Campaign = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Take a person out of a journal, down to the bytes of its file.

    Salted hashes stay, so that no repeat of what the person got is sent; another text is. A file is
    rewritten when the last process has closed it; a database keeps old bytes until its VACUUM,
    and in its log and its backups. The exit code is 1 if the number is still in some file.

    Args:
        file: The journal: a file, or a postgresql:// address.
        number: Whom to forget.
    """
    e164 = to_e164(number, to_region(region))
    async with open_journal(file, campaign) as opened:
        count = await opened.forget(e164)
    left = await asyncio.to_thread(_still_in, file, national_digits(e164))
    if as_json:
        emit({"file": shown(file), "forgotten": count, "still_in": list(map(str, left))})
        return _code(left)
    echo(f"forgot {count}: their number and keys are gone, and no repeat of them is sent")
    if is_address(file):
        echo("the server keeps the old bytes until VACUUM, and in its log and its backups")
    for found in left:
        echo(f"the number is still in {found}: close whoever has it open, and forget once more")
    return _code(left)


def _still_in(file: str, digits: str) -> list[Path]:
    """Return which files still have a number; they are beside what a link leads to."""
    return [] if is_address(file) else files_with(Path(os.path.realpath(file)), digits)


def _code(left: list[Path]) -> ExitCode:
    return ExitCode.UNEXPECTED if left else ExitCode.OK
