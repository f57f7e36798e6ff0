"""`iprog-async journal follow`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated, Any

from attrs import asdict, evolve
from cyclopts import Parameter

from iprog_async._client.following.report import FollowUp
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.durations import duration
from iprog_async.cli._options.journals import Campaign, open_journal
from iprog_async.cli._options.shared import AsJson, Url, open_client
from iprog_async.cli._terminal.output import echo, emit, print_error
from iprog_async.cli._terminal.show import delivery_words


async def follow(  # noqa: D417 - the shared options describe themselves
    file: str,
    /,
    *,
    lasting: Annotated[str, Parameter(name="--for")] = "2h",
    campaign: Campaign = None,
    url: Url = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Ask the gateways how far the accepted texts have come, until their status is final.

    What they say is written to the journal at once: a follow-up that was stopped goes on where it
    was. Nothing is sent. That a text is delivered is the gateway's word, and no proof. The exit
    code is 6 if a status is not final at the end.

    Args:
        file: The journal: a file, or a postgresql:// address.
        lasting: The longest time, such as 30min, 2h or 1d.
    """
    timeout = duration(lasting, "--for").total_seconds()
    async with open_journal(file, campaign) as journal, open_client(url) as client:
        found = await client.follow(journal, timeout=timeout, progress=_show_progress)
    if as_json:
        emit(_data(found))
    else:
        echo(*_lines(found))
    return ExitCode.OK if found.finished else ExitCode.UNKNOWN


def _show_progress(found: FollowUp) -> None:
    if sys.stderr.isatty() and not found.finished:
        print_error(f"{delivery_words(_deliveries(found))}; going on")


def _deliveries(found: FollowUp) -> dict[str, int]:
    return {
        name: getattr(found, name) for name in ("delivered", "sent", "failed", "pending", "unclear")
    }


def _data(found: FollowUp) -> dict[str, Any]:
    trouble = None if found.last_error is None else str(found.last_error)
    return {**asdict(evolve(found, last_error=None)), "last_error": trouble}


def _lines(found: FollowUp) -> Iterator[str]:
    yield f"{delivery_words(_deliveries(found))}; {found.changed} changed"
    if found.not_found:
        yield f"{found.not_found} are not known to the gateway, which was asked several times"
    if found.without_id:
        yield f"{found.without_id} got no id from the gateway, so that it can't be asked"
    for name, count in found.no_status.items():
        yield f"{count} can't be followed: {name} tells no status, or is not in the address"
    if found.last_error is not None:
        yield f"a request failed, which says nothing of a text: {found.last_error}"
