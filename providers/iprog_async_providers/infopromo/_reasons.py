"""The words of an answer about several texts: stock sentences, and a reason for each bad number.

A server joins them with spaces. They are taken apart sentence by sentence, and prove nothing if
anything is left over: "639171234567 went out before" names a number, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from iprog_async.adapter import Refusal
from iprog_async_providers.infopromo._refusals import ABOUT_ONE


# Said of texts that went at once, too (LOG), and nothing about a number.
STOCK = re.compile(
    r"message is scheduled successfully\.?|your message was successfully delivered\.?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+", re.ASCII)
# Longer words are nobody's list of reasons.
_MOST = 1_000


def rows_about_one(extra: Sequence[Refusal]) -> tuple[Refusal, ...]:
    """Return the rows about one number: those of the stock texts, and the user's."""
    return (*(row for row in extra if row.blame == "recipient"), *ABOUT_ONE)


def reasons_in(message: str, extra: Sequence[Refusal] = ()) -> list[str] | None:
    """Return the reasons that words consist of, without stock sentences.

    Args:
        message: The words.
        extra: The user's own rows, for installations in another language.

    Returns:
        Each reason by itself; `None` if there is anything else in the words.
    """
    patterns = [STOCK, *(row.text for row in rows_about_one(extra) if row.text is not None)]
    reasons: list[str] = []
    rest = message.strip()
    for _ in range(_MOST):
        if not rest:
            return reasons
        found = [match for pattern in patterns if (match := _sentence(pattern, rest))]
        if not found:
            return None
        longest = max(found, key=lambda match: match.end())
        if longest.re is not STOCK:
            reasons.append(longest[0].strip())
        rest = rest[longest.end() :].lstrip()
    return None


def _sentence(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """Return how far a pattern goes, if it ends where a word does."""
    found = pattern.match(text)
    if found is None or not found[0].strip():
        return None
    # A pattern may take the blank behind its sentence with it.
    around = text[found.end() - 1 : found.end() + 1]
    return found if found.end() == len(text) or any(map(str.isspace, around)) else None


def numbers_in(text: str) -> frozenset[str]:
    """Return the numbers that a text names, written in one piece."""
    return frozenset(_NUMBER.findall(text))
