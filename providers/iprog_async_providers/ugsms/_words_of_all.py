"""What words beside UGSMS's lists say of all messages, and whether the lists say the same."""

from __future__ import annotations

import re

from attrs import frozen


# That it is done, or failed for some, is said of the request; the lists say what was done. A count
# may be in it, and of what is done with a text there is no word.
_SAID_OF_ALL = re.compile(
    r"(?:(?>(?:\d{1,3}|all|and|are|be|been|bulk|complete|completed|could|done|errors?|fail(?:ed|ures?)?"
    r"|for|has|have|in|is|messages?|no|none|not|numbers?|of|ok|okay|operation|partly|processed"
    r"|recipients?|requests?|sms|some|succeeded|success|successful|successfully|texts?|the|to"
    r"|unsuccessful|validation|was|were|with)(?![^\W_]))[ ,.!/()_-]*+){1,60}+",
    re.IGNORECASE | re.ASCII,
)
_CLAUSE_ENDS = re.compile(r"[,.!/()]| -+ |\band\b")
_WORD = re.compile(r"[a-z]+|\d+")
# Two counts, each with what it is of behind it: "1 successful 2 failed".
_COUNTED_TWICE = re.compile(
    r"(\b\d+ (?:(?:messages?|of|sms|texts?|the|were|\d+) ){0,5}"
    r"(?:done|errors?|fail(?:ed|ures?)?|ok|succeeded|(?:un)?success(?:ful(?:ly)?)?)) (?=\d)"
)
_COUNTED_OF = re.compile(r"\bof(?: the| all)* (\d+)")

_SUCCEEDED = frozenset({"succeeded", "success", "successful", "successfully"})
_AT_ITS_END = frozenset({"complete", "completed", "done", "ok", "okay"})
_DONE = _AT_ITS_END | {"processed"}
_FAILED = frozenset({"error", "errors", "fail", "failed", "failure", "failures", "unsuccessful"})
# Whoever says so of some knows of others.
_OF_SOME = frozenset({"partly", "some"})
_NOBODY = frozenset({"no", "none"})
_OF_EACH = frozenset({"all", "messages", "recipients"})
_TOLD = frozenset({"are", "been", "has", "have", "in", "is", "was", "were"})


@frozen
class Counts:
    """How many messages lists have as taken, as refused, and how many there are."""

    taken: int
    refused: int
    all: int


def agrees(said: str, counts: Counts) -> bool:
    """Return whether words speak of all messages alone, and say no more than the lists."""
    if _SAID_OF_ALL.fullmatch(said) is None:
        return False
    plain = _COUNTED_TWICE.sub(r"\1, ", " ".join(said.lower().replace("_", " ").split()))
    clauses = (clause.replace("-", " ") for clause in _CLAUSE_ENDS.split(plain))
    return all(_is_so(clause, counts) for clause in clauses)


def _is_so(clause: str, counts: Counts) -> bool:
    """Return whether one clause says what the lists do."""
    if any(int(total) != counts.all for total in _COUNTED_OF.findall(clause)):
        return False
    told = _WORD.findall(_COUNTED_OF.sub(" ", clause))
    words, numbers = frozenset(told), {int(word) for word in told if word.isdigit()}
    nobody = bool(words & _NOBODY) or 0 in numbers
    if words & _FAILED:
        return _is_so_of_failed(words, numbers, counts, nobody=nobody)
    if "not" in words:
        # As many were not, or not all of them: some were.
        known = bool(words & (_SUCCEEDED | _DONE)) and not nobody
        return known and numbers <= {counts.refused} and ("all" not in words or counts.taken > 0)
    if nobody:
        return counts.taken == 0 and numbers <= {0}
    if counts.taken == 0 and _tells_of_some(words, numbers):
        return False
    if words & (_SUCCEEDED | _OF_SOME) or (words & _AT_ITS_END and "operation" not in words):
        everybody = "all" in words and words & _SUCCEEDED
        return counts.taken > 0 and numbers <= {counts.taken} and not (everybody and counts.refused)
    return numbers <= {counts.taken, counts.all}


def _tells_of_some(words: frozenset[str], numbers: set[int]) -> bool:
    """Return whether something is said of messages, and not of the operation as a whole."""
    if words & _AT_ITS_END:
        return bool(numbers) or "all" in words
    is_told = bool(words & _TOLD) and "processed" not in words
    return is_told and (bool(numbers) or bool(words & _OF_EACH))


def _is_so_of_failed(
    words: frozenset[str], numbers: set[int], counts: Counts, *, nobody: bool
) -> bool:
    if "not" in words:
        return False
    if words & _SUCCEEDED:
        # Which of both a number is of, or a "no", can't be told.
        return not (numbers or nobody or "all" in words) and counts.taken > 0
    if nobody:
        return counts.refused == 0 and numbers <= {0}
    # All of them may be done, with failures.
    everybody = "all" in words and "with" not in words
    fits = counts.taken > 0 if words & _OF_SOME else not (everybody and counts.taken)
    return fits and numbers <= {counts.refused}
