"""Settling an unknown outcome by what a person has found out."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Literal, get_args

from attrs import evolve

from iprog_async._core.errors import ConfigurationError, JournalError
from iprog_async._core.receipts import Receipt
from iprog_async._journal.rows import Row, Values, to_row
from iprog_async._journal.store import JournalStore


Settlement = Literal["accepted", "not_sent"]
"""What became of a text."""


async def settle(
    store: JournalStore,
    under_way: Set[tuple[str, str]],
    number: str,
    key: str | None,
    outcome: Settlement,
) -> Row:
    """Settle the unknown text of a number; see `Journal.settle`.

    Args:
        store: The journal; no run of it is going on.
        under_way: Number and key of what this process is sending.
        number: As E.164.
        key: The text's key; `None` takes the only unknown text.
        outcome: What became of it.
    """
    if outcome not in get_args(Settlement):
        raise ConfigurationError(f"a text was 'accepted' or 'not_sent', not {outcome!r}")
    row = _only(number, key, await store.rows_of(number))
    await check_idle(store, under_way, number, [row])
    ended = _as_settled(row, outcome)
    if (error := await store.of_loop().settle([row], [ended])) is not None:
        raise error
    found = await store.rows([row.id])
    if not found or found[0].state != to_row(ended).state:
        raise _refused(number, "was changed by somebody else at this moment: look at it again")
    return found[0]


async def check_idle(
    store: JournalStore, under_way: Set[tuple[str, str]], number: str, rows: Sequence[Row]
) -> None:
    """Raise `JournalError` if a text is on its way, as far as anybody can see."""
    for row in rows:
        if (number, row.key) in under_way or (row.state == "claimed" and await store.is_live(row)):
            raise _refused(
                number,
                "is on its way at this moment: wait until the process that sends it has ended",
            )


def _only(number: str, key: str | None, rows: Sequence[Row]) -> Row:
    """Return the one row that is meant.

    Raises:
        JournalError: There is none, several, or it is not unknown.
    """
    if not rows:
        raise _refused(number, "is not in this journal")
    asked = rows if key is None else [row for row in rows if row.key == key]
    if not asked:
        keys = ", ".join(sorted(repr(row.key) for row in rows if row.key is not None))
        raise _refused(number, f"has no key {key!r} in this journal, but {keys or 'none'}")
    unknown = [row for row in asked if row.unsettled]
    if not unknown:
        states = ", ".join(sorted({row.state.replace("_", " ") for row in asked}))
        raise _refused(number, f"is not unknown, but {states}; only an unknown text is settled")
    if len(unknown) > 1:
        keys = ", ".join("without a key" if row.key is None else repr(row.key) for row in unknown)
        raise _refused(number, f"is unknown {len(unknown)} times: say by the key which ({keys})")
    return unknown[0]


def _as_settled(row: Row, outcome: Settlement) -> Values:
    if outcome == "accepted":
        # Neither its id nor its segments were ever heard of.
        return row.as_accepted(Receipt(row.provider, None, row.number[1:], 0))
    return evolve(row, in_doubt=False, provider="", detail="").as_released()


def _refused(number: str, why: str) -> JournalError:
    error = JournalError(f"the text for {number} {why}. Nothing was changed")
    error.blame = "message"
    return error
