"""Which column of a file somebody meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches


Holds = Callable[[str], bool]
"""Whether a cell holds what a column is needed for."""

_NUMBER = re.compile(r"[+(]?\d[\d ().-]{5,20}", re.ASCII)
# What people call the column of the numbers.
_PHONE_WORDS = ("phone", "mobile", "cell", "number", "msisdn", "contact", "tel", "recipient")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d\d\.\d\d\.\d{4}", re.ASCII)


def looks_like_number(cell: str) -> bool:
    """Return whether a cell looks like a phone number."""
    return bool(_NUMBER.fullmatch(cell)) and not _DATE.match(cell)


def columns_called(name: str, columns: Sequence[str]) -> list[str]:
    """Return the columns of a name: as it is written, or else but for capitals and outer blanks."""
    exactly = [column for column in columns if column == name]
    wanted = name.strip().casefold()
    if exactly or not wanted:
        return exactly
    return [column for column in columns if column.strip().casefold() == wanted]


def meant_column(
    name: str, columns: Sequence[str], sample: Sequence[Mapping[str, str]], holds: Holds | None
) -> str:
    """Return the column that somebody meant by a name; empty if there is none like it.

    Args:
        name: What they wrote.
        columns: The columns there are.
        sample: The cells of some rows, by column.
        holds: What its cells have to be like, where it is the column of the phone numbers.
    """
    near = _near(name, columns)
    if holds is None:
        return near[0] if near else ""
    near = near or [column for column in columns if _is_called_phone(column)]
    fitting = [column for column in columns if _fits(column, sample, holds)]
    both = [column for column in near if column in fitting]
    if not both and len(fitting) == 1:
        return fitting[0]
    return next(iter(both or near), "")


def _near(name: str, columns: Sequence[str]) -> list[str]:
    folded = {column.casefold(): column for column in columns if columns.count(column) == 1}
    wanted = name.casefold()
    near = [one for one in folded if wanted == one]
    near += [one for one in folded if wanted in one] if wanted else []
    near += get_close_matches(wanted, folded, 1)
    return [folded[one] for one in near]


def _is_called_phone(column: str) -> bool:
    return any(word in column.casefold() for word in _PHONE_WORDS)


def _fits(column: str, sample: Sequence[Mapping[str, str]], holds: Holds) -> bool:
    """Return whether most cells of a column hold what is needed."""
    cells = [cell.strip() for row in sample if (cell := row.get(column, "")).strip()]
    return sum(map(holds, cells)) * 2 > len(cells)
