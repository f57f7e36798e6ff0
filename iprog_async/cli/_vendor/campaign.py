"""`iprog-async campaign`: its commands are functions of this module."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from iprog_async._core.schedules import words_of
from iprog_async.cli._base.command_table import COMMANDS
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.provider_options import Options, options_for
from iprog_async.cli._options.shared import AsJson, Url, open_client, text_from
from iprog_async.cli._options.when import At, Tz, clock_of, later
from iprog_async.cli._terminal.confirm import Yes, confirm, explain_outcome
from iprog_async.cli._terminal.output import echo, emit
from iprog_async.cli._terminal.plain import plain
from iprog_async.cli._vendor.operations import CAMPAIGNS
from iprog_async.cli._vendor.protocols import Campaign


_FACTS = ("uid", "name", "message", "status", "sms_type", "created_at", "start_at", "delivery_at")
_COUNTS = (
    *("enroute_count", "delivered_count", "expired_count", "undelivered_count"),
    *("rejected_count", "accepted_count", "skipped_count", "failed_count"),
)

campaign = App(name="campaign", help=COMMANDS["campaign"].help)


@campaign.command
async def send(  # noqa: D417 - the shared options describe themselves
    groups: str,
    text: str,
    /,
    *,
    sender_id: Annotated[str | None, Parameter(name="--from")] = None,
    at: At = None,
    tz: Tz = None,
    option: Options = (),
    yes: Yes = False,
    url: Url = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Send one text to everyone in contact groups.

    Args:
        groups: The uid of a contact group; several are separated by commas.
        text: What the phones show; - reads it from stdin. A text that starts with a dash goes
            last, after --.
        sender_id: Name or number the phones show as sender.
    """
    body = text_from(text)
    uids = [uid.strip() for uid in groups.split(",") if uid.strip()]
    async with open_client(url) as client:
        gateway = CAMPAIGNS.holder(client.provider)
        clock = clock_of(gateway, tz)
        options = options_for(gateway, option)
        when = None if at is None else later(at, clock)
        # Of no group, the gateway's refusal is to be read, and not a question.
        if uids and not confirm(f"Text everyone in {', '.join(uids)}", yes=yes, as_json=as_json):
            return ExitCode.INTERRUPTED
        with explain_outcome("The texts may have been sent", "Nothing was sent"):
            sent = await CAMPAIGNS.of(gateway).send(
                uids, body, sender_id=sender_id, schedule_at=when, options=options
            )
    if as_json:
        # Beside the gateway's own times, which it need not tell.
        emit({**_data(sent), "schedule_at": when and when.isoformat()})
        return ExitCode.OK
    _tell(sent, as_json=False)
    if when is not None:
        echo(f"  for {words_of(when)}")
    return ExitCode.OK


@campaign.command
async def show(uid: str, /, *, url: Url = None, as_json: AsJson = False) -> ExitCode:  # noqa: D417 - the shared options describe themselves
    """Show a campaign, and how far its texts have come.

    Args:
        uid: The uid that campaign send printed.
    """
    async with open_client(url) as client:
        found = await CAMPAIGNS.of(client.provider).get(uid)
    _tell(found, as_json=as_json)
    return ExitCode.OK


def _tell(found: Campaign, *, as_json: bool) -> None:
    if as_json:
        emit(_data(found))
        return
    uid = plain(found.uid or "(the gateway gave no uid)")
    facts = [f"Campaign {uid}: {plain(found.status or 'accepted')}"]
    labels = {"name": found.name, "text": found.message, "starts": found.start_at}
    facts += [f"  {label}: {plain(value)}" for label, value in labels.items() if value]
    counts = _counts(found) or {}
    reached = [f"{count} {_state(name)}" for name, count in counts.items() if count]
    echo(*facts, *([f"  texts: {', '.join(reached) or 'none'}"] if counts else []))


def _data(found: Campaign) -> dict[str, Any]:
    return {**{name: getattr(found, name) for name in _FACTS}, "stats": _counts(found)}


def _counts(found: Campaign) -> dict[str, int] | None:
    stats = found.stats
    return None if stats is None else {name: getattr(stats, name, 0) for name in _COUNTS}


def _state(name: str) -> str:
    return name.removesuffix("_count")
