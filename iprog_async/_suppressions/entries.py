"""What a list of suppressed numbers holds, and what has become of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from attrs import field, frozen

from iprog_async._core.redaction import one_line


_LONGEST_WHY = 200


def _one_line(why: str) -> str:
    # In a file it stands behind its number, on the same line.
    return " ".join(one_line(why, _LONGEST_WHY).split())


@frozen
class Suppression:
    """A number that must not be texted.

    Args:
        number: The number, as E.164.
        since: Since when it is on the list; `None` where a person wrote it down without a time.
        why: Why, in words: a text that was received, or whatever was given.
    """

    number: str
    since: datetime | None = None
    why: str = field(default="", converter=_one_line)


@frozen
class SuppressionChange:
    """A number that was put on the list, or taken off it.

    Args:
        number: The number, as E.164.
        change: Which of the two.
        at: When, where that is known.
        why: Why, in words.
    """

    number: str
    change: Literal["added", "removed"]
    at: datetime | None = None
    why: str = field(default="", converter=_one_line)
