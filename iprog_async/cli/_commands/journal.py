"""`iprog-async journal`: its commands are functions of this module."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Literal, TextIO

from attrs import asdict
from cyclopts import App, Parameter

from iprog_async._core.errors import InvalidMessageError, UnsupportedError
from iprog_async._core.redaction import one_line
from iprog_async._journal.entries import JournalEntry
from iprog_async._journal.journal import Journal
from iprog_async._journal.places import shown
from iprog_async._journal.postgres.address import is_address
from iprog_async._journal.reconcile import Reconciliation
from iprog_async._providers.protocols import SmsProvider
from iprog_async.cli._base.command_table import COMMANDS
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._commands.journal_follow import follow
from iprog_async.cli._commands.journal_outbox import outbox
from iprog_async.cli._commands.journal_schema import init, migrate
from iprog_async.cli._commands.journal_upkeep import forget, prune, settle
from iprog_async.cli._errors.wording import in_options
from iprog_async.cli._fleet.campaigns import halt, resume
from iprog_async.cli._fleet.watch import loaded_status, loaded_words
from iprog_async.cli._fleet.watch import watch as watch_campaign
from iprog_async.cli._options.journals import Campaign, open_journal, read_journal
from iprog_async.cli._options.shared import AsJson, Url, open_client
from iprog_async.cli._options.when import Tz, bound, clock_of
from iprog_async.cli._terminal.output import Column, echo, emit, say_table
from iprog_async.cli._terminal.show import accepted_words, delivery_words, listers_of, members_of


_LONGEST_DETAIL = 300
_UNKNOWN = (
    Column("Number"),
    Column("Key"),
    Column("Provider"),
    Column("What is known", wraps=True),
)

journal = App(name="journal", help=COMMANDS["journal"].help)
journal.command(init)
journal.command(migrate)
journal.command(outbox)
journal.command(follow)
journal.command(settle)
journal.command(prune)
journal.command(forget)
journal.command(halt)
journal.command(resume)


@journal.command
async def show(  # noqa: D417 - the shared options describe themselves
    file: str,
    /,
    *,
    campaign: Campaign = None,
    watch: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    as_json: AsJson = False,
) -> ExitCode:
    """Count the messages of a journal, by what became of them.

    Those that are waiting are certainly not sent yet: the run ended before their turn came again,
    and the next one sends them. How far the accepted ones have come is what the gateway said when
    it took them, or to "journal follow".

    Args:
        file: The journal: a file, or a postgresql:// address.
        watch: Show how far the workers have come with a campaign, until it has ended or is halted.
    """
    if watch:
        if not is_address(file):
            raise InvalidMessageError("--watch shows what workers send, who have no file in common")
        return await watch_campaign(file, campaign or "", as_json=as_json)
    async with read_journal(file, campaign) as opened:
        counts, deliveries = await opened.counts(), await opened.deliveries()
    loaded = await loaded_status(file, campaign) if is_address(file) else None
    if as_json:
        fleet = {} if loaded is None else {"loaded": loaded.to_dict()}
        emit({"file": shown(file), "counts": counts, "deliveries": deliveries, **fleet})
    else:
        words = {**counts, "accepted": accepted_words(counts["accepted"], counts.pop("failed"))}
        echo(*(f"{state.replace('_', ' '):<9} {words[state]}" for state in counts))
        if counts["accepted"]:
            echo(f"delivery  {delivery_words(deliveries)}")
        if loaded is not None:
            echo(*loaded_words(loaded))
    return ExitCode.OK


@journal.command
async def unknown(  # noqa: D417 - the shared options describe themselves
    file: str, /, *, campaign: Campaign = None, as_json: AsJson = False
) -> ExitCode:
    """List the messages that may have been sent, or may not: nobody knows.

    Args:
        file: The journal: a file, or a postgresql:// address.
    """
    async with read_journal(file, campaign) as opened:
        entries = [entry async for entry in opened.unknown()]
    if as_json:
        emit([asdict(entry) for entry in entries])
    elif entries:
        say_table(_UNKNOWN, [_cells(entry) for entry in entries])
    else:
        echo("none: it is known of every message whether it was sent")
    return ExitCode.OK


@journal.command
async def export(  # noqa: D417 - the shared options describe themselves
    file: str,
    /,
    *,
    format: Literal["csv", "jsonl"] = "csv",  # noqa: A002 - the option's name
    failed: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    output: Annotated[str | None, Parameter(name=["--output", "-o"])] = None,
    campaign: Campaign = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Write every message of a journal, a line each; it holds phone numbers.

    Args:
        file: The journal: a file, or a postgresql:// address.
        format: What is written.
        failed: Write only those that were accepted and failed at the gateway.
        output: A new file to write to, instead of stdout.
    """
    if as_json and output is None:
        raise InvalidMessageError("--json tells about the export: say with --output where it goes")
    async with read_journal(file, campaign) as opened:
        with _writing(output) as stream:
            count = await opened.export(stream, format=format, failed_only=failed)
    if as_json:
        emit({"messages": count, "format": format, "output": output})
    return ExitCode.OK


@journal.command
async def reconcile(  # noqa: D417 - the shared options describe themselves
    file: str,
    /,
    *,
    since: str | None = None,
    tz: Tz = None,
    campaign: Campaign = None,
    url: Url = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Ask the gateway for the messages that the journal has as unknown.

    Of several gateways, each one is asked that lists its messages. What is listed is settled as
    accepted; that a message is not listed settles nothing. The exit code is 6 if any stay
    unknown.

    Args:
        file: The journal: a file, or a postgresql:// address.
        since: The earliest time to look at, such as "2027-01-31 08:00"; by default when the
            journal was made.
    """
    async with open_journal(file, campaign) as opened, open_client(url) as client:
        start = bound(since, clock_of(client.provider, tz), "--since")
        found = await _ask_each(opened, client.provider, start)
    if as_json:
        emit(asdict(found))
    else:
        echo(
            f"settled {found.settled} as accepted, still unknown {found.unknown}; "
            f"the gateway listed {found.listed}"
        )
    return ExitCode.UNKNOWN if found.unknown else ExitCode.OK


async def _ask_each(
    opened: Journal, provider: SmsProvider, start: datetime | None
) -> Reconciliation:
    """Ask every gateway behind a provider that lists messages."""
    listers = listers_of(provider)
    if not listers:
        names = members_of(provider)
        lists = "lists" if len(names) == 1 else "list"
        raise UnsupportedError(
            f"{', '.join(names)} {lists} no messages, so nothing can be looked up there; look at "
            "the gateway's own page, or ask somebody who was to get a text"
        )
    answers = [await opened.reconcile(lister, start=start) for lister in listers]
    return Reconciliation(
        settled=sum(answer.settled for answer in answers),
        # Each one counts what is left after it.
        unknown=answers[-1].unknown,
        listed=sum(answer.listed for answer in answers),
    )


@contextmanager
def _writing(output: str | None) -> Generator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as exc:
        raise InvalidMessageError(f"--output {output!r} can't be made: {exc.strerror}") from None
    with open(descriptor, "w", encoding="utf-8", newline="") as stream:
        yield stream


def _cells(entry: JournalEntry) -> tuple[str, ...]:
    detail = (
        one_line(in_options(entry.detail), _LONGEST_DETAIL)
        or "the run ended while it was on its way"
    )
    return entry.number, entry.key or "-", entry.provider or "-", detail
