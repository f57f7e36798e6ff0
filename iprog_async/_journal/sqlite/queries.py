"""What is asked of a journal's tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from iprog_async._journal.contents import RowCounts
from iprog_async._journal.pseudonyms import Pseudonyms, recalled
from iprog_async._journal.rows import Row, to_damaged_row, to_row
from iprog_async._journal.sqlite.schema import OF_SINGLES, SEEN


T = TypeVar("T")

_PAGE = 1000
_IDENTITIES_PER_QUERY = 400


def count_rows(connection: sqlite3.Connection, damaged: frozenset[int] = frozenset()) -> RowCounts:
    """Return how many rows there are; those that are damaged are unknown."""
    but = f"WHERE id NOT IN ({_listed(damaged)})" if damaged else ""
    query = f"SELECT state, status, count(*) FROM entries {but} GROUP BY state, status"  # noqa: S608 - numbers only
    counts: dict[tuple[str, str | None], int] = {
        (state, status): count for state, status, count in connection.execute(query)
    }
    if damaged:
        counts["unknown", None] = counts.get(("unknown", None), 0) + len(damaged)
    return counts


def read_page(
    connection: sqlite3.Connection,
    after: int,
    states: Sequence[str],
    damaged: frozenset[int] = frozenset(),
) -> list[Row]:
    """Return the next rows of some states, or of all; those that are damaged are unknown."""
    where = f"AND {_of_states(states, damaged)}" if states else ""
    query = f"SELECT {SEEN} FROM entries WHERE id > ? {where} ORDER BY id LIMIT ?"  # noqa: S608 - names, numbers and marks only
    return [
        to_damaged_row(values) if values[0] in damaged else read_row(values)
        for values in connection.execute(query, (after, *states, _PAGE))
    ]


def _of_states(states: Sequence[str], damaged: frozenset[int]) -> str:
    condition = f"state IN ({marks(states)})"
    if not damaged:
        return condition
    link = "OR" if "unknown" in states else "AND NOT"
    return f"({condition} {link} id IN ({_listed(damaged)}))"


def read_row(values: Sequence[Any]) -> Row:
    """Return a row that was selected as `SEEN`: it knows whether it is still the one on record."""
    row = to_row(values[:-1])
    row.on_record = (values[-2], values[-1])
    return row


def read_rows_of(connection: sqlite3.Connection, number: str) -> list[Row]:
    """Return all rows of a number, in order."""
    query = f"SELECT {SEEN} FROM entries WHERE number = ? ORDER BY id"  # noqa: S608 - constants
    return [read_row(values) for values in connection.execute(query, (number,))]


def by_id(rows: int) -> str:
    """Return the query for so many rows by their numbers, as SQL."""
    return f"SELECT {SEEN} FROM entries WHERE id IN ({marks(range(rows))})"  # noqa: S608 - marks only


def _listed(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))


def marks(values: Iterable[object]) -> str:
    """Return a question mark for each value, as SQL."""
    return ",".join("?" for _ in values)


def by_number(indexed: int, below: int, *, every: bool) -> Callable[[int], str]:
    """Return the query for so many numbers: by the index, and through the few rows after it.

    Of one number there may be many rows with keys, so they are read only if `every` row counts.
    """

    def query(numbers: int) -> str:
        some = f"number IN ({marks(range(numbers))})" + ("" if every else " AND key IS NULL")
        return f"""
        SELECT {SEEN} FROM entries WHERE id < {indexed} AND {some}
        UNION ALL SELECT {SEEN} FROM entries
        WHERE id >= {indexed} AND id < {below} AND {some}
        """  # noqa: S608 - numbers and marks only

    return query


def _of_singles(numbers: int) -> str:
    return f"SELECT {SEEN} FROM entries WHERE {OF_SINGLES} AND number IN ({marks(range(numbers))})"  # noqa: S608 - names and marks only


def rows_of_singles(
    connection: sqlite3.Connection, numbers: Sequence[str], pseudonyms: Pseudonyms
) -> Iterator[Row]:
    """Yield what single sends have sent numbers, whenever that was, by the index of a run."""
    return _by_number(connection, numbers, _of_singles, pseudonyms)


def by_key(pairs: int) -> str:
    """Return the query for the rows of so many keys and numbers, as SQL."""
    columns = ", ".join(f"e.{column}" for column in SEEN.split(", "))
    wanted = ", ".join(["(?, ?)"] * pairs)
    return f"""
    SELECT {columns} FROM (VALUES {wanted}) AS wanted CROSS JOIN entries AS e
    WHERE e.key IS NOT NULL AND e.key = wanted.column1 AND e.number = wanted.column2
    """  # noqa: S608 - marks only


def rows_by_key(
    connection: sqlite3.Connection, wanted: Sequence[tuple[str, str]], pseudonyms: Pseudonyms
) -> Iterator[Row]:
    """Yield the rows of keys and numbers; of those that were forgotten after all others."""
    yield from map(read_row, _select(connection, by_key, wanted))
    if has_forgotten(connection):
        hidden = {
            (pseudonyms.of_key(number, key), pseudonyms.of_number(number)): (number, key)
            for key, number in wanted
        }
        for row in _sent_first(map(read_row, _select(connection, by_key, list(hidden)))):
            if row.key is not None:
                yield recalled(row, *hidden[row.key, row.number])


def rows_by_number(
    connection: sqlite3.Connection,
    numbers: Sequence[str],
    query: Callable[[int], str],
    pseudonyms: Pseudonyms,
) -> Iterator[Row]:
    """Yield the rows of numbers; of those that were forgotten after all others.

    Args:
        connection: The database.
        numbers: The numbers.
        query: The query for so many, which takes them twice.
        pseudonyms: By which those are found who were forgotten.
    """
    return _by_number(connection, numbers, query, pseudonyms, times=2)


def _by_number(
    connection: sqlite3.Connection,
    numbers: Sequence[str],
    query: Callable[[int], str],
    pseudonyms: Pseudonyms,
    times: int = 1,
) -> Iterator[Row]:
    for some in parts(numbers):
        yield from map(read_row, connection.execute(query(len(some)), [*some] * times))
    if numbers and has_forgotten(connection):
        hidden = {pseudonyms.of_number(number): number for number in numbers}
        for some in parts(list(hidden)):
            found = connection.execute(query(len(some)), [*some] * times)
            for row in _sent_first(map(read_row, found)):
                yield recalled(row, hidden[row.number], row.key)


def _sent_first(rows: Iterable[Row]) -> list[Row]:
    # One that was unknown may have been sent again since, before both were forgotten.
    return sorted(rows, key=lambda row: row.state != "accepted")


def has_forgotten(connection: sqlite3.Connection) -> bool:
    """Return whether anybody was pruned or forgotten."""
    found = connection.execute("SELECT value FROM meta WHERE name = 'forgotten'").fetchone()
    return bool(found and found[0])


def _select(
    connection: sqlite3.Connection,
    query: Callable[[int], str],
    pairs: Sequence[tuple[str, str]],
) -> Iterator[Sequence[Any]]:
    for some in parts(pairs):
        yield from connection.execute(query(len(some)), [value for pair in some for value in pair])


def parts(values: Sequence[T]) -> Iterable[Sequence[T]]:
    """Return values in as many parts as there have to be queries."""
    for start in range(0, len(values), _IDENTITIES_PER_QUERY):
        yield values[start : start + _IDENTITIES_PER_QUERY]
