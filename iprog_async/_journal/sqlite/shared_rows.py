"""Writing rows that other processes may be at, too: those of messages with keys.

One rule serves claims, releases and outcomes: a row is written only if what is on record of it is
what its writer has last seen there, or written. So of several that claim a message one wins, and
whoever was stopped for a while overwrites nothing that somebody else was told to send again.

Rows without a key are of the one bulk run that has the file, and need none of this: a claim of them
only has to know what single sends have sent their numbers. Where they travel with others, the
claim is one, and they are written as all such rows are: in the order in which they were handed in.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from attrs import define

from iprog_async._journal.pseudonyms import Pseudonyms, is_recalled
from iprog_async._journal.resume_rules import ResumeRules
from iprog_async._journal.rows import Row, Values
from iprog_async._journal.sqlite.queries import read_row, rows_by_key, rows_of_singles
from iprog_async._journal.store import ClaimLostError


_Key = tuple[str | None, str]


@define(eq=False)
class SharedWork:
    """Rows to write, each if nobody else has changed it.

    Args:
        rows: The rows, as they were looked up or made.
        columns: What each gets.
        rules: Of a claim, by which what others have sent is no conflict with it; all of its rows
            are written or none.
        found: Of a claim, what is on record of the first row that is another's.
        marks: Of a claim, what its rows say of themselves, as long as nothing was written of them
            since; of what takes it back, the same: a claim that came after it stays.
    """

    rows: Sequence[Row]
    columns: Sequence[Values]
    rules: ResumeRules | None = None
    found: Row | None = None
    marks: Sequence[Any] = ()

    @property
    def without_keys(self) -> Sequence[Values]:
        """What the rows without a key get: whoever hands this in has it written with such rows."""
        columns = zip(self.rows, self.columns, strict=True)
        return [values for row, values in columns if row.key is None]

    def other(self) -> Row | None:
        """Return what is on record instead; `None` if the rows are written."""
        return self.found

    def problem(self) -> ClaimLostError | None:
        """Return why the rows are not written; `None` if they are."""
        return None if self.found is None else ClaimLostError(self.found.number, self.found.key)


def release_of(claims: Sequence[SharedWork]) -> SharedWork:
    """Return what takes back claims, as far as nothing was written of their rows since.

    Of rows with keys: those without one are the run's, which gives them back by itself.
    """
    claimed = [
        (row, mark)
        for claim in claims
        for row, mark in zip(claim.rows, claim.marks, strict=True)
        if row.key is not None
    ]
    rows = [row for row, _ in claimed]
    return SharedWork(
        rows, [row.as_released() for row in rows], marks=[mark for _, mark in claimed]
    )


class SharedRows:
    """The rows of one transaction.

    Args:
        connection: The database, in a transaction.
        attempt: What marks the claims of this opening of the file.
        works: What is to be done, in order.
        pseudonyms: By which those are found who were forgotten.
        asked: Whose numbers may have been sent something since the run began; nobody's where
            nobody else has written to the file.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        attempt: int,
        works: Sequence[SharedWork],
        pseudonyms: Pseudonyms,
        asked: Iterable[str] = (),
    ) -> None:
        self._attempt = attempt
        self._known = _look_up(connection, works, pseudonyms)
        self._singles: dict[str, dict[int, Row]] = {number: {} for number in asked}
        for row in rows_of_singles(connection, list(self._singles), pseudonyms):
            self._singles[row.number][row.id] = row
        self._written: dict[int, Values] = {}
        self._seen: list[tuple[Row, Any]] = []
        for work in works:
            self._do(work)

    @property
    def written(self) -> Sequence[Values]:
        """What has to be written of the rows with keys."""
        return list(self._written.values())

    def forget(self) -> None:
        """Take back what the rows say of themselves: the transaction came to nothing."""
        for row, before in reversed(self._seen):
            row.on_record = before

    def _do(self, work: SharedWork) -> None:
        if work.rules is not None:
            work.found = self.taken(work.rows, work.rules)
            if work.found is not None:
                return
        elif work.marks:
            work = _left_of(work)
        for row, columns in zip(work.rows, work.columns, strict=True):
            if work.rules is not None or self._is_ours(row):
                self._write(row, columns)
        if work.rules is not None:
            work.marks = [row.on_record for row in work.rows]

    def taken(self, rows: Sequence[Row], rules: ResumeRules) -> Row | None:
        """Return what is on record of the first row of a claim that somebody else has.

        Args:
            rows: The rows.
            rules: By which what others have sent is no conflict with them.
        """
        for row in rows:
            if not self._is_ours(row):
                return self._known.get((row.key, row.number), row)
            if row.key is None and (others := self._singles.get(row.number)):
                _, conflict = rules.decide([*others.values()], None, row.text_hash, row.run)
                if conflict is not None:
                    return conflict
        return None

    def _is_ours(self, row: Row) -> bool:
        if row.key is None:
            return True
        found = self._known.get((row.key, row.number))
        if found is None:
            return row.on_record is None
        if is_recalled(found):
            # Sent again although it is in doubt, as somebody has asked for; not if another did.
            return row.in_doubt and found.unsettled
        return found.id == row.id and found.on_record == row.on_record

    def _write(self, row: Row, columns: Values) -> None:
        self._seen.append((row, row.on_record))
        row.on_record = (columns[-1], self._attempt)
        if row.key is None:
            return
        self._written[row.id] = columns
        written = read_row((*columns, self._attempt))
        self._known[row.key, row.number] = written
        if row.run == 0 and row.number in self._singles:
            self._singles[row.number][row.id] = written


def _left_of(work: SharedWork) -> SharedWork:
    """Return what takes back a claim, without the rows of which something was written since."""
    left = [
        (row, columns)
        for row, columns, mark in zip(work.rows, work.columns, work.marks, strict=True)
        # Equal ones are no proof: claimed once more, a row says the same of itself.
        if row.on_record is mark
    ]
    return SharedWork([row for row, _ in left], [columns for _, columns in left])


def _look_up(
    connection: sqlite3.Connection, works: Iterable[SharedWork], pseudonyms: Pseudonyms
) -> dict[_Key, Row]:
    wanted = {(row.key, row.number) for work in works for row in work.rows if row.key is not None}
    known: dict[_Key, Row] = {}
    for row in rows_by_key(connection, list(wanted), pseudonyms):
        known.setdefault((row.key, row.number), row)
    return known
