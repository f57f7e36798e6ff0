"""The rows of an outbox: how senders share them, and what is written back.

Nothing here keeps a text from going out twice; the journal's claim does. A row that two senders
have is only work done in vain, and one that was marked too early is found by `sweep`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import frozen

from iprog_async._core.messages import Message
from iprog_async._journal.postgres.schema import quoted


# What is unknown, and still claimed, may be given back by a process that was stopped, and its text
# is kept for that; not for ever, though.
_UNTIL_ERASED = "interval '1 day'"


@frozen
class Taken:
    """A row that a sender has taken.

    Args:
        id: Its number.
        takes: How often it was taken.
        number: Recipient as E.164.
        key: Its key.
        text: What to send.
        sender_id: What the phone shows as sender, or `None`.
        schedule_at: When the gateway is to send it, or `None`.
        not_after: Until when it may leave, by the clock of this machine, or `None`.
        age: How many seconds ago it was enqueued.
    """

    id: int
    takes: int
    number: str
    key: str
    text: str
    sender_id: str | None
    schedule_at: datetime | None
    not_after: datetime | None
    age: float

    @property
    def message(self) -> Message:
        """What is to be sent."""
        sender_id, when = self.sender_id, self.schedule_at
        return Message(self.number, self.text, sender_id, when, self.key, not_after=self.not_after)


def to_taken(values: Sequence[Any], asked_at: datetime) -> Taken:
    """Read the columns of a row.

    Args:
        values: The columns.
        asked_at: When they were asked for, by the clock of this machine: that of the database may
            be another.
    """
    number_of_row, takes, number, key, text, sender_id, schedule_at, seconds_left, age = values
    not_after = None if seconds_left is None else _later(asked_at, seconds_left)
    return Taken(number_of_row, takes, number, key, text, sender_id, schedule_at, not_after, age)


def _later(time: datetime, seconds: float) -> datetime:
    """Return a time so many seconds later, or the last or the first one that there is."""
    try:
        return time + timedelta(seconds=seconds)
    except OverflowError:
        end = datetime.max if seconds > 0 else datetime.min
        return end.replace(tzinfo=UTC)


class OutboxStatements:
    """What is said to the database.

    Args:
        schema: The schema.
        campaign: The campaign's number; its name is a parameter.
    """

    def __init__(self, schema: str, campaign: int) -> None:
        outbox, entries = f"{quoted(schema)}.outbox", f"{quoted(schema)}.entries"
        lease = "now() + make_interval(secs => %(lease)s)"
        ours = "unnest(%(ids)s::bigint[], %(takes)s::integer[])"
        # In a FROM it may be the inner side of a nested loop, which asks it again for every row and
        # takes as many again each time: so it was where the table had been analysed with one row.
        self.take = f"""
WITH w AS MATERIALIZED (
  SELECT id FROM {outbox} WHERE campaign = %(campaign)s AND state = 'waiting' AND due_at <= now()
  ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE {outbox} AS o SET due_at = {lease}, takes = o.takes + 1 FROM w WHERE o.id = w.id
RETURNING o.id, o.takes, o.number, o.key, o.text, o.sender_id, o.schedule_at,
  extract(epoch FROM o.expires_at)::float8 - extract(epoch FROM now())::float8,
  extract(epoch FROM now() - o.enqueued_at)::float8"""  # noqa: S608 - constants
        """Takes those that have waited longest, for the time of a lease."""
        # Said so, the index of all that wait is no way to them: the planner may take it for a short
        # one until the table is analysed.
        waits = "o.state NOT IN ('unknown', 'done')"
        self.renew = f"""
UPDATE {outbox} AS o SET due_at = {lease} FROM {ours} AS w (id, takes)
WHERE o.id = w.id AND o.takes = w.takes AND {waits}"""  # noqa: S608 - constants
        """Lengthens the lease of those that are in hand."""
        self.put_back = f"""
UPDATE {outbox} AS o SET due_at = CASE WHEN w.delay > 0 THEN
  least(now() + make_interval(secs => w.delay), coalesce(o.expires_at, 'infinity'))
  ELSE o.enqueued_at END
FROM unnest(%(ids)s::bigint[], %(takes)s::integer[], %(delays)s::float8[]) AS w (id, takes, delay)
WHERE o.id = w.id AND o.takes = w.takes AND {waits}"""  # noqa: S608 - constants
        """Lets others have those that certainly were not sent, after a delay."""
        self.finish = f"""
UPDATE {outbox} SET state = 'done', text = NULL WHERE id = ANY (%(ids)s::bigint[])
AND state <> 'done'"""  # noqa: S608 - constants
        """Marks those whose outcome stands in the journal, and erases their texts."""
        self.doubt = f"""
UPDATE {outbox} SET state = 'unknown', due_at = now() WHERE id = ANY (%(ids)s::bigint[])
AND state = 'waiting'"""  # noqa: S608 - constants
        """Marks those that somebody may have sent; nobody takes them any more."""
        again = "e.state = 'released' OR e.state = 'not_sent' AND e.healable"
        # In the order of their own index: by the planner's reckoning another one is as short while
        # there are few, and the plan is kept while the outbox grows.
        self.sweep = f"""
UPDATE {outbox} AS o SET state = CASE WHEN {again} THEN 'waiting' ELSE 'done' END,
  text = CASE WHEN {again} THEN o.text END, due_at = now()
FROM (
  SELECT id FROM {outbox} WHERE campaign = %(campaign)s AND state = 'unknown' ORDER BY id
) AS w, {entries} AS e
WHERE o.id = w.id AND o.state = 'unknown' AND e.campaign = {campaign}
  AND e.number = o.number
  AND coalesce('k' || e.key, 't' || encode(e.text_hash, 'hex')) = 'k' || o.key
  AND (e.state <> 'claimed' OR o.due_at < now() - {_UNTIL_ERASED})"""  # noqa: S608 - constants
        """Settles those that were marked as unknown by what the journal has by now."""
