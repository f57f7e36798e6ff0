"""Loading messages by COPY into a table that only this connection sees."""

from __future__ import annotations

from collections.abc import Callable

from iprog_async._bulk.preparation import Preparation
from iprog_async._core.errors import InvalidMessageError, SuppressedError
from iprog_async._core.messages import PreparedMessage
from iprog_async._core.outcomes import NotSent
from iprog_async._journal.ledger import check_key
from iprog_async._journal.text_hash import TextHash
from iprog_async.fleet._database import Connection, run


LeftOut = Callable[[NotSent], None]

STAGED = """
CREATE TEMPORARY TABLE staged (
  position bigint NOT NULL,
  number text COLLATE "C" NOT NULL,
  key text COLLATE "C",
  hash bytea NOT NULL,
  text text COLLATE "C" NOT NULL,
  sender_id text COLLATE "C",
  schedule timestamptz
) ON COMMIT DROP"""
_COPY = "COPY staged FROM STDIN (FORMAT BINARY)"
_TYPES = ("int8", "text", "text", "bytea", "text", "text", "timestamptz")


class Counted:
    """How many messages were read, and how many of them can't be or must not be sent."""

    def __init__(self) -> None:
        self.staged = self.invalid = self.suppressed = 0

    @property
    def total(self) -> int:
        """Messages that were read."""
        return self.staged + self.invalid + self.suppressed


async def stage(
    connection: Connection, preparation: Preparation, hashes: TextHash, left_out: LeftOut
) -> Counted:
    """Check messages, and copy those that can be sent; a window at a time is in memory.

    Args:
        connection: In a transaction.
        preparation: Reads and checks them.
        hashes: Tells texts apart as the journal does.
        left_out: Told of each message that can't be or must not be sent.
    """
    counted = Counted()
    await run(connection, STAGED)
    async with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(_TYPES)
        while True:
            fresh, refused, last = await preparation.next_checked()
            for outcome in refused:
                suppressed = isinstance(outcome.error, SuppressedError)
                counted.suppressed += suppressed
                counted.invalid += not suppressed
                left_out(outcome)
            for prepared in fresh:
                try:
                    row = _row(prepared, hashes)
                except InvalidMessageError as exc:
                    counted.invalid += 1
                    left_out(NotSent(prepared.index, prepared.message, exc))
                    continue
                counted.staged += 1
                await copy.write_row(row)
            if last:
                return counted


def _row(prepared: PreparedMessage, hashes: TextHash) -> tuple[object, ...]:
    message = prepared.message
    if message.key is not None:
        check_key(message.key)
    if message.options is not None:
        raise InvalidMessageError(
            "options of an adapter can't be loaded for workers: set them on the workers' provider"
        )
    if "\0" in message.text or "\0" in (message.key or ""):
        raise InvalidMessageError("the text or the key has the character 0, which can't be kept")
    return (
        prepared.index,
        prepared.e164,
        message.key,
        hashes.of_message(prepared.wire),
        message.text,
        message.sender_id,
        message.schedule_at,
    )
