"""How far a campaign of a fleet has come, once or until it has ended."""

from __future__ import annotations

import asyncio
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from iprog_async._bulk.progress import Counts
from iprog_async._core.errors import JournalError
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._bulk.progress import Progress, ProgressBar, open_progress
from iprog_async.cli._terminal.output import echo, emit
from iprog_async.cli._terminal.show import accepted_words, count_of
from iprog_async.fleet import CampaignStatus, FleetCampaign


if TYPE_CHECKING:
    from rich.console import RenderableType

_SECONDS_BETWEEN_LOOKS = 0.5
_OF_WORKERS = ("loaded", "halted", "scheduled", "credits", "workers")


class _Bar(ProgressBar):
    """A progress bar with a line about who works below."""

    workers = ""

    def render(self) -> RenderableType:
        """Return what is drawn."""
        from rich.console import Group

        return Group(super().render(), self.workers)


async def watch(journal: str, campaign: str, *, as_json: bool) -> ExitCode:
    """Show how far a campaign has come, until it has ended or is halted.

    Args:
        journal: The journal's address.
        campaign: The campaign.
        as_json: Whether one JSON document is printed at the end, and nothing else.

    Returns:
        As `bulk` does: 6 if outcomes are unknown; 4 if it is halted or some were not sent; 1 if
        some were accepted and have failed; 0 otherwise.
    """
    async with FleetCampaign(journal, campaign) as opened:
        status = await opened.status()
        before, size = status.done, status.size
        progress = _open(size, as_json=as_json)
        while not (status.has_ended or status.halted):
            if isinstance(progress, _Bar):
                progress.workers = workers_words(status)
            progress.update(_counts(status, before))
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            status = await opened.status()
        progress.close(_counts(status, before))
    if as_json:
        emit(status.to_dict())
    else:
        echo(*status_words(status))
    return code_of(status)


def code_of(status: CampaignStatus) -> ExitCode:
    """Return what a script may conclude from how far a campaign has come."""
    counts = _counts(status, 0)
    if counts.unknown:
        return ExitCode.UNKNOWN
    if status.halted is not None or counts.not_sent:
        return ExitCode.REFUSED
    return ExitCode.UNEXPECTED if counts.failed else ExitCode.OK


def _open(size: int, *, as_json: bool) -> Progress:
    return _Bar(size) if sys.stderr.isatty() else open_progress(size, as_json=as_json)


def _counts(status: CampaignStatus, before: int) -> Counts:
    return Counts(
        accepted=sum(run.accepted for run in status.runs),
        not_sent=sum(run.not_sent for run in status.runs),
        unknown=sum(run.unknown for run in status.runs),
        # They say nothing about the rate.
        resumed=before,
        failed=sum(run.failed for run in status.runs),
    )


async def loaded_status(journal: str, campaign: str | None) -> CampaignStatus | None:
    """Return how far the workers have come with a campaign; `None` if nothing was loaded for them.

    Args:
        journal: The journal's address.
        campaign: The campaign; `None` takes the only one.
    """
    if find_spec("procrastinate") is None:
        # Nobody here works with a fleet, and the journal is to be shown all the same.
        return None
    try:
        async with FleetCampaign(journal, campaign) as opened:
            status = await opened.status()
    except JournalError:
        # A role may read what was sent and nothing of the fleet.
        return None
    return status if status.runs else None


def loaded_words(status: CampaignStatus) -> list[str]:
    """Return what the workers have and had to do, as lines below what is on record."""
    return [line for line in status_words(status) if line.startswith(_OF_WORKERS)]


def status_words(status: CampaignStatus) -> list[str]:
    """Return how far a campaign has come, as lines; none if nothing was loaded."""
    if not status.runs:
        return []
    counts = _counts(status, 0)
    lines = [
        f"loaded    {status.size}, done {status.done}",
        f"accepted  {accepted_words(counts.accepted, counts.failed)}",
        f"not sent  {counts.not_sent}",
        f"unknown   {counts.unknown}",
    ]
    if status.halted is not None:
        lines.append(f"halted    {status.halted}")
    elif any(run.scheduled and not run.has_ended for run in status.runs):
        lines.append("scheduled some of it: its time has not come yet")
    limits = [run for run in status.runs if run.max_credits is not None]
    lines += [
        f"credits   {run.credits_taken} of {run.max_credits} are with the workers or spent"
        for run in limits
    ]
    if not status.has_ended:
        lines.append(f"workers   {workers_words(status)}")
    return lines


def workers_words(status: CampaignStatus) -> str:
    """Return who works, in words."""
    if not status.workers:
        return "none; start one with: iprog-async worker"
    each = [
        f"{worker.name} {worker.sent_per_second:.0f}/s ({count_of(worker.chunks, 'chunk')})"
        for worker in status.workers
    ]
    return ", ".join(each)
