"""`iprog-async journal halt` and `resume`: a campaign that workers send."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter, validators

from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.shared import AsJson
from iprog_async.cli._terminal.output import echo, emit
from iprog_async.cli._terminal.show import count_of
from iprog_async.fleet import FleetCampaign


async def halt(  # noqa: D417 - the shared options describe themselves
    address: str,
    /,
    *,
    campaign: str = "",
    why: str = "somebody halted it",
    as_json: AsJson = False,
) -> ExitCode:
    """Let all workers stop sending a campaign; what is on its way ends.

    Args:
        address: The journal, as for bulk --enqueue.
        campaign: The campaign.
        why: What others are told.
    """
    async with FleetCampaign(address, campaign) as opened:
        count = await opened.halt(why)
        status = await opened.status()
    if as_json:
        emit({"campaign": campaign, "halted": count, "why": status.halted})
    elif count:
        echo("halted")
    elif status.halted is not None:
        echo(f"it was halted already; what is said of it now: {status.halted}")
    else:
        echo("nothing of it was left to halt: it is done")
    return ExitCode.OK


async def resume(  # noqa: D417 - the shared options describe themselves
    address: str,
    /,
    *,
    campaign: str = "",
    max_credits: Annotated[int | None, Parameter(validator=validators.Number(gte=1))] = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Let the workers go on with a campaign that was halted.

    Args:
        address: The journal, as for bulk --enqueue.
        campaign: The campaign.
        max_credits: The most credits in all, instead of the limit that it was loaded with.
    """
    async with FleetCampaign(address, campaign) as opened:
        count = await opened.resume(max_credits=max_credits)
    if as_json:
        emit({"campaign": campaign, "chunks": count})
    else:
        echo(f"{count_of(count, 'chunk')} will be sent")
    return ExitCode.OK
