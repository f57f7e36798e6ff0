"""`iprog-async bulk --enqueue`: loads a file for the workers."""

from __future__ import annotations

import shlex
from typing import Any

from iprog_async._bulk.suppression import IsSuppressed
from iprog_async._client.client import SmsClient
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._bulk.messages import CsvMessages
from iprog_async.cli._bulk.options import CommandOptions
from iprog_async.cli._bulk.preview import Preview
from iprog_async.cli._bulk.progress import at_work
from iprog_async.cli._options.when import clock_of_gateway, later
from iprog_async.cli._terminal.output import echo, emit
from iprog_async.cli._terminal.show import count_of
from iprog_async.fleet import DEFAULT_QUEUE, EnqueueReport, enqueue_many


async def enqueue(
    options: CommandOptions,
    client: SmsClient[Any],
    messages: CsvMessages,
    shown: Preview,
    suppressed: IsSuppressed | None,
) -> ExitCode:
    """Load the messages of a file, and say what became of them.

    Args:
        options: What the command was told to do.
        client: Its provider checks the messages.
        messages: The messages.
        shown: What was shown of them before.
        suppressed: Tells the numbers that are never to be texted.
    """
    clock = clock_of_gateway(client.provider)
    at = None if options.at is None else later(options.at, clock)
    with at_work(f"loading {options.file}; nothing is sent from here"):
        report = await enqueue_many(
            client,
            messages,
            journal=options.journal or "",
            campaign=options.campaign,
            suppress=suppressed,
            one_per_number=options.one_per_number,
            allow_changed_text=options.allow_changed_text,
            resend_unknown=options.resend_unknown,
            max_credits=options.max_credits,
            halt_after_failed=options.halt_after_failed,
            at=at,
            queue=options.queue,
            priority=options.priority,
        )
    all_refused = report.enqueued == 0 and report.invalid + report.conflicts > 0
    # As a dry run that finds nothing to send.
    code = ExitCode.REFUSED if all_refused else ExitCode.OK
    if options.as_json:
        emit(shown.to_dict() | {"sent": False, "enqueued": report.to_dict()})
        return code
    if all_refused:
        echo(*_words(report))
        return code
    journal = shlex.quote(options.shown_journal or "")
    named = f" --campaign={shlex.quote(options.campaign)}" if options.campaign else ""
    queue = f" --queue={shlex.quote(options.queue)}" if options.queue != DEFAULT_QUEUE else ""
    echo(
        *_words(report),
        "Send them, from any machine, with as many workers as you like:",
        f"  iprog-async worker --journal {journal}{queue}",
        "Watch them:",
        f"  iprog-async journal show {journal}{named} --watch",
    )
    return code


def _words(report: EnqueueReport) -> list[str]:
    texts, chunks = count_of(report.enqueued, "text"), count_of(report.chunks, "chunk")
    lines = [f"Loaded: {texts} in {chunks}"]
    left_out = {
        "invalid": report.invalid - report.expired,
        "too late (could not leave by --not-after)": report.expired,
        "duplicates": report.duplicates,
        "second ones for a number": report.repeated,
        "suppressed": report.suppressed,
        "waiting already": report.waiting,
        "on record in the journal": report.on_record,
        "for a number that waits for another text": report.conflicts,
    }
    found = [f"{count} {words}" for words, count in left_out.items() if count]
    return [*lines, f"Left out: {', '.join(found)}"] if found else lines
