"""Numbers of claims: each one is some process's own, so that no other takes it for its own."""

from __future__ import annotations

from itertools import count
from secrets import randbelow

from iprog_async._journal.rows import Row


_COUNTER_BITS = 32


def attempt_of(row: Row) -> int:
    """Return the number of the claim that a row has, or had last; 0 of a new one."""
    return row.on_record[0] if row.on_record else 0


def note_attempt(row: Row, attempt: int) -> None:
    """Note which claim a row has, so that it is seen if somebody else's comes after it."""
    row.on_record = (attempt,)


class Attempts:
    """Gives numbers to the claims of one open journal; no other's are the same."""

    def __init__(self) -> None:
        self.process = 1 + randbelow((1 << 31) - 1)
        """Names this journal among all that are open, as a number of 31 bits."""
        self._numbers = count((self.process << _COUNTER_BITS) + 1)

    def new(self) -> int:
        """Return the number of a new claim."""
        return next(self._numbers)

    def is_ours(self, attempt: int) -> bool:
        """Return whether a claim is one of this journal."""
        return attempt >> _COUNTER_BITS == self.process
