"""Whether an answer says no more than its HTTP status does; pure and safe on hostile data.

Where it says more, and nobody knows what, the status proves nothing: servers send, and then answer
404 or 429 around what became of it. So all that may stand beside a status is listed here, each word
of it, and no list of what is suspicious has to be complete.
"""

from __future__ import annotations

import html
import re
import unicodedata

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
    "hours http i in ip is it key later max maximum minute minutes moment more ms number of "
    "off on only or over per please reached request requests s sec second seconds so soon "
    "status than that the then there this time times to too try until user was were window "
    "within you your ve you've"
)
# Alone, "made" may be said of a text.
_MADE = re.compile(r"\byou(?: have|'ve) made (?=too many (?:attempt|call|request)s\b)")
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
        return not _has_symbol(plain)
    if plain in _SAYS_NOTHING or plain in _REASON_PHRASES.get(status, ()):
        return True
    if status != _LIMITED:
        return False
    return _tells_of_a_limit(text) or (_is_wait(name) and _is_short_number(plain))


def _tells_of_a_limit(text: str) -> bool:
    plain = " ".join(_CAMEL.sub(" ", text).replace("\u2019", "'").lower().split())
    words = _WORD.findall(_MADE.sub("", plain))
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
# What may stand in the pages that servers write for a status, beside its name: those of nginx,
# Apache, IIS, Google, Cloudflare, Rails, Laravel, Django, Werkzeug, Express and Go (SRC). With no
# word for a text, and none for doing anything with one, nothing can be said of it; what is told
# in other words is in `_SENTENCES`, as a whole.
_OF_PAGES = names_in(
    "a access accessing additionally address addresses allowed an and any app application are at "
    "available back be because been browser by can can't cannot caused changed check client code "
    "configured could couldn't current data did didn't directory displayed document does doesn't "
    "during encountered entity error errordocument exceeds exist exists file for found "
    "from go had handle has have here home homepage hostname however http https if in "
    "incorrect information invalid is isn't it its large link location log logs looking manually "
    "may maybe method methods might mistyped more moved must name no not object of on one oops or "
    "origin owner page pages path payload perhaps permanent permanently please post put patch get "
    "delete redirect redirected redirecting removed renamed request requested resource return "
    "route server should sorry spelling supported target temporarily temporary that that's the "
    "there this to too try trying type typed unavailable uri url use used valid verb version visit "
    "was web website were what when where which while with you you're your apache nginx openresty "
    "lighttpd litespeed caddy iis cloudflare cloudfront express ubuntu debian"
)
_OF_LIMIT_PAGES = _WITH_LIMITS | names_in("apache cloudflare nginx openresty server page")
# What stands there in one piece, and is another each time: software, host and port, the address
# that was asked, the id of an answer, the time.
_PIECES = re.compile(
    r"\b(?:apache|caddy|gunicorn|lighttpd|litespeed|microsoft-iis|mod_(?:fcgid|perl|ssl|wsgi)|nginx"
    r"|openresty|openssl|php|python|tomcat|werkzeug)/\d{1,3}(?:\.\d{1,5}){0,3}[a-z]?(?:-fips)?\b"
    r"(?: \((?:centos|debian|red hat|rhel|ubuntu|unix)\))?"
    r"|\bserver at [\w.-]{1,253} port \d{1,5}\b"
    r"|(?<=\burl )(?:https?:/)?/\S{0,300}"
    r"|(?<=\bto )https?://\S{0,300}"
    r"|(?<=\bcannot )(?:delete|get|patch|post|put) /\S{0,300}"
    r"|\b(?:request|ray|trace|error) id:? ?(?=[\w=-]{0,99}\d)[\w=-]{4,100}"
    r"|\byour ip:? (?:click to reveal )?[\da-f.:]{3,45}"
    r"|\b\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d)?(?: ?utc|z)?\b"
    r"|\bwe (?:could not|couldn't|cannot|can't) find\b|\bwe(?: are|'re) sorry\b"
    r"|\bthat's all we know\b|\ba padding to disable msie and chrome friendly error page\b"
    r"|\bplease try again\b|\band try again\b|\bif you entered the url\b"
    r"|\boops! an error occurred\b",
)
# Whole sentences of servers, with words that may be said of a text elsewhere (SRC).
_SENTENCES = re.compile(
    # Apache
    r"\bthe requested resource does not allow request data with (?:delete|get|patch|post|put) "
    r"requests, or the amount of data provided in the request exceeds the capacity limit\b"
    # IIS
    r"|\bwas used to attempt access\b"
    # Express
    r"|\bpayloadtoolargeerror: (?=request entity too large\b)"
    # Google
    r"|\((?:method not allowed|not found|request entity too large)\)!!1"
    r"|\byour client issued a request that was too large\b"
    r"|\bthe request method (?:delete|get|patch|post|put) is inappropriate for the (?=url /)"
    # HAProxy
    r"|\bthe request entity exceeds the maximum allowed\b"
    r"|\ba request was made of a resource using a request method not supported by that resource\b"
    # Tomcat
    r"|\bhttp status (?=4\d\d\b)|\btype status report(?: message (?:http|request) method "
    r"(?:delete|get|patch|post|put) is not supported(?: by this url)?)? description (?:"
    r"the origin server did not find a current representation for the target resource or is not "
    r"willing to disclose that one exists|the method received in the request-line is known by the "
    r"origin server but not supported by the target resource|the server is refusing to process a "
    r"request because the request payload is larger than the server is willing or able to process"
    r")\b"
    # Spring
    r"|\bwhitelabel error page\b|\bthis application has no explicit mapping for /error, so you are "
    r"seeing this as a fallback\b"
    r"|\b(?:mon|tue|wed|thu|fri|sat|sun) (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec) "
    r"\d\d \d\d:\d\d:\d\d (?:cat|cest|cet|eat|gmt|ist|pht|pst|sast|utc|wat) \d{4}\b"
    r"|\bthere was an unexpected error \(type=(?:not found, status=404"
    r"|method not allowed, status=405|payload too large, status=413|too many requests, status=429"
    r")\)(?:\. no message available\b)?",
)
# What Flask-Limiter and Cloudflare show to whom they limit, and nobody else.
_OF_LIMITERS = re.compile(
    r"\b\d{1,6} per \d{1,6} (?:second|minute|hour|day|month|year)s?\b"
    r"|\bthis user has exceeded an allotted request count\b"
    r"|\berror 1015\b|\byou are being rate limited\b|\bwhat happened\?"
    r"|\bthe owner of this website \([\w.-]{1,253}\) has banned you temporarily from accessing "
    r"this website\b|\bperformance & security by cloudflare\b|\bplease enable cookies\b"
    r"|\bwas this page helpful\? yes no thank you for your feedback\b",
)
_COUNTED = re.compile(
    r"\b\d{1,6} (?=(?:attempt|call|hour|minute|request|sec|second|time)s?\b|(?:ms|s)\b)"
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
_EDGE_OF_COMMENT = re.compile(r"<!--|-->")
_ATTRIBUTE = re.compile(
    r"""\b(?:alt|placeholder|title|value)\s*=\s*("[^"<>]*"|'[^'<>]*'|[^\s"'<>]+)""", re.IGNORECASE
)
_LONGEST_PAGE = 32_000
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
    if not text.startswith("<"):
        return names.search(text) is not None and _is_of_pages(text, status)
    page = _EDGE_OF_COMMENT.sub(" ", _without_asides(text))
    # A word may have tags within it, and two words nothing but tags between them.
    apart, joined = (html.unescape(_TAG.sub(between, page)).strip() for between in (" ", ""))
    if not joined:
        # What a script would write nobody has read.
        return not _ATTRIBUTE.search(page) and "<script" not in text.lower()
    named = names.search(apart) is not None or names.search(joined) is not None
    within = _is_doubtful(joined) or says_taken(joined)
    shown = " ".join((apart, *map(html.unescape, _ATTRIBUTE.findall(page))))
    return named and not within and _is_of_pages(shown, status)


def _is_of_pages(text: str, status: int) -> bool:
    """Return whether there is nothing in a text but what servers write for a status."""
    if _is_doubtful(text) or says_taken(text) or _has_symbol(text):
        return False
    plain = " ".join(text.replace("\u2019", "'").lower().split())
    known = _OF_PAGES
    if status == _LIMITED:
        known = _OF_LIMIT_PAGES
        plain = _COUNTED.sub("", _MADE.sub("", _OF_LIMITERS.sub(" ", plain)))
    words = _WORD.findall(_PIECES.sub(" ", _SENTENCES.sub(" ", plain)))
    return all(word in known or word == str(status) for word in words)


def _has_symbol(text: str) -> bool:
    """Return whether there is a sign such as a tick in a text, or a character that was lost."""
    return any(char > "~" and unicodedata.category(char) == "So" for char in text)


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
