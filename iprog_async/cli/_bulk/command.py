"""`iprog-async bulk`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from typing import Annotated, Any

from attrs import evolve
from cyclopts import Parameter

from iprog_async._bulk.suppression import IsSuppressed
from iprog_async._client.client import SmsClient
from iprog_async._core.errors import InvalidMessageError
from iprog_async._core.messages import Message
from iprog_async._journal.journal import Journal
from iprog_async._sending.template import Template
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._base.stdin import STDIN
from iprog_async.cli._bulk.csv_file import CsvFile
from iprog_async.cli._bulk.csv_lines import nothing_sent_yet
from iprog_async.cli._bulk.enqueue import enqueue
from iprog_async.cli._bulk.eta import Eta, least_left
from iprog_async.cli._bulk.left_out import LeftOut
from iprog_async.cli._bulk.messages import CsvMessages
from iprog_async.cli._bulk.options import CommandOptions
from iprog_async.cli._bulk.preview import LABEL, Preview, preview
from iprog_async.cli._bulk.progress import at_work, open_progress
from iprog_async.cli._bulk.results_file import LeftOutRows, Results, check_replaceable
from iprog_async.cli._bulk.run import BulkRunner, RunResult
from iprog_async.cli._bulk.schedule import apply_times
from iprog_async.cli._bulk.summary import next_command, summary_data, summary_words
from iprog_async.cli._bulk.trial import trial_of
from iprog_async.cli._options.shared import obeying, provider_of, text_from
from iprog_async.cli._terminal.confirm import confirmed
from iprog_async.cli._terminal.output import echo, emit, print_error, say_rows
from iprog_async.cli._terminal.show import count_of


async def bulk(
    file: str, /, *, options: Annotated[CommandOptions, Parameter(name="*")]
) -> ExitCode:
    """Send a text to everybody in a CSV file, after a preview.

    The exit code is 6 if any text may have been sent and nobody knows; else what stopped the
    run (130 Ctrl-C, 143 SIGTERM, 3 credentials, 4 credit or --max-credits, 1 --halt-after-failed);
    else 4 if some were not sent; else 1 if the gateway reports any that it accepted as failed;
    else 0.
    The first Ctrl-C or SIGTERM lets what is on its way end, the second gives it up.

    Args:
        file: The CSV file: UTF-8, its first line names the columns.
        options: Everything else; `CommandOptions` says what.
    """
    options = evolve(options, file=file, text=text_from(options.text))
    options.check()
    if file == STDIN:
        raise InvalidMessageError("the file is read twice, which stdin can't be: save it first")
    template = Template(options.text)
    async with AsyncExitStack() as stack:
        csv_file = stack.enter_context(CsvFile(file, options.column))
        messages = CsvMessages(
            csv_file,
            template,
            options.column,
            options.key_column,
            options.limit,
        )
        return await _carry_out(options, messages, stack)


async def _carry_out(
    options: CommandOptions, messages: CsvMessages, stack: AsyncExitStack
) -> ExitCode:
    replace = options.journal is not None and not options.dry_run
    if options.results is not None:
        check_replaceable(options.results, replace=replace)
    pool = await stack.enter_async_context(options.open_pool())
    obeyed = obeying(options.suppressions, lambda: provider_of(options.url))
    list_ = await stack.enter_async_context(obeyed)
    client = await stack.enter_async_context(options.open_client(pool, list_))
    suppressed = await options.load_suppression(client.provider)
    options = apply_times(options, client.provider, messages)
    trial = trial_of(options, client.provider, suppressed)
    # Only now: what is wrong with the input is to be read first, also where nobody can be asked.
    options.check_somebody_answers()
    new = await asyncio.to_thread(options.makes_journal)
    journal = None if new else await _open_journal(options, stack)
    rows = stack.enter_context(LeftOutRows(options.results if options.dry_run else None))
    left_out = LeftOut(messages, rows)
    rows_read = messages if trial is None else trial.looking(messages)
    shown = await _look_ahead(
        options, client, rows_read, left_out, journal, suppressed, new_journal=new
    )
    if options.dry_run:
        return _end_dry_run(options, shown, rows)
    if not options.yes and shown.plan.recipients and not _confirmed(options, shown):
        print_error("stopped before anything was sent")
        return ExitCode.INTERRUPTED
    if new:
        # Only now: after a no, a file would be bound to this campaign for nothing.
        journal = await _open_journal(options, stack)
    if options.enqueue:
        return await enqueue(options, client, messages, shown, suppressed)
    if trial is not None and shown.first is not None:
        await trial.send(client, pool, shown.first.prepared, journal)
    results = stack.enter_context(Results(options.results, replace=replace))
    eta = Eta(least_left(shown.plan, client.provider), pool.remaining_pause)
    progress = open_progress(shown.plan.total, as_json=options.as_json, eta=eta)
    runner = BulkRunner(options, messages, results, progress, shown.plan.total)
    ended = await runner.run(client, journal, suppressed)
    _tell(options, shown, ended)
    return ended.code


async def _open_journal(options: CommandOptions, stack: AsyncExitStack) -> Journal | None:
    # Checking a large file takes a moment.
    journal = await asyncio.to_thread(options.open_journal)
    return None if journal is None else stack.enter_context(journal)


async def _look_ahead(
    options: CommandOptions,
    client: SmsClient[Any],
    rows: Iterable[Message],
    left_out: LeftOut,
    journal: Journal | None,
    suppressed: IsSuppressed | None,
    *,
    new_journal: bool,
) -> Preview:
    """Read the whole file once, and show what would be sent."""
    messages = left_out.messages
    price = options.segment_price()
    with at_work(f"checking {options.file}; nothing is sent yet"), nothing_sent_yet():
        plan = await client.plan_many(
            rows,
            concurrency=options.concurrency,
            # Of one that is not there yet, a plan makes no file.
            journal=options.empty_journal() if new_journal else journal,
            suppress=suppressed,
            price=None if price is None else price.amount,
            left_out=left_out,
            one_per_number=options.one_per_number,
        )
    if not plan.total:
        raise InvalidMessageError(f"{options.file} has no row below its header; nothing was sent")
    shown = await preview(
        client, options, plan, messages, reasons=left_out.invalid, new_journal=new_journal
    )
    if not options.as_json:
        say_rows(*shown.words(), indent=LABEL)
    return shown


def _end_dry_run(options: CommandOptions, shown: Preview, rows: LeftOutRows) -> ExitCode:
    if options.as_json:
        emit(shown.to_dict() | {"sent": False, "results": options.results})
    elif options.results is not None:
        echo(f"Not to be sent, row by row: {options.results}")
    if rows.problem is not None:
        print_error(rows.problem)
        return ExitCode.UNEXPECTED
    if not shown.plan.recipients and (shown.plan.invalid or shown.plan.conflicts):
        # What the run itself would end with.
        return ExitCode.REFUSED
    return ExitCode.OK


def _confirmed(options: CommandOptions, shown: Preview) -> bool:
    plan = shown.plan
    texts = count_of(plan.recipients, "text")
    twice = f", {plan.in_doubt} of them perhaps for the second time" if plan.in_doubt else ""
    what = f"Let the workers send {texts}" if options.enqueue else f"Send {texts} now"
    return confirmed(f"{what}{twice}? [y/N] ")


def _tell(options: CommandOptions, shown: Preview, ended: RunResult) -> None:
    if options.as_json:
        emit(shown.to_dict() | {"sent": True} | summary_data(options, ended))
        return
    lines, trouble = summary_words(options, ended)
    if trouble:
        # Before the advice that follows from it.
        print_error(trouble)
    say_rows(*lines, indent=2)
    if command := next_command(options, ended):
        # In one piece, so that it can be copied.
        echo(f"  {command}")
