"""Shorthand for rows of a journal and for what surrounds them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from iprog_async import Accepted, DeliveryStatus, Message, NotSent, Receipt, RejectedError, Unknown
from iprog_async._journal.rows import Row, RowState
from iprog_async.adapter import unclear
from support.core.fakes import NUMBER, prepared


OURS, THEIRS = b"hash-of-ours", b"hash-of-another"
RECEIPT = Receipt(
    "iprog", "iSms-1", "639171234567", 2, Decimal("1.50"), DeliveryStatus("sent", "SENT"), True
)


def row(
    state: RowState,
    *,
    key: str | None = None,
    text_hash: bytes = OURS,
    run: int = 1,
    **details: Any,
) -> Row:
    """Return a row about the usual number."""
    return Row(7, NUMBER, key, text_hash, run, state, **details)


def accepted(receipt: Receipt = RECEIPT) -> Accepted:
    """Return an accepted outcome."""
    return Accepted(0, Message(NUMBER, "Hi"), receipt)


def refused(*, text: str = "Hi", reason: str = "refused", **details: Any) -> NotSent:
    """Return a refusal by the gateway."""
    error = RejectedError(reason, provider="iprog", **details)
    return NotSent(0, Message(NUMBER, text), error)


def lost(reason: str = "no answer within 30 s", references: tuple[str, ...] = ()) -> Unknown:
    """Return an unknown outcome."""
    return unclear(prepared(), "iprog", reason, references)


def stored(path: Path) -> list[tuple[Any, ...]]:
    """Return number, key, state and detail of all rows, read from outside."""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT number, key, state, detail FROM entries ORDER BY id"
        return connection.execute(query).fetchall()


def states(path: Path) -> list[str]:
    """Return the states of all rows, read from outside."""
    return [state for _, _, state, _ in stored(path)]
