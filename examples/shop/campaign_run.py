"""One campaign under way."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Literal

from iprog_async import (
    Accepted,
    BulkRun,
    NotSent,
    RunHaltedError,
    SmsError,
    Unknown,
)
from shop.campaign_progress import Progress, Row, State
from shop.problems import words_of


logger = logging.getLogger(__name__)

_ROWS_SHOWN = 20


class CampaignRun:
    """Reads a run to its end, and knows how far it is.

    Args:
        name: Name of the campaign.
        total: How many messages it has.
        run: The run, which nobody has entered yet.
    """

    def __init__(self, name: str, total: int, run: BulkRun) -> None:
        self._name = name
        self._total = total
        self._run = run
        self._rows: list[Row] = []
        self._problem: SmsError | None = None
        self._state: State = "running"
        self._stopping = False

    @property
    def began(self) -> bool:
        """Whether any message came to its end, or there was nothing to complain of."""
        return self._problem is None or self._run.counts.total > 0

    def stop(self) -> None:
        """Send nothing more; what is on its way still comes to its outcome."""
        self._stopping = True
        self._run.stop()

    async def send(self) -> None:
        """Send until the end; what goes wrong becomes part of the progress."""
        try:
            # `halted` says why; the end of the iteration would only say it again.
            with suppress(RunHaltedError):
                await self._read()
            self._problem = self._run.halted
        except SmsError as exc:
            self._problem = exc
        if self._problem is not None:
            logger.error("the campaign %s halted: %s", self._name, self._problem)
        self._state = self._end()

    async def _read(self) -> None:
        async with self._run as run:
            async for outcome in run:
                if not isinstance(outcome, Accepted) and len(self._rows) < _ROWS_SHOWN:
                    self._rows.append(_row(outcome))

    def _end(self) -> State:
        if self._problem is not None:
            return "halted"
        settled = self._run.counts.total == self._total
        return "stopped" if self._stopping and not settled else "finished"

    def progress(self) -> Progress:
        """Return how far it has come."""
        counts = self._run.counts
        return Progress(
            name=self._name,
            state=self._state,
            total=self._total,
            accepted=counts.accepted,
            not_sent=counts.not_sent,
            unknown=counts.unknown,
            resumed=counts.resumed,
            why=None if self._problem is None else words_of(self._problem),
            rows=self._rows,
        )


def _row(outcome: NotSent | Unknown) -> Row:
    text: Literal["unknown", "not sent"] = "unknown" if isinstance(outcome, Unknown) else "not sent"
    return Row(row=outcome.index, text=text, why=words_of(outcome.error))
