"""`iprog-async send`."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Annotated, Any

from cyclopts import Parameter

from iprog_async._client.client import SmsClient
from iprog_async._core.errors import InvalidMessageError, OutcomeUnknownError, SmsError
from iprog_async._core.messages import Message
from iprog_async._core.receipts import DeliveryStatus, Receipt
from iprog_async._core.schedules import words_of
from iprog_async._journal.journal import Journal
from iprog_async._providers.protocols import SupportsStatus
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._errors.failure import CommandFailure
from iprog_async.cli._errors.wording import words_of_error
from iprog_async.cli._options.encoding import Encoding, Replace, encoding_of
from iprog_async.cli._options.policies import (
    CreditsPerDay,
    PerNumber,
    PerNumberSameText,
    SendBetweenHours,
    Zone,
    hours_of,
    limits_of,
)
from iprog_async.cli._options.provider_options import Options, options_for
from iprog_async.cli._options.sender_ids import From, sender_ids_of
from iprog_async.cli._options.shared import (
    AsJson,
    SuppressionList,
    Timeout,
    Url,
    Wait,
    obeying,
    open_client,
    provider_of,
    text_from,
)
from iprog_async.cli._options.when import At, NotAfter, Tz, clock_of, later, read_not_after
from iprog_async.cli._terminal import show
from iprog_async.cli._terminal.output import echo, emit, print_error


async def send(  # noqa: D417 - the shared options describe themselves
    to: str,
    text: str,
    /,
    *,
    sender_id: From = None,
    at: At = None,
    not_after: NotAfter = None,
    tz: Tz = None,
    key: Annotated[str | None, Parameter(name="--key")] = None,
    journal: Annotated[str | None, Parameter(name="--journal")] = None,
    suppressions: SuppressionList = None,
    option: Options = (),
    encoding: Encoding = "auto",
    replace: Replace = (),
    send_between: SendBetweenHours = None,
    zone: Zone = None,
    per_number: PerNumber = None,
    per_number_same_text: PerNumberSameText = None,
    credits_per_day: CreditsPerDay = None,
    wait: Wait = False,
    timeout: Timeout = 60.0,
    url: Url = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Send one text; exit code 1 if the gateway took it and reports it as failed.

    Args:
        to: Phone number as people write it.
        text: What the phone shows; - reads it from stdin. A text that starts with a dash goes
            last, after --.
        key: Your own name for this text, such as an order number: with the same --journal, the same
            number gets it once, however often this is run, and the first receipt is shown again.
        journal: Where keys are kept, and texts counted: a file, made if it is not there, or a
            postgresql:// address.
    """
    limits = limits_of(per_number, per_number_same_text, credits_per_day)
    _check_journal(key, journal, counts=any(limits.values()))
    policies = hours_of(send_between, zone) | limits
    body, setting = text_from(text), encoding_of(encoding, replace)
    senders = sender_ids_of(sender_id)
    async with AsyncExitStack() as stack:
        opened = None
        if journal is not None:
            opened = stack.enter_context(await asyncio.to_thread(Journal.open, journal))
        obeyed = obeying(suppressions, lambda: provider_of(url))
        list_ = await stack.enter_async_context(obeyed)
        client = open_client(url, journal=opened, suppressions=list_, sender_id=senders, **policies)
        await stack.enter_async_context(client)
        clock = clock_of(client.provider, tz)
        options = options_for(client.provider, option)
        when = None if at is None else later(at, clock)
        if wait:
            _check_can_wait(client, when)
        until = read_not_after(not_after, clock, when)
        message = Message(to, body, None, when, key, options, setting, until)
        receipt = await _send(client, message)
        if wait:
            return await _follow(client, receipt, timeout, as_json=as_json)
    if as_json:
        emit(show.receipt_data(receipt))
    else:
        echo(show.receipt_words(receipt), *([] if when is None else [f"  for {words_of(when)}"]))
        if receipt.status.state == "failed":
            print_error(f"{show.failed_words(receipt.status)}; it is most likely paid for")
    return show.status_code(receipt.status)


def _check_journal(key: str | None, journal: str | None, *, counts: bool) -> None:
    if counts and journal is None:
        raise InvalidMessageError(
            "--per-number, --per-number-same-text and --credits-per-day count in a --journal, such "
            "as --journal texts.db: without one this command knows of no other text. Not sent"
        )
    if not counts and (key is None) != (journal is None):
        raise InvalidMessageError(
            "--key and --journal belong together: the journal keeps which keys were sent, such as "
            "--key order-42 --journal texts.db. Not sent"
        )


def _check_can_wait(client: SmsClient[Any], when: datetime | None) -> None:
    """Raise if waiting makes no sense: after the send it would be too late to say so."""
    if when is not None:
        raise InvalidMessageError(
            "--wait and --at exclude one another; ask later with iprog-async status. Not sent"
        )
    if not isinstance(client.provider, SupportsStatus):
        raise InvalidMessageError(
            f"{client.provider.name} tells no status to --wait for; leave it out. Not sent"
        )


async def _send(client: SmsClient[Any], message: Message) -> Receipt:
    try:
        return await client.send(
            message.to,
            message.text,
            schedule_at=message.schedule_at,
            key=message.key,
            options=message.options,
            encoding=message.encoding,
            not_after=message.not_after,
        )
    except OutcomeUnknownError as exc:
        exc.add_note("The text may have been sent")
        raise
    except SmsError as exc:
        exc.add_note("Not sent")
        raise


async def _follow(
    client: SmsClient[Any], receipt: Receipt, timeout: float, *, as_json: bool
) -> ExitCode:
    """Wait for the delivery of an accepted text; whatever happens, say that it was accepted."""
    if not as_json:
        echo(show.receipt_words(receipt))
    found: DeliveryStatus | CommandFailure
    try:
        found = await client.wait(receipt, timeout=timeout)
    except SmsError as exc:
        found = _lost_sight(receipt, type(exc).__name__, words_of_error(exc), ExitCode.UNKNOWN)
    except asyncio.CancelledError:
        found = _lost_sight(receipt, "Interrupted", "stopped by Ctrl-C", ExitCode.INTERRUPTED)
    if isinstance(found, CommandFailure):
        _report_failure(receipt, found, as_json=as_json)
        return found.code
    if as_json:
        emit({**show.receipt_data(receipt), "status": show.status_data(found)})
    else:
        echo(show.status_words(found))
    return show.status_code(found)


def _lost_sight(receipt: Receipt, kind: str, why: str, code: ExitCode) -> CommandFailure:
    """Describe a delivery that was not seen: the text itself was accepted."""
    ref = receipt.ref
    ask = f"; ask again: iprog-async status {ref} --wait" if ref else ""
    line = f"accepted (do not send it again), delivery unknown: {why}{ask}"
    return CommandFailure(kind, line, code, may_have_been_sent=True)


def _report_failure(receipt: Receipt, failure: CommandFailure, *, as_json: bool) -> None:
    if as_json:
        emit({**show.receipt_data(receipt), "error": failure.to_dict()})
    else:
        print_error(failure.message)
