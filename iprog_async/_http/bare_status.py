"""Whether an answer says no more than its HTTP status does; pure and safe on hostile data.

Where it says more, and nobody knows what, the status proves nothing: servers send, and then answer
404 or 429 around what became of it. So all that may stand beside a status is listed here, and no
list of what is suspicious has to be complete.
"""

from __future__ import annotations

import html
import re

from iprog_async._core.sealed import MASK
from iprog_async._http.acceptance import (
    ID_OF_TEXT,
    NOT_TAKEN,
    ValueName,
    is_within_bounds,
    names_in,
    says_taken,
    says_unsure,
    speaks_of_sending,
    values_of,
)


# Beside these texts a status may still be judged alone; they prove nothing themselves.
#
# Words that say that something failed, and not what: "fail" and "error" are those of JSend
# (github.com/omniti-labs/jsend), "error" also those of IPROG and Ultimate SMS (LOG), "Failed" that
# of EgoSMS (DOC). The other two say no more than they do.
_SAYS_NOTHING = frozenset(("error", "fail", "failed", "failure", "false"))
# The reason phrases of RFC 9110, section 15; 413 had another in RFC 7231, and again in RFC 2616.
# With these a framework answers where it finds no such route or method, before any code of the
# gateway runs (SRC): Rails `{"status": 404, "error": "Not Found"}` (ActionDispatch's
# PublicExceptions), Starlette and FastAPI `{"detail": "Not Found"}` (HTTPException).
_REASON_PHRASES = {
    301: ("moved permanently",),
    307: ("temporary redirect",),
    308: ("permanent redirect",),
    404: ("not found",),
    405: ("method not allowed",),
    413: ("content too large", "payload too large", "request entity too large"),
}
_LIMITED = 429
# What a limit on requests is told with, and what else may be in such a sentence: made of nothing
# but these words, none says that anything was taken.
_OF_LIMITS = names_in(
    "again busy exceeded exceeding frequency frequently limit limited limiting limits many quota "
    "rate retry slow throttle throttled throttling wait"
)
_WITH_LIMITS = _OF_LIMITS | names_in(
    "a account after allowed an and api are at attempt attempts available back been by call calls "
    "client code concurrent day days down due error expected few fast for from has have hit hour "
    "hours http i in ip is it key later made max maximum minute minutes moment more ms number of "
    "off on only or over per please reached request requests s sec second seconds so soon "
    "status than that the then there this time times to too try until user was were window "
    "within you your ve you've"
)
_OF_WAITS = names_in(
    "after allowed interval limit max maximum remaining reset retry seconds ttl wait window"
)
_LONGEST_NUMBER = 6
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def data_says_no_more(data: object, status: int) -> bool:
    """Return whether each value of parsed JSON is empty, or one of the status's own.

    Args:
        data: The parsed JSON.
        status: The HTTP status that it came with.
    """
    for count, (name, value, depth) in enumerate(values_of(data)):
        if not is_within_bounds(count, depth) or not _is_own(name, value, status):
            return False
    return True


def _is_own(name: ValueName, value: object, status: int) -> bool:
    if isinstance(value, str):
        return _is_own_text(name, value.strip(), status)
    if value is True:
        return not NOT_TAKEN.isdisjoint(name.parts)
    if isinstance(value, (int, float)):
        return value in (0, status) or (status == _LIMITED and _is_wait(name))
    # What an object or an array holds is looked at by itself.
    return True


def _is_wait(name: ValueName) -> bool:
    return not _OF_WAITS.isdisjoint(name.parts)


def _is_own_text(name: ValueName, text: str, status: int) -> bool:
    if MASK in text:
        # It may have been a word of state, which is somebody's password, too.
        return False
    plain = text.lower().rstrip(".!")
    if not any(map(str.isalnum, plain)) or plain in (str(status), "0"):
        return True
    if plain in _SAYS_NOTHING or plain in _REASON_PHRASES.get(status, ()):
        return True
    if status != _LIMITED:
        return False
    return _tells_of_a_limit(text) or (_is_wait(name) and _is_short_number(plain))


def _tells_of_a_limit(text: str) -> bool:
    words = _WORD.findall(_CAMEL.sub(" ", text).replace("\u2019", "'").lower())
    return not _OF_LIMITS.isdisjoint(words) and all(
        word in _WITH_LIMITS or _is_short_number(word) for word in words
    )


def _is_short_number(word: str) -> bool:
    return word.isdecimal() and len(word) <= _LONGEST_NUMBER


# How a page, or plain text, says which status it was made for.
_NAMES = {
    301: re.compile(r"\b301\b|\bmoved\b|\bredirect", re.IGNORECASE),
    307: re.compile(r"\b307\b|\bredirect", re.IGNORECASE),
    308: re.compile(r"\b308\b|\bredirect", re.IGNORECASE),
    404: re.compile(r"\b404\b|\bnot found\b|\bcannot (get|post|put|patch|delete) /", re.IGNORECASE),
    405: re.compile(r"\b405\b|\bnot allowed\b", re.IGNORECASE),
    413: re.compile(r"\b413\b|\btoo large\b", re.IGNORECASE),
    429: re.compile(r"\b429\b|\btoo many\b|\brate.?limit|\bthrottl", re.IGNORECASE),
}
# In what a page shows, but for the ids that each answer has.
_ID_SHOWN = re.compile(
    r"(?<!request )(?<!ray )(?<!trace )(?<!error )\b(u?u?id|sid|mid|ref(erence)?)s?\s*[:=#]?\s*"
    r"(?=[\w-]*\d)",
    re.IGNORECASE,
)
# "OK: 8812", "ID: 8812", "8d1f2c30"
_PLAIN_SIGN = re.compile(
    r"(completed?|created|done|ok|okay|processed|success(ful(ly)?)?|true)\b"
    r"|(u?u?id|sid|ref(erence)?)s?\s*[:=]|(?=\D*\d)\S+$",
    re.IGNORECASE,
)
# PHP and others write these in front of an answer, and into it.
_DIAGNOSTIC = re.compile(r"\bon line \d|\bstack trace\b|\btraceback\b", re.IGNORECASE)
_PAGE = re.compile(
    r"(<\?xml[^<>]*>\s*(?=<!doctype html))?"
    r"<(!doctype html|html|head|body|title|h[1-6]|p|center|div|pre|a)\b",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"<(/?)(?:style|script)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_BLANKS = "\ufeff \t\r\n"


def text_may_say_taken(text: str) -> bool:
    """Return whether a body that is no JSON says, or may say, that something was taken.

    What looks like JSON or XML and can't be read says whatever it says. A page may have ids of its
    own, so that only those of a text count there; in plain words each does, and so does a status
    word in front or a single word with a digit in it.
    """
    text = text.strip(_BLANKS)
    if not text.startswith("<"):
        taken = _is_structured(text) or _PLAIN_SIGN.match(text) is not None or says_taken(text)
    elif _PAGE.match(text) is None or _is_structured(page := _without_asides(text)):
        taken = True
    else:
        # In what does not show, too, but for names of styles such as "ok".
        taken = speaks_of_sending(text) or says_taken(_TAG.sub(" ", page))
    return taken or ID_OF_TEXT.search(text) is not None


def text_says_no_more(text: str, status: int) -> bool:
    """Return whether a body that is no JSON is what a server writes for a status, and no more.

    Words have to name the status, and no doubt may be in them; a page may be empty.

    Args:
        text: The whole body.
        status: The HTTP status that it came with.
    """
    text = text.strip(_BLANKS)
    names = _NAMES.get(status)
    if names is None or text_may_say_taken(text):
        return False
    if not text.startswith("<"):
        named = names.search(text) is not None
        return named and not _is_doubtful(text) and not _has_number(text, status)
    page = _without_asides(text)
    # A word may have tags within it, and two words nothing but tags between them.
    shown = [html.unescape(_TAG.sub(between, page)).strip() for between in (" ", "")]
    return (not any(shown) or any(map(names.search, shown))) and not any(
        _is_doubtful(each) or says_taken(each) or _ID_SHOWN.search(each) is not None
        for each in shown
    )


def _is_structured(text: str) -> bool:
    return "{" in text or "[" in text


def _is_doubtful(text: str) -> bool:
    return says_unsure(text) or _DIAGNOSTIC.search(text) is not None


def _has_number(text: str, status: int) -> bool:
    """Return whether plain words hold a number that may be an id: no status, path or version."""
    return any(
        any(map(str.isdecimal, word)) and word.strip(".,:;()!") != str(status)
        for word in text.split()
        if "/" not in word
    )


def _without_asides(page: str) -> str:
    """Return a page without its style sheets and its scripts, which are written before any answer.

    One that is not closed stays: it may be anything.
    """
    pieces = _ASIDE.split(page)
    kept, opened = [pieces[0]], ""
    for closing, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        if closing:
            opened = ""
            kept.append(piece)
        else:
            opened += piece
    return " ".join((*kept, opened))
