"""`iprog-async journal outbox`: what programs have enqueued."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from attrs import asdict

from iprog_async._core.errors import InvalidMessageError
from iprog_async._journal.places import shown
from iprog_async._journal.postgres.address import PostgresAddress, is_address
from iprog_async._journal.postgres.outbox_counts import OutboxCounts, count_outbox
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.shared import AsJson
from iprog_async.cli._terminal.output import echo, emit


async def outbox(address: str, /, *, as_json: AsJson = False) -> ExitCode:  # noqa: D417 - the shared options describe themselves
    """Count the texts of an outbox: those that wait to be sent, and those that are done.

    What became of those that are done stands in the journal; see "journal show".

    Args:
        address: The journal's postgresql:// address.
    """
    if not is_address(address):
        raise InvalidMessageError(
            f"'{shown(address)}' is no postgresql:// address, and a journal in a file has no outbox"
        )
    parsed = PostgresAddress.parse(address)
    counts = await asyncio.to_thread(count_outbox, parsed)
    if as_json:
        emit({"journal": parsed.shown, "campaigns": [asdict(count) for count in counts]})
    else:
        echo(*map(_words, counts) if counts else ("nothing was enqueued here",))
    return ExitCode.OK


def _words(counts: OutboxCounts) -> str:
    waiting = f"{counts.waiting} waiting"
    if counts.oldest_seconds is not None:
        waiting += f" (the oldest for {timedelta(seconds=round(counts.oldest_seconds))})"
    return (
        f"campaign {counts.campaign!r}: {waiting}, {counts.in_doubt} in doubt, {counts.done} done"
    )
