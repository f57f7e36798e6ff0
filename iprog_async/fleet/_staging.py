"""Loading messages by COPY into a table that only this connection sees."""

from __future__ import annotations

from collections.abc import Callable

from iprog_async._bulk.preparation import Preparation
from iprog_async._core.errors import InvalidMessageError, SuppressedError
from iprog_async._core.messages import PreparedMessage
from iprog_async._core.outcomes import NotSent
from iprog_async._journal.keys import check_key
from iprog_async._journal.text_hash import TextHash
from iprog_async._policies.gate import Gate
from iprog_async.fleet._database import Connection, run
from iprog_async.fleet._left_out import packed


LeftOut = Callable[[NotSent], None]

STAGED = """
CREATE TEMPORARY TABLE staged (
  position bigint NOT NULL,
  number text COLLATE "C" NOT NULL,
  key text COLLATE "C",
  hash bytea NOT NULL,
  text text COLLATE "C" NOT NULL,
  sender_id text COLLATE "C",
  schedule timestamptz,
  not_after timestamptz,
  refusal text COLLATE "C"
) ON COMMIT DROP"""
_COPY = "COPY staged FROM STDIN"
_NULL = r"\N"


class Counted:
    """How many messages were read, and how many of them can't be or must not be sent."""

    def __init__(self) -> None:
        self.staged = self.invalid = self.suppressed = 0

    @property
    def total(self) -> int:
        """Messages that were read."""
        return self.staged + self.invalid + self.suppressed


async def stage(
    connection: Connection,
    preparation: Preparation,
    hashes: TextHash,
    left_out: LeftOut,
    gate: Gate | None,
) -> Counted:
    """Check messages, and copy those that can be sent; a window at a time is in memory.

    Args:
        connection: In a transaction.
        preparation: Reads and checks them.
        hashes: Tells texts apart as the journal does.
        left_out: Told of each message that can't be or must not be sent.
        gate: Asks what the workers will ask, too; what it refuses is marked, as what is too late
            is, and not told: an earlier run may have sent it, which is found out later.
    """
    counted = Counted()
    await run(connection, STAGED)
    async with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        while True:
            checked = await preparation.next_checked()
            for outcome in checked.refused:
                suppressed = isinstance(outcome.error, SuppressedError)
                counted.suppressed += suppressed
                counted.invalid += not suppressed
                left_out(outcome)
            lines: list[str] = []
            rows = [(prepared, _cell(packed(late.error))) for prepared, late in checked.late]
            for prepared in checked.fresh:
                rows.append((prepared, _NULL if gate is None else await _refusal(gate, prepared)))
            for prepared, refusal in rows:
                try:
                    lines.append(_line(prepared, hashes, refusal))
                except InvalidMessageError as exc:
                    counted.invalid += 1
                    left_out(NotSent(prepared.index, prepared.message, exc))
            counted.staged += len(lines)
            # A window at once: handing over each row alone costs more than making it.
            await copy.write("".join(lines))
            if checked.last:
                return counted


async def _refusal(gate: Gate, prepared: PreparedMessage) -> str:
    """Return the cell that says why a message is never sent."""
    held = await gate.preview(prepared)
    # It may have to wait, which the workers do.
    return _cell(packed(held.error)) if isinstance(held, NotSent) else _NULL


def _line(prepared: PreparedMessage, hashes: TextHash, refusal: str) -> str:
    """Return a row of the table, in the text format of COPY."""
    message = prepared.message
    key, sender_id, when = message.key, message.sender_id, message.schedule_at
    if key is not None:
        check_key(key)
    if message.options is not None:
        raise InvalidMessageError(
            "options of an adapter can't be loaded for workers: set them on the workers' provider"
        )
    if "\0" in message.text:
        raise InvalidMessageError("the text has the character 0, which can't be kept")
    until = message.not_after
    # Most messages have none of these: asked here, they cost no call.
    return (
        f"{prepared.index}\t{_cell(prepared.e164)}\t{_NULL if key is None else _cell(key)}\t"
        f"\\\\x{hashes.of_message(prepared.wire).hex()}\t{_cell(message.text)}\t"
        f"{_NULL if sender_id is None else _cell(sender_id)}\t"
        f"{_NULL if when is None else when.isoformat()}\t"
        f"{_NULL if until is None else until.isoformat()}\t{refusal}\n"
    )


def _cell(value: str) -> str:
    """Return a text as COPY reads it."""
    if "\\" not in value and value.isprintable():
        return value
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n")
    return escaped.replace("\r", "\\r").replace("\t", "\\t")
