"""Whether an answer says no more than its HTTP status does; pure and safe on hostile data.

Where it says more, and nobody knows what, the status proves nothing: servers send, and then answer
404 or 429 around what became of it. So all that may stand beside a status is listed (`stock/`),
phrase by phrase and name by name, and no list of what is suspicious has to be complete.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from iprog_async._core.json_types import is_array, is_object
from iprog_async._core.sealed import MASK
from iprog_async._http.acceptance import (
    ID_OF_TEXT,
    ValueName,
    is_within_bounds,
    says_taken,
    says_unsure,
    speaks_of_sending,
    values_of,
)
from iprog_async._http.stock.addresses import addresses_in, leads_to_one, without_queries
from iprog_async._http.stock.attributes import told_beside
from iprog_async._http.stock.fields import (
    LIMITED,
    holds_words,
    is_of_status,
    is_own_number,
    is_own_status,
    is_packed,
    names_phrase,
    names_status,
)
from iprog_async._http.stock.limits import LIMITS
from iprog_async._http.stock.pages import PAGES, PAGES_OF_LIMITS
from iprog_async._http.stock.phrases import has_symbol, words_beside


# Beside these texts a status may still be judged alone; they prove nothing themselves.
#
# Words that say that something failed, and not what: "fail" and "error" are those of JSend
# (github.com/omniti-labs/jsend), "error" also those of IPROG and Ultimate SMS (LOG), "Failed" that
# of EgoSMS (DOC).
_SAYS_NOTHING = frozenset(("error", "fail", "failed", "failure"))
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
    LIMITED: ("too many requests", "429 too many requests", "http 429: too many requests"),
}
_NOBODY = ValueName()
_LONGEST_NUMBER = 6
_LONGEST_SENTENCE = 500
# "TooManyRequests", "rate_limit_exceeded", "Retry-After"
_JOINT = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[^\W_])[-_](?=[^\W_])")


def data_says_no_more(data: object, status: int, recipients: int = 1) -> bool:
    """Return whether each value of parsed JSON is empty, or one of the status's own.

    Args:
        data: The parsed JSON.
        status: The HTTP status that it came with.
        recipients: For how many the request was.
    """
    many = recipients > 1
    # The names of what a value is in: they are walked through from the outside to the inside.
    path: list[ValueName] = []
    for count, (name, value, depth) in enumerate(values_of(data)):
        del path[depth:]
        if not is_within_bounds(count, depth) or _tells_of_one(name, value, many=many):
            return False
        if not _is_own(name, value, status, path, many=many):
            return False
        # What a list holds stands under the name of the list.
        path.append(name if is_object(value) else _NOBODY)
        if depth == 1 and is_object(value) and is_own_status(name, value, status):
            # It is packed as anything else of the answer.
            path[-1] = _NOBODY
    return True


def _tells_of_one(name: ValueName, value: object, *, many: bool) -> bool:
    """Return whether a value is about one of several, such as the third: the others may be sent.

    A list tells of each, or of those that something is wrong with.
    """
    if any(map(str.isdecimal, name.parts)):
        return True
    return is_array(value) and len(value) > (0 if many else 1)


def _is_own(
    name: ValueName, value: object, status: int, path: Sequence[ValueName], *, many: bool
) -> bool:
    if isinstance(value, str):
        text = value.strip()
        if MASK in text:
            # It may have been a word of state, which is somebody's password, too.
            return False
        if not any(map(str.isalnum, text)):
            return not has_symbol(text)
        return is_packed(path) and _is_own_text(name, text, status, path, many=many)
    if isinstance(value, (int, float)):
        is_told = value == status or not is_of_status(path)
        return is_told and is_packed(path) and is_own_number(name, value, status, many=many)
    # What an object or an array holds is looked at by itself.
    return True


def _is_own_text(
    name: ValueName, text: str, status: int, path: Sequence[ValueName], *, many: bool
) -> bool:
    words = text.lower().rstrip(".!")
    if words == "false" or (words.isdecimal() and len(words) <= _LONGEST_NUMBER):
        value = int(words) if words != "false" else False
        return is_own_number(name, value, status, many=many)
    if status == LIMITED:
        words = _JOINT.sub(" ", text).lower().rstrip(".!")
    if words in _SAYS_NOTHING and len(path) > 1:
        # Further inside a status that failed may be a text's.
        return holds_words(name)
    if words in _SAYS_NOTHING:
        return names_status(name)
    if words in _REASON_PHRASES.get(status, ()):
        return names_phrase(name)
    # "throttled" and "retry later" may be how far a text has come.
    if status != LIMITED or is_of_status(path) or not (name.joined or " " in text):
        return False
    return holds_words(name) and _tells_of_a_limit(text)


def _tells_of_a_limit(text: str) -> bool:
    if len(text) > _LONGEST_SENTENCE or has_symbol(text):
        return False
    beside = words_beside(LIMITS, _JOINT.sub(" ", text))
    return all(word == str(LIMITED) for word in beside)


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
_EDGE_OF_COMMENT = re.compile(r"<!--|-->")
_LONGEST_PAGE = 32_000
_LONGEST_BESIDE = 4_000
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
    if names is None or len(text) > _LONGEST_PAGE or text_may_say_taken(text):
        return False
    if 300 <= status < 400:
        # Whoever moves a request repeats what it asked for.
        text = without_queries(text)
        if any(map(leads_to_one, addresses_in(html.unescape(_TAG.sub(" ", text))))):
            return False
    if not text.startswith("<"):
        # A word alone may be a state of the text.
        is_said = names.search(text) is not None and len(text.split()) > 1
        return is_said and _is_of_pages(text, status)
    page = _EDGE_OF_COMMENT.sub(" ", _without_asides(text))
    # A word may have tags within it, and two words nothing but tags between them.
    apart, joined = (html.unescape(_TAG.sub(between, page)).strip() for between in (" ", ""))
    beside = list(told_beside(text, page))
    if sum(map(len, beside)) > _LONGEST_BESIDE:
        return False
    if not joined:
        # What a script would write nobody has read.
        return not beside and "<script" not in text.lower()
    named = names.search(apart) is not None or names.search(joined) is not None
    within = _is_doubtful(joined) or says_taken(joined)
    shown = " ".join((apart, *map(html.unescape, beside)))
    return named and not within and _is_of_pages(shown, status)


def _is_of_pages(text: str, status: int) -> bool:
    """Return whether there is nothing in a text but what servers write for a status."""
    if _is_doubtful(text) or says_taken(text) or has_symbol(text):
        return False
    beside = words_beside(PAGES_OF_LIMITS if status == LIMITED else PAGES, text)
    return all(word == str(status) for word in beside)


def _is_structured(text: str) -> bool:
    return "{" in text or "[" in text


def _is_doubtful(text: str) -> bool:
    return says_unsure(text) or _DIAGNOSTIC.search(text) is not None


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
