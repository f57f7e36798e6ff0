"""A chunk of messages: read from the database, counted as it comes to its outcomes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from attrs import define, field, frozen

from iprog_async._core.errors import JournalError, RunHaltedError
from iprog_async._core.messages import Message
from iprog_async._core.outcomes import Accepted, NotSent, Outcome, Unknown, met_this_time
from iprog_async._journal.postgres.schema import quoted
from iprog_async.fleet._database import Connection, ask, run
from iprog_async.fleet._settings import RunSettings


_BEGIN = """
UPDATE {schema}.fleet_chunks AS c SET worker = %(worker)s
FROM {schema}.fleet_runs AS r JOIN {schema}.campaigns AS p ON p.id = r.campaign
WHERE c.campaign = %(campaign)s AND c.run = %(run)s AND c.chunk = %(chunk)s
  AND r.campaign = c.campaign AND r.run = c.run
  AND c.done_at IS NULL AND r.halted IS NULL
RETURNING p.name, r.settings, r.max_credits,
  c.numbers, c.keys, c.texts, c.sender_ids, c.schedules, c.not_after"""
_COUNT = """
UPDATE {schema}.fleet_chunks AS c
SET accepted = w.accepted, failed = w.failed, not_sent = w.not_sent, unknown = w.unknown
FROM jsonb_to_recordset(%s::jsonb) AS w
  (campaign integer, run integer, chunk integer,
   accepted integer, failed integer, not_sent integer, unknown integer)
WHERE c.campaign = w.campaign AND c.run = w.run AND c.chunk = w.chunk
  AND c.worker = %s AND c.done_at IS NULL"""
_LEAVE = """
UPDATE {schema}.fleet_chunks SET worker = NULL
WHERE campaign = %(campaign)s AND run = %(run)s AND chunk = %(chunk)s AND worker = %(worker)s"""
# Whoever has taken the chunk over ends it; what it counts is then its own.
_END = """
UPDATE {schema}.fleet_chunks
SET done_at = now(), numbers = NULL, keys = NULL, texts = NULL, sender_ids = NULL,
  schedules = NULL, not_after = NULL, accepted = %(accepted)s, failed = %(failed)s,
  not_sent = %(not_sent)s, unknown = %(unknown)s
WHERE campaign = %(campaign)s AND run = %(run)s AND chunk = %(chunk)s
  AND worker = %(worker)s AND done_at IS NULL
RETURNING chunk"""


@frozen
class ChunkId:
    """Which chunk of which run."""

    campaign: int
    run: int
    chunk: int

    @property
    def of_run(self) -> tuple[int, int]:
        """The campaign and the run."""
        return self.campaign, self.run

    def to_dict(self) -> dict[str, int]:
        """Return it as the arguments of a job."""
        return {"campaign": self.campaign, "run": self.run, "chunk": self.chunk}


@frozen
class RunInfo:
    """What a worker has to know of a run.

    Args:
        campaign: The campaign's name.
        settings: How it is sent.
        max_credits: The most credits that all workers together may spend.
    """

    campaign: str
    settings: RunSettings
    max_credits: int | None


@define(eq=False)
class Chunk:
    """A chunk that this worker has.

    Args:
        id: Which one.
        info: What there is to know of its run.
    """

    id: ChunkId
    info: RunInfo
    _columns: Sequence[Sequence[Any] | None]
    ended: asyncio.Event = field(factory=asyncio.Event)
    """Set when every message has its outcome, or nothing more is sent."""
    accepted: int = 0
    failed: int = 0
    not_sent: int = 0
    unknown: int = 0
    open: int = 0
    """Messages that somebody has to look at once more: certainly not sent from here, for now."""
    rests: float = 0.0
    """For how many seconds nothing of it can be sent; it is back in the queue for that long."""
    changed: bool = False
    """Whether the counts are other ones than in the database."""

    @property
    def size(self) -> int:
        """How many messages it has."""
        return len(self._columns[0] or ())

    @property
    def left(self) -> int:
        """Messages without an outcome."""
        return self.size - self.accepted - self.not_sent - self.unknown - self.open

    def messages(self) -> Iterator[Message]:
        """Return the messages."""
        numbers, keys, texts, sender_ids, schedules, ends = self._columns
        none = [None] * self.size
        # One object for equal texts: they are hashed and counted once.
        same: dict[str, str] = {}
        for number, key, text, sender_id, schedule, end in zip(
            numbers or (),
            keys or none,
            texts or (),
            sender_ids or none,
            schedules or none,
            ends or none,
            strict=True,
        ):
            when: datetime | None = schedule
            until: datetime | None = end
            text = same.setdefault(text, text)
            yield Message(number, text, sender_id, when, key, not_after=until)

    def note(self, outcome: Outcome) -> bool:
        """Count an outcome; return whether it is the message's last one."""
        self.changed = True
        is_open = not isinstance(outcome, Accepted) and _is_open(outcome)
        if isinstance(outcome, Accepted):
            self.accepted += 1
            self.failed += outcome.failed
        elif is_open:
            self.open += 1
        elif isinstance(outcome, NotSent):
            self.not_sent += 1
        else:
            self.unknown += 1
        if not self.left:
            self.ended.set()
        return not is_open

    def counts(self) -> dict[str, int]:
        """Return the counts, and which chunk they are of."""
        return {
            **self.id.to_dict(),
            "accepted": self.accepted,
            "failed": self.failed,
            "not_sent": self.not_sent,
            "unknown": self.unknown,
        }


def _is_open(outcome: NotSent | Unknown) -> bool:
    """Return whether a message is still to be sent, by whoever comes to it next.

    Another process has claimed it, the run or the journal has ended before its turn, or the account
    is in trouble, which is no message's fault. The same keeps one open that is to be sent again,
    although people are told that it is unknown.
    """
    error = met_this_time(outcome.error)
    return isinstance(error, (JournalError, RunHaltedError)) or error.blame == "account"


async def begin_chunk(
    connection: Connection, schema: str, chunk: ChunkId, worker: str
) -> Chunk | None:
    """Take a chunk; `None` if it is done already, or its run is halted."""
    values = {**chunk.to_dict(), "worker": worker}
    found = await ask(connection, _BEGIN.format(schema=quoted(schema)), values)
    if found is None:
        return None
    name, settings, max_credits, *columns = found
    return Chunk(chunk, RunInfo(name, RunSettings.from_dict(settings), max_credits), columns)


async def save_counts(
    connection: Connection, schema: str, chunks: Sequence[Chunk], worker: str
) -> None:
    """Write down how far chunks have come, for people who watch."""
    changed = [chunk for chunk in chunks if chunk.changed]
    if not changed:
        return
    for chunk in changed:
        chunk.changed = False
    counts = json.dumps([chunk.counts() for chunk in changed])
    await run(connection, _COUNT.format(schema=quoted(schema)), [counts, worker])


async def leave_chunk(connection: Connection, schema: str, chunk: Chunk, worker: str) -> None:
    """Leave a chunk that is not done to whoever comes next."""
    await save_counts(connection, schema, [chunk], worker)
    values = {**chunk.id.to_dict(), "worker": worker}
    await run(connection, _LEAVE.format(schema=quoted(schema)), values)


async def end_chunk(connection: Connection, schema: str, chunk: Chunk, worker: str) -> bool:
    """Write down that a chunk is done, and erase what was in it; `False` if another one has it."""
    values = {**chunk.counts(), "worker": worker}
    return await ask(connection, _END.format(schema=quoted(schema)), values) is not None
