"""What of the loaded messages is not to be sent; found by the database, over all of them.

The rules are those of a run in one process: a message is the same as another one if number and key
are, or without key number, text and time. What the journal has of other messages for a number is
looked at when a worker is about to send, by the very rules of a run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal

from attrs import frozen

from iprog_async._journal.postgres.schema import quoted
from iprog_async.fleet._database import Connection, run
from iprog_async.fleet._settings import RunSettings


Kind = Literal["duplicates", "repeated", "waiting", "conflicts", "on_record", "refused"]
"""Why a message is not to be sent."""


@frozen
class Sifted:
    """A message that is not to be sent.

    Args:
        kind: Why.
        position: Its place in what was read.
        number: Its number.
        first: The place of the message that is sent instead of a duplicate or a repeated one; -1 of
            others.
        refusal: The error, packed; of refused ones.
    """

    kind: Kind
    position: int
    number: str
    first: int = -1
    refusal: str = ""


# Few are duplicates, so they are found in narrow rows, and taken out after. Nobody has a text that
# is refused, so that none is a duplicate of it.
_DUPLICATES = """
WITH ordered AS (
  SELECT position, first_value(position) OVER (
    PARTITION BY number, key, CASE WHEN key IS NULL THEN hash END ORDER BY position
  ) AS first FROM staged WHERE refusal IS NULL
)
DELETE FROM staged USING ordered
WHERE staged.position = ordered.position AND ordered.first < ordered.position
RETURNING staged.position, staged.number, ordered.first"""
_REPEATED = """
WITH ordered AS (
  SELECT position, first_value(position) OVER (PARTITION BY number ORDER BY position) AS first
  FROM staged WHERE refusal IS NULL
)
DELETE FROM staged USING ordered
WHERE staged.position = ordered.position AND ordered.first < ordered.position
RETURNING staged.position, staged.number, ordered.first"""
_WAITING = """
CREATE TEMPORARY TABLE waiting ON COMMIT DROP AS
SELECT w.number, w.key,
  substring(sha256(%(salt)s || convert_to(w.text, 'UTF8')) for 12) AS text_hash, w.schedule
FROM {schema}.fleet_chunks AS c,
  unnest(c.numbers, c.keys, c.texts, c.schedules) AS w (number, key, text, schedule)
WHERE c.campaign = %(campaign)s AND c.done_at IS NULL"""
_SAME_WAITING = """
DELETE FROM staged AS s USING waiting AS w
WHERE w.number = s.number AND (
  s.key = w.key OR s.key IS NULL AND w.key IS NULL
  AND substring(s.hash for 12) = w.text_hash AND s.schedule IS NOT DISTINCT FROM w.schedule
)
RETURNING s.position, s.number"""
_CONFLICTS = """
DELETE FROM staged AS s USING waiting AS w
WHERE w.number = s.number AND (%(one_per_number)s OR s.key IS NULL OR w.key IS NULL)
RETURNING s.position, s.number"""
_ON_RECORD = """
DELETE FROM staged AS s USING {schema}.entries AS e
WHERE e.campaign = %(campaign)s AND e.number = s.number
  AND coalesce('k' || e.key, 't' || encode(e.text_hash, 'hex'))
    = coalesce('k' || s.key, 't' || encode(s.hash, 'hex'))
  AND (
    e.state = 'accepted' OR e.state IN ('claimed', 'unknown') AND NOT %(resend_unknown)s
    OR e.state = 'not_sent' AND NOT e.healable AND e.text_hash = s.hash
  )
RETURNING s.position, s.number"""

# Last: what an earlier run has sent is on record, however late it is now.
_REFUSED = """
DELETE FROM staged WHERE refusal IS NOT NULL
RETURNING position, number, -1, refusal"""


async def sift(
    connection: Connection, schema: str, campaign: int, salt: bytes, settings: RunSettings
) -> AsyncIterator[Sifted]:
    """Take out of the staged messages what is not to be sent, and yield it.

    Args:
        connection: In the transaction that they were staged in.
        schema: The journal's schema.
        campaign: The number of the campaign.
        salt: What its texts are hashed with.
        settings: How they are to be sent.
    """
    values = {
        "campaign": campaign,
        "salt": salt,
        "one_per_number": settings.one_per_number,
        "resend_unknown": settings.resend_unknown,
    }
    statements: list[tuple[Kind, str]] = [("duplicates", _DUPLICATES)]
    if settings.one_per_number:
        statements.append(("repeated", _REPEATED))
    await run(connection, _WAITING.format(schema=quoted(schema)), values)
    statements.append(("waiting", _SAME_WAITING))
    if not settings.allow_changed_text:
        statements.append(("conflicts", _CONFLICTS))
    statements.append(("on_record", _ON_RECORD.format(schema=quoted(schema))))
    statements.append(("refused", _REFUSED))
    await run(connection, "ANALYZE staged")
    for kind, statement in statements:
        # A statement without parameters has none of their names.
        cursor = await run(connection, statement, values if "%(" in statement else None)
        async for row in cursor:
            yield Sifted(kind, *row)
