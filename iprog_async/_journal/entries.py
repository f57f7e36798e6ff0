"""What a journal holds, for people: entries, and their export as CSV and JSON Lines."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import AsyncIterator
from typing import IO, Literal

from attrs import asdict, fields, frozen

from iprog_async._core.errors import ConfigurationError
from iprog_async._journal.rows import Row, unpack_receipt


ExportFormat = Literal["csv", "jsonl"]
EntryState = Literal["accepted", "not_sent", "unknown", "waiting"]

STATES: dict[str, EntryState] = {
    "accepted": "accepted",
    "not_sent": "not_sent",
    "unknown": "unknown",
    "claimed": "unknown",
    "released": "waiting",
}

# What spreadsheets take for a formula; a plain number with its plus sign is harmless.
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"\+\d+", re.ASCII)


@frozen
class JournalEntry:
    """One message of a journal, for people.

    Args:
        number: Recipient as E.164.
        key: The caller's key, or `None`.
        state: `accepted`, `not_sent`, `unknown`, or `waiting` (certainly not sent yet).
        provider: Who was asked.
        message_id: The gateway's id of an accepted text, or `None`.
        detail: What went wrong, in words.
        status: The delivery status, such as `pending` or `failed`: of the answer that accepted
            the text, or what `follow` found since; `None` of one that was not accepted.
    """

    number: str
    key: str | None
    state: EntryState
    provider: str
    message_id: str | None
    detail: str
    status: str | None = None


def to_entry(row: Row) -> JournalEntry:
    """Return what people want to know of a row.

    Raises:
        JournalError: The row is damaged.
    """
    message_id, detail = None, row.detail
    if row.state == "accepted":
        receipt = unpack_receipt(row)
        message_id = receipt.message_id
        detail = receipt.status.word if row.status == "failed" else ""
    return JournalEntry(
        row.number, row.key, STATES[row.state], row.provider, message_id, detail, row.status
    )


async def export(
    entries: AsyncIterator[JournalEntry],
    file: IO[str],
    format: ExportFormat,  # noqa: A002 - the word users know
) -> int:
    """Write entries to a text file, a line each, and return how many there were.

    Raises:
        ConfigurationError: There is no such format.
    """
    if format not in ("csv", "jsonl"):
        raise ConfigurationError(f"a journal is exported as csv or jsonl, not as {format!r}")
    rows = csv.writer(file)
    if format == "csv":
        rows.writerow(field.name for field in fields(JournalEntry))
    count = 0
    async for entry in entries:
        values = asdict(entry)
        if format == "csv":
            rows.writerow(harmless(value) for value in values.values())
        else:
            file.write(json.dumps(values) + "\n")
        count += 1
    return count


def harmless(value: str | None) -> str:
    """Keep a spreadsheet from running what a gateway or a caller wrote."""
    if value and _FORMULA.match(value) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value or ""
