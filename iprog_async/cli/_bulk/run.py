"""Sending to everybody in a file, until it is done, stopped or halted."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from decimal import Decimal
from typing import Any

from attrs import define, field

from iprog_async._bulk.progress import Counts
from iprog_async._bulk.run import BulkRun
from iprog_async._bulk.spending import PriceDifference
from iprog_async._bulk.suppression import IsSuppressed
from iprog_async._client.client import SmsClient
from iprog_async._core.errors import (
    DeliveryFailedError,
    DuplicateMessageError,
    JournalUnknownError,
    RunHaltedError,
    SmsError,
    SuppressedError,
)
from iprog_async._core.outcomes import Accepted, NotSent, Outcome
from iprog_async._journal.journal import Journal
from iprog_async.cli._base.exit_codes import ExitCode, exit_code
from iprog_async.cli._bulk.messages import CsvMessages
from iprog_async.cli._bulk.options import CommandOptions
from iprog_async.cli._bulk.progress import (
    NullProgress,
    Progress,
    ProgressBar,
    open_stopping,
    stopping_words,
)
from iprog_async.cli._bulk.reasons import Reasons
from iprog_async.cli._bulk.results_file import Results
from iprog_async.cli._errors.wording import words_of_error
from iprog_async.cli._terminal.output import print_error
from iprog_async.cli._terminal.show import failed_words, listers_of
from iprog_async.cli._terminal.signals import on_interrupts


HALT_AFTER_UNKNOWN = 20
"""The run stops itself once so many people's outcomes are unknown."""

_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_TO_CALL_BACK = 0.05


@define
class RunResult:
    """How a run ended.

    Args:
        total: Messages of the file.
        counts: How many came to which end.
        left_out: Those not sent because somebody wanted it so: duplicates, suppressed numbers.
        halted: Why it stopped itself.
        problem: Why it could not go on, if it was neither the gateway nor the caller.
        stopped_by: The signal that stopped it: Ctrl-C, or SIGTERM.
        not_sent: Why rows were not sent.
        unknown: Why it is not known of rows whether they were.
        unasked: Why the journal could not say it of rows that this run did not send.
        failed: What the gateway said of rows that it accepted and that have failed.
        lists: Whether the gateway, or one of several, can be asked later for what it sent.
        credits: What it spent, by what the gateways say they took.
        price_difference: The first text whose price was another one than planned.
    """

    total: int
    counts: Counts
    left_out: int = 0
    halted: SmsError | None = None
    problem: str | None = None
    stopped_by: signal.Signals | None = None
    not_sent: Reasons = field(factory=Reasons)
    unknown: Reasons = field(factory=Reasons)
    unasked: Reasons = field(factory=Reasons)
    failed: Reasons = field(factory=Reasons)
    lists: bool = False
    credits: Decimal = Decimal(0)
    price_difference: PriceDifference | None = None

    @property
    def untouched(self) -> int:
        """Messages whose turn never came."""
        return self.total - self.counts.total

    @property
    def code(self) -> ExitCode:
        """What a script may conclude; a text in doubt weighs most."""
        if self.counts.unknown:
            return ExitCode.UNKNOWN
        if self.stopped_by is not None:
            terminated = self.stopped_by == signal.SIGTERM
            return ExitCode.TERMINATED if terminated else ExitCode.INTERRUPTED
        if self.halted is not None:
            return exit_code(self.halted)
        if self.problem is not None:
            return ExitCode.UNEXPECTED
        not_sent = self.counts.not_sent - self.left_out + self.untouched
        if not_sent:
            return ExitCode.REFUSED
        return ExitCode.UNEXPECTED if self.counts.failed else ExitCode.OK

    @property
    def unfinished(self) -> bool:
        """Whether another run of the same could bring more."""
        return self.stopped_by is not None or self.halted is not None or self.problem is not None


class BulkRunner:
    """Sends what a command asked for, and keeps everybody informed.

    Args:
        options: What the command was told.
        messages: The messages of its file.
        results: Where outcomes are written.
        progress: Where they are counted.
        total: How many messages there are.
    """

    def __init__(
        self,
        options: CommandOptions,
        messages: CsvMessages,
        results: Results,
        progress: Progress,
        total: int,
    ) -> None:
        self._options = options
        self._messages = messages
        self._results = results
        self._progress = progress
        self._ended = RunResult(total, Counts())
        self._announcing: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._has_ended = False
        self._warned = False

    async def run(
        self,
        client: SmsClient[Any],
        journal: Journal | None,
        suppressed: IsSuppressed | None = None,
    ) -> RunResult:
        """Send, and return how it ended."""
        run = client.send_many(
            self._messages,
            concurrency=self._options.concurrency,
            journal=journal,
            suppress=suppressed,
            max_credits=self._options.max_credits,
            halt_after_failed=self._options.halt_after_failed,
            halt_after_unknown=HALT_AFTER_UNKNOWN,
            one_per_number=self._options.one_per_number,
        )
        ended = self._ended
        ended.counts = run.counts
        ended.lists = bool(listers_of(client.provider))
        with on_interrupts(lambda by: self._stop(run, by), lambda _: self._abort(run)):
            showing = asyncio.create_task(self._keep_showing(run))
            try:
                async with run:
                    await self._read_all(run)
            finally:
                showing.cancel()
                try:
                    if self._announcing is not None:
                        await self._announcing
                finally:
                    self._progress.close(run.counts)
            if self._closing is not None:
                await self._closing
        for outcome in run.abandoned:
            self._write(outcome)
        ended.halted = run.halted
        ended.credits = run.credits
        ended.price_difference = run.price_difference
        ended.problem = ended.problem or self._results.problem
        return ended

    async def _keep_showing(self, run: BulkRun) -> None:
        """Show how far it is, also while it waits and no outcome comes."""
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            self._progress.update(run.counts)

    async def _read_all(self, run: BulkRun) -> None:
        try:
            with suppress(RunHaltedError):
                await self._read(run)
        except SmsError as exc:
            # Of the file: it was changed after it had been checked.
            self._ended.problem = words_of_error(exc)
        self._has_ended = True

    async def _read(self, run: BulkRun) -> None:
        async for outcome in run:
            self._write(outcome)
            self._progress.update(run.counts)
            if self._results.problem is not None:
                run.stop()
            if run.failing is not None and not self._warned:
                self._warn(run, run.failing)

    def _write(self, outcome: Outcome) -> None:
        ended, line, words = self._ended, self._messages.line_of(outcome.index), ""
        if isinstance(outcome, Accepted):
            if outcome.failed:
                words = failed_words(outcome.receipt.status)
                ended.failed.add_words(line, outcome.receipt.status.word or "no reason given")
        else:
            error, number = outcome.error, outcome.message.to
            words = self._messages.words_of(error)
            if isinstance(outcome, NotSent):
                ended.left_out += isinstance(error, (DuplicateMessageError, SuppressedError))
                ended.not_sent.add(line, number, error, words)
            else:
                unasked = isinstance(outcome.error, JournalUnknownError)
                reasons = ended.unasked if unasked else ended.unknown
                reasons.add(line, number, error, outcome.error.reason)
        self._results.add(line, outcome, words)

    def _warn(self, run: BulkRun, failing: DeliveryFailedError) -> None:
        """Say early that nobody may get anything; a run that has halted says so itself."""
        self._warned = True
        if run.halted is None:
            print_error(f"still sending, but nobody may get it: {words_of_error(failing)}")

    def _stop(self, run: BulkRun, by: signal.Signals) -> None:
        if self._has_ended:
            # It came while the last of it was written down.
            return
        self._ended.stopped_by = by
        run.stop()
        if isinstance(self._progress, ProgressBar):
            self._progress.give_way()
        self._progress = NullProgress()
        self._announcing = asyncio.create_task(self._announce(run, by))

    async def _announce(self, run: BulkRun, by: signal.Signals) -> None:
        # What was withdrawn is on its way until its task had a turn.
        await asyncio.sleep(_SECONDS_TO_CALL_BACK)
        if self._closing is not None:
            return
        again = "Ctrl-C again" if by == signal.SIGINT else "another SIGTERM"
        gives_up = f"; {again} gives them up" if run.in_flight else ""
        print_error(f"{stopping_words(run.in_flight)}{gives_up}")
        self._progress = open_stopping(lambda: run.in_flight, as_json=self._options.as_json)

    def _abort(self, run: BulkRun) -> None:
        if self._has_ended:
            return
        print_error("giving up what is on its way: it may have been sent")
        self._closing = asyncio.create_task(run.aclose())
