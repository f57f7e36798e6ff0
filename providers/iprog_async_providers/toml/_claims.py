"""Words that say of themselves that a text was taken; pure."""

from __future__ import annotations

import re


_TAKEN = (
    "accepted|acknowledged|buffered|completed?|created|delivered|dispatched|en ?route|forwarded"
    "|in queue|on (?:its|the) way|processed|queued|relayed|submitted|succeeded|sent"
    "|success(?:ful(?:ly)?)?|transmitted"
)
_UNDER_WAY = "pending|processing|scheduled|sending"
_IS = r"(?:\s+(?:already|are|be|been|being|has|have|is|now|successfully|was|were))*\s+"
# "Message sent", "2 texts have been queued"; and not "no message was sent".
_OF_A_TEXT = (
    rf"(?<!no )(?<!of )\b(?:message|msg|request|sms|text)(?:es|s)?{_IS}(?:{_TAKEN}|{_UNDER_WAY})\b"
)
# "Queued", "Accepted for delivery"; and not "Accepted numbers are those of Uganda".
_IN_FRONT = (
    rf"^\W*(?:{_TAKEN}|done|okay|ok)"
    r"(?=\W*$|[,;:.!]|\s+(?:and|at|but|by|for|successfully|to|with)\b)"
)
_UNDER_WAY_ALONE = rf"^\W*(?:{_UNDER_WAY})\W*$"
_CLAIM = re.compile(f"{_OF_A_TEXT}|{_IN_FRONT}|{_UNDER_WAY_ALONE}", re.IGNORECASE)
_GOOD = re.compile(rf"\b(?:{_TAKEN}|{_UNDER_WAY}|done|okay|ok|thanks?)\b", re.IGNORECASE)
_DENIAL = re.compile(
    r"\b(?:cannot|denied|error|fail\w*|insufficient|invalid|never|no|not|out of|refused|rejected"
    r"|timed? ?out|unable|unknown|unsuccess\w*)\b|n['’]t\b",  # noqa: RUF001 - an apostrophe that gateways write
    re.IGNORECASE,
)
_NOTHING = frozenset(("null", "none", "nil", "undefined", "false", "n/a", "nan"))


def claims_acceptance(text: str) -> bool:
    """Return whether words say that a text was taken: "Message sent", "Queued"."""
    return _CLAIM.search(text) is not None


def may_be_an_error(text: str) -> bool:
    """Return whether words beside a success may say that there is none.

    A code without letters may be that of a success; and so may words that speak of nothing but one.
    """
    if not any(map(str.isalpha, text)) or text.lower() in _NOTHING:
        return False
    return _DENIAL.search(text) is not None or _GOOD.search(text) is None
