"""Entries as lines of a text file, which people may write as well.

`+639171234567  # 2026-11-29T07:40:00+00:00 STOP` is an entry; what a person writes may lack what
follows the number, or have other words there. A number that was taken off stays as a comment:
`# removed +639171234567  # 2026-12-01T09:00:00+00:00 START  # 2026-11-29T07:40:00+00:00 STOP`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from iprog_async._core.errors import SmsError, SuppressionsError
from iprog_async._suppressions.entries import Suppression, SuppressionChange


_REMOVED = "# removed "
_SEPARATOR = "  # "


def entry_line(entry: Suppression) -> str:
    """Return an entry as a line, without its end."""
    comment = _comment(entry.since, entry.why)
    return f"{entry.number}{_SEPARATOR}{comment}" if comment else entry.number


def removed_line(change: SuppressionChange, entry: Suppression) -> str:
    """Return what is left of an entry that was taken off."""
    parts = (change.number, _comment(change.at, change.why), _comment(entry.since, entry.why))
    return _REMOVED + _SEPARATOR.join(part for part in parts if part)


def read_entry(line: str, read_number: Callable[[str], str]) -> Suppression | None:
    """Read a line; `None` for one without an entry.

    Args:
        line: The line.
        read_number: Makes E.164 of a number.

    Raises:
        SmsError: What stands there is no phone number.
    """
    written, _, comment = line.partition("#")
    number = written.strip()
    if not number:
        return None
    since, why = _read_comment(comment.strip())
    return Suppression(read_number(number), since, why)


def read_removed(line: str) -> tuple[SuppressionChange, SuppressionChange] | None:
    """Read what is left of an entry: how it came on the list, and how it went; else `None`."""
    if not line.startswith(_REMOVED):
        return None
    number, _, rest = line.removeprefix(_REMOVED).strip().partition(_SEPARATOR)
    off, _, on = rest.partition(_SEPARATOR)
    return (
        SuppressionChange(number, "added", *_read_comment(on)),
        SuppressionChange(number, "removed", *_read_comment(off)),
    )


def unreadable(place: str, line: str, cause: SmsError) -> SuppressionsError:
    """Return what to raise for a line that is no number: whoever it stands for would be texted."""
    return SuppressionsError(
        f"{place} is no phone number ({cause}): {line.strip()[:80]!r}. Fix it or take it out: as "
        "it is, whoever it stands for would be texted. Nothing was sent"
    )


def _comment(when: datetime | None, why: str) -> str:
    return " ".join(part for part in (when and when.isoformat(), why) if part)


def _read_comment(comment: str) -> tuple[datetime | None, str]:
    first, _, rest = comment.partition(" ")
    try:
        when = datetime.fromisoformat(first)
    except ValueError:
        return None, comment
    # What a person wrote as a date alone is a word of theirs.
    return (None, comment) if when.tzinfo is None else (when, rest)
