"""Dates with the name of a month, such as 1 Dec 2027."""

from __future__ import annotations

import re


# Not the locale's names: a script means the same on every machine.
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august"),
    *("september", "october", "november", "december"),
)
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_MONTH = r"([a-z]{3,9})\.?"
_END = r",? (\d{4})(?:,(?: at)?|(?: at)?)(?= |$)"
_DAY_FIRST = re.compile(rf"{_DAY} {_MONTH}{_END}", re.ASCII | re.IGNORECASE)
_MONTH_FIRST = re.compile(rf"{_MONTH} {_DAY}{_END}", re.ASCII | re.IGNORECASE)


def with_iso_date(words: str) -> str:
    """Return words with the date that they begin with as `2027-12-01`; others as they are."""
    if match := _DAY_FIRST.match(words):
        day, name, year = match.groups()
    elif match := _MONTH_FIRST.match(words):
        name, day, year = match.groups()
    else:
        return words
    month = next((at for at, full in enumerate(_MONTHS, 1) if full.startswith(name.lower())), None)
    if month is None:
        return words
    return f"{year}-{month:02}-{int(day):02}{words[match.end() :]}"
