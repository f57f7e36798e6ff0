"""`iprog-async worker`."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Generator
from contextlib import AsyncExitStack, contextmanager
from typing import Annotated

from cyclopts import Parameter, validators

from iprog_async._client.client import SmsClient
from iprog_async._client.from_config import provider_from_env, provider_from_url
from iprog_async._core.redaction import one_line
from iprog_async._journal.journal import Journal
from iprog_async._providers.protocols import SmsProvider
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._fleet.health import health as telling_health
from iprog_async.cli._options.engine import EngineChoice, best_engine
from iprog_async.cli._options.policies import (
    CreditsPerDay,
    PerNumber,
    PerNumberSameText,
    SendBetweenHours,
    Zone,
    hours_of,
    limits_of,
)
from iprog_async.cli._options.shared import SuppressionList, Url, obeying
from iprog_async.cli._terminal.output import echo, print_error
from iprog_async.cli._terminal.show import gateway_words
from iprog_async.cli._terminal.signals import on_interrupts
from iprog_async.fleet import DEFAULT_QUEUE, Worker
from iprog_async.fleet._database import parse_address
from iprog_async.fleet._report import outcome_words


_LONGEST_LINE = 1000


async def worker(  # noqa: D417 - the shared options describe themselves
    *,
    journal: str,
    concurrency: Annotated[int, Parameter(validator=validators.Number(gte=1))] = 100,
    queue: Annotated[tuple[str, ...], Parameter(negative="")] = (DEFAULT_QUEUE,),
    engine: EngineChoice | None = None,
    health: str | None = None,
    stalled_after: Annotated[float, Parameter(validator=validators.Number(gte=1))] = 30.0,
    name: str | None = None,
    outbox: bool = True,
    send_between: SendBetweenHours = None,
    zone: Zone = None,
    per_number: PerNumber = None,
    per_number_same_text: PerNumberSameText = None,
    credits_per_day: CreditsPerDay = None,
    any_gateway: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    suppressions: SuppressionList = None,
    url: Url = None,
) -> ExitCode:
    """Send what `bulk --enqueue` loaded, beside any number of other workers on any machines.

    It sends the texts of the outbox, too, which programs enqueue in their own transactions.

    The first Ctrl-C or SIGTERM lets what is on its way end, and the exit code is 0; the second
    stops at once, and what is on its way is unknown then. It may be killed at any time: nobody
    gets a text twice.

    Args:
        journal: Address of the journal, such as postgresql://user@host/database. Leave the
            password to PGPASSWORD or ~/.pgpass: others see what a command line has.
        concurrency: The most requests at once.
        queue: Queue to take work from; may be given several times.
        engine: How requests are made; by default the fastest one that is installed.
        health: A port that answers HTTP requests with 200 while the worker is healthy, or a file
            that is touched every second.
        stalled_after: Seconds without a sign of life after which the others take over what a worker
            has; the same for all workers.
        name: What it is called in lists; host and process by default.
        outbox: Whether to send the outbox: what was enqueued for the journal's campaign without a
            name.
        any_gateway: Send also what was loaded for another gateway, which may read numbers and texts
            in another way. Without it the worker ends with an error before the first of them.
    """
    policies = hours_of(send_between, zone)
    policies |= limits_of(per_number, per_number_same_text, credits_per_day)
    # Before it is opened: a file would be made.
    parse_address(journal)
    provider = provider_from_env() if url is None else provider_from_url(url)
    async with AsyncExitStack() as stack:
        opened = None
        if outbox:
            opened = stack.enter_context(await asyncio.to_thread(Journal.open, journal))
        client = SmsClient(
            provider,
            engine=engine or best_engine(),
            max_connections=concurrency,
            journal=opened,
            suppressions=await stack.enter_async_context(obeying(suppressions, lambda: provider)),
            **policies,
        )
        await stack.enter_async_context(client)
        made = Worker(
            client,
            journal,
            concurrency=concurrency,
            queues=queue,
            stalled_after=stalled_after,
            name=name,
            outbox=outbox,
            any_gateway=any_gateway,
        )
        with _shown():
            async with telling_health(health, lambda: made.connected):
                return await _run(made, provider)


async def _run(made: Worker, provider: SmsProvider) -> ExitCode:
    echo(
        f"worker {made.name}, through {gateway_words(provider)}; Ctrl-C lets what is on its way end"
    )
    running = asyncio.create_task(made.run())
    stopped_by: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        echo("stopping; once more stops at once")
        made.stop()

    def stop_at_once(number: signal.Signals) -> None:
        stopped_by.append(number)
        running.cancel()

    with on_interrupts(stop, stop_at_once):
        await asyncio.wait([running])
    echo(f"ended: {outcome_words(made.outcomes)} of what was loaded")
    if stopped_by and running.cancelled():
        print_error(
            "stopped at once; what was on its way may have been sent: its outcome is unknown"
        )
        terminated = stopped_by[0] == signal.SIGTERM
        return ExitCode.TERMINATED if terminated else ExitCode.INTERRUPTED
    await running
    return ExitCode.OK


@contextmanager
def _shown() -> Generator[None]:
    """Show what the library has to say: warnings, and what the worker is at."""
    handler = _Lines(logging.WARNING)
    logger, fleet = logging.getLogger("iprog_async"), logging.getLogger("iprog_async.fleet")
    steps, level = _Steps(logging.INFO), fleet.level
    logger.addHandler(handler)
    fleet.addHandler(steps)
    fleet.setLevel(logging.INFO)
    try:
        yield
    finally:
        fleet.setLevel(level)
        fleet.removeHandler(steps)
        logger.removeHandler(handler)


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        print_error(_words(record))


class _Steps(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING:
            echo(_words(record))


def _words(record: logging.LogRecord) -> str:
    return one_line(record.getMessage(), _LONGEST_LINE)
