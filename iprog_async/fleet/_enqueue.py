"""`enqueue_many`: messages in, jobs for the workers out."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from iprog_async._bulk.options import BulkOptions
from iprog_async._bulk.source import Messages
from iprog_async._bulk.suppression import Suppress
from iprog_async._client.client import SmsClient
from iprog_async._core.checks import check_storable
from iprog_async._core.errors import ExpiredError
from iprog_async._core.gsm7.replacement import EncodingSetting
from iprog_async._core.outcomes import NotSent
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import translated
from iprog_async._journal.postgres.session import Campaign, open_campaign
from iprog_async._journal.text_hash import TextHash
from iprog_async._routing.base import gateways_of
from iprog_async.fleet._chunking import make_chunks
from iprog_async.fleet._database import Connection, ask, connected, notify, parse_address, run
from iprog_async.fleet._left_out import outcome_of
from iprog_async.fleet._queue_names import DEFAULT_QUEUE
from iprog_async.fleet._report import EnqueueReport
from iprog_async.fleet._settings import JobSettings, RunSettings
from iprog_async.fleet._sifting import Kind, sift
from iprog_async.fleet._staging import stage


logger = logging.getLogger("iprog_async.fleet")

_WINDOW = 1000
# Enough to sort a million rows in the server's memory; what does not fit is sorted on its disk.
_MEMORY = "SET LOCAL work_mem = '256MB'"

# Held until the transaction ends, also if that is because the loader is gone.
_LOADING = "hashtextextended('iprog-async loading ' || %s, 0)"


async def enqueue_many(
    client: SmsClient[Any],
    messages: Messages,
    *,
    journal: str,
    campaign: str = "",
    suppress: Suppress | None = None,
    one_per_number: bool = False,
    allow_changed_text: bool = False,
    resend_unknown: bool = False,
    max_credits: int | None = None,
    halt_after_unknown: int = 20,
    halt_after_failed: int | None = None,
    at: datetime | None = None,
    queue: str = DEFAULT_QUEUE,
    priority: int = 0,
    chunk_size: int | None = None,
    encoding: EncodingSetting | None = None,
    not_after: datetime | None = None,
    send_between: str | None = None,
    zone: str | None = None,
    left_out: Callable[[NotSent], None] | None = None,
) -> EnqueueReport:
    """Load messages for the workers of a fleet; nothing is sent from here.

    They are checked as `send_many` does it, and copied to the database a window at a time. All
    of it is one transaction: a loader that is killed leaves nothing. Loading the same again adds
    nothing, so it is safe to repeat, also at the same time: of several loaders of a campaign one
    loads, and the others wait for it.

    Args:
        client: Its provider checks the messages, as that of the workers will.
        messages: An iterable or async iterable of `Message`.
        journal: The address of a journal in PostgreSQL.
        campaign: What the messages are about; made if it is not there.
        suppress: Numbers never to text, as for `send_many`.
        one_per_number: Send each number its first message only, as for `send_many`.
        allow_changed_text: Send a number another text than an earlier run did.
        resend_unknown: Send again what the journal has as unknown: better twice than never.
        max_credits: The most credits that all workers together may spend.
        halt_after_unknown: All workers stop once so many outcomes are unknown with no text
            accepted in between.
        halt_after_failed: A worker stops all after so many accepted texts in a row that the
            gateway reports as failed.
        at: When to begin, as an aware `datetime`; at once if `None`.
        queue: Which workers are to send it: those that were given this queue.
        priority: Runs with a higher one are sent first.
        chunk_size: How many messages a worker takes at a time; chosen by their number if `None`.
        encoding: As for `SmsClient`, and the client's if `None`: workers send the texts as they are
            loaded, whatever their own says.
        not_after: Until when the workers may send messages that have no such time of their own, as
            for `send_many`.
        send_between: The hours at which the workers send it, as for `SmsClient`; the client's if
            `None`. What they never let out, such as a message that expires before they begin, is
            not loaded. A worker that has hours of its own keeps both. Limits, such as
            `per_number`, are kept by the clients of the workers.
        zone: Whose clocks these are, if not the number's.
        left_out: Told of each message that the workers will not send, by the error that `send_many`
            has for it. What was loaded or sent before is a `JournalConflictError`.

    Raises:
        ConfigurationError: A number is out of range, or what a fleet needs is not installed.
        JournalError: The journal can't be reached or written; nothing was loaded.
    """
    check_storable("campaign", campaign)
    address = parse_address(journal)
    hours = client.bulk.hours_for(send_between, zone)
    settings = RunSettings(
        one_per_number=one_per_number,
        allow_changed_text=allow_changed_text,
        resend_unknown=resend_unknown,
        halt_after_unknown=halt_after_unknown,
        halt_after_failed=halt_after_failed,
        send_between=None if hours is None else str(hours.hours),
        zone=None if hours is None else hours.zone_name,
        when_quiet="wait" if hours is None else hours.when_quiet,
        gateways=(gateway.name for gateway in gateways_of(client.provider)),
    )
    jobs = JobSettings(
        queue=queue,
        priority=priority,
        starts_at=at,
        chunk_size=chunk_size,
        max_credits=max_credits,
    )
    options = BulkOptions(
        window=_WINDOW,
        suppress=suppress,
        encoding=client.bulk.encoding_for(encoding),
        sender_ids=client.bulk.sender_ids_for(None),
        deduplicated=True,
        not_after=not_after,
    )
    preparation = client.bulk.prepare(messages, options)
    gate = client.bulk.gate_of(hours)
    opened = await asyncio.to_thread(_open_campaign, address, campaign)
    tell = left_out or _nobody
    counts: Counter[Kind] = Counter()
    expired = 0
    try:
        await preparation.open(None)
        async with connected(address) as connection, connection.transaction():
            await _begin_loading(connection, address, opened)
            await run(connection, _MEMORY)
            hashes = TextHash(opened.salt)
            counted = await stage(connection, preparation, hashes, tell, gate)
            async for sifted in sift(connection, address.schema, opened.id, opened.salt, settings):
                outcome = outcome_of(sifted)
                counts[sifted.kind] += 1
                expired += isinstance(outcome.error, ExpiredError)
                tell(outcome)
            left = counted.staged - counts.total()
            number = chunks = 0
            if left:
                number, left, chunks = await make_chunks(
                    connection, address.schema, opened.id, settings, jobs
                )
                await notify(connection, address.schema)
    finally:
        await preparation.aclose()
    return EnqueueReport(
        campaign=campaign,
        run=number,
        total=counted.total,
        enqueued=left,
        chunks=chunks,
        invalid=counted.invalid + counts["refused"],
        duplicates=counts["duplicates"],
        repeated=counts["repeated"],
        suppressed=counted.suppressed,
        waiting=counts["waiting"],
        on_record=counts["on_record"],
        conflicts=counts["conflicts"],
        expired=expired,
    )


def _open_campaign(address: PostgresAddress, name: str) -> Campaign:
    connection, campaign = open_campaign(address, name)
    with translated(address):
        connection.close()
    return campaign


async def _begin_loading(
    connection: Connection, address: PostgresAddress, campaign: Campaign
) -> None:
    """Wait until nobody else loads a campaign: what is loaded is seen once it is committed."""
    values = [f"{address.schema} {campaign.id}"]
    (is_free,) = await ask(connection, f"SELECT pg_try_advisory_xact_lock({_LOADING})", values)
    if is_free:
        return
    logger.info("the campaign %r: another loader is at it, and is waited for", campaign.name)
    await run(connection, f"SELECT pg_advisory_xact_lock({_LOADING})", values)


def _nobody(_: NotSent) -> None:
    """Hear of a message that is left out."""
