"""Finding out whether an answer says that something was taken; pure and safe on hostile data.

An answer with such a sign proves no refusal, whatever its words are: one number of a list may be
refused after the others were sent.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from urllib.parse import unquote

from attrs import frozen

from iprog_async._core.json_types import is_array, is_object


def names_in(joined: str) -> frozenset[str]:
    """Return the words of a text, to look words up in."""
    return frozenset(joined.split())


# Deeper than any gateway's answer, and far from the limit of recursion.
_DEEPEST = 40
_MOST_VALUES = 20_000
_MOST_IDS = 1_000
# More header fields than any server has, longer ones, and more names than it has for them.
_MOST_FIELDS = 200
_LONGEST_FIELD = 4_000
_LONGEST_COOKIES = 8_000
_NAMES_KEPT = 512

_TAKEN = (
    "accept(d|ed|ing)|acknowledged|arriv(ed|ing)|awaiting|billed|buffer(ed|ing)|charged|debited"
    "|deducted|en ?route|enqueu(e?ing|ed)|gone out|handed (off|on|over|to)|held|holding|on hold"
    "|(for|in|under) (manual )?(approval|moderation|review)|in (delivery|process|progress|transit)"
    "|in (the )?queue|on [a-z]{2,5} way|out for delivery|passed (on|to)|pending|posted|processing"
    "|(been|messages?|sms|texts?|was|were) received|received (at|by)"
    "|(re)?(deliver|dispatch|forward|post|schedul|spool|stor)(ed|ing)|delivrd|esme_rok"
    "|re(lay|process|rout|try)(ed|ing)|retried|(re)?(queued|queue?ing|sending|sent|submitted)"
    "|(re)?(submitt|transmitt)(ed|ing)|skipped|taken|undelivered|waiting|went (off|out|through)"
)
# Words that errors have, too, with a "not" in front.
_DONE = "completed?|created|done|ok|okay|processed|success(es|ful|fully)?|succeeded"
_SAYS_TAKEN = re.compile(rf"\b({_TAKEN})\b|\bsm\d|\bisms-", re.IGNORECASE)
_SAYS_DONE = re.compile(
    r"(?<!not )(?<!n't )(?<!not be )(?<!n't be )(?<!not been )(?<!no )"
    rf"\b({_DONE})\b",
    re.IGNORECASE,
)
_UNSURE = (
    "after|backend|broken|connection|curl|database|deadlock|deliver\\w*|dispatch\\w*|exception"
    "|gateway|going to|(keep|keeps|kept) (on )?trying|no (answer|reply|response)|not respond\\w*"
    "|operat\\w+|partial\\w*|(part|segment) \\d+|resend\\w*|reset|(?<!before )retr(ied|ying)"
    "|shall|socket|some|timed?[ -]?out|unknown|upstream|we('|\u2019)ll|will(?! reset)"
)
# A text that is a mask and nothing else may have been a word of state, which is a password, too.
_SAYS_UNSURE = re.compile(rf"\b({_UNSURE})\b|::|^[^\w*]*\*\W*$", re.IGNORECASE)

# These may be a state of the text, and advice in a sentence.
_STATES = "arrives?|delay(ed)?|hold|received|retry|review|wait"
_STATUS_WORD = re.compile(
    rf"({_TAKEN}|{_DONE}|{_STATES}|true)\W*(\|.*)?",
    re.IGNORECASE | re.DOTALL,
)
_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
ID_OF_TEXT = re.compile(
    r"(message|msg|sms|batch|bulk|campaign|queue)[ _-]?(u?u?id|sid|ref(erence)?)s?\"?\s*[:=]",
    re.IGNORECASE,
)
"""Where a text names an id of a text."""
_DOUBT = re.compile(
    rf"\b({_TAKEN}|{_UNSURE}|{_DONE}|success\w*|true)\b"
    rf"|\b(sm\d|isms-)|::|{_UUID.pattern}|{ID_OF_TEXT.pattern}",
    re.IGNORECASE,
)
# What is written in no Latin letters is a word that nobody knows, and not nothing.
_NAME_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\x00-\x7f]+")
# "messageid", "smsuid": ids whose name is written in one piece.
_JOINED_ID = re.compile(
    r"(batch|bulk|campaign|confirm(ation)?|delivery|dispatch|dlr|group|job|message|msg|order|otp|queue|receipt"
    r"|reminder|request|send|sms|task|text|track(ing)?|transaction|tx|txn)"
    r"(g?u?u?ids?|keys?|no|num(ber)?s?|ref(erence)?s?)"
)
_IDS = names_in(
    "id ids uid uids uuid uuids guid guids sid sids mid mids ulid ulids ref refs reference "
    "references confirmation confirmations handle handles ticket tickets receipt receipts tracking"
)
# Ids of what was there before the request, or of every answer.
_OTHERS_IDS = names_in(
    "account api app application client correlation customer dlt entity error exception "
    "sender span template tenant trace user"
)
# A code is nearly always that of an error; "MsgFollowUpUniqueCode" and "trackingCode" are ids.
_CODES = frozenset(("code", "codes"))
_OF_TEXTS = frozenset(("unique", "track", "tracking", "reference"))
_COUNTS = names_in(
    "accepted charged count delivered dispatched enqueued parts passed processed queued recipients "
    "scheduled segments sent submitted success successes successful succeeded debited deducted"
)
_LISTS = frozenset(("batches", "messages", "reports", "texts"))
# "failed_count" and "remaining_count" count what was not taken.
NOT_TAKEN = names_in(
    "error errors failed failures invalid left limit max remaining retry unsuccessful"
)
_COSTS = names_in("charge charges cost costs debit debits price")
# "credits_used"; what is used beside a limit is the limit's.
_USED = frozenset(("consumed", "spent", "used"))
_PAID_WITH = names_in("balance credit credits sms unit units")
_STATUS = frozenset(("status", "statuscode", "httpcode", "httpstatus", "success", "ok"))
_PAYLOAD = frozenset(("data", "result", "results", "response"))


@frozen
class Signs:
    """What in an answer says that something was taken; false where nothing does.

    Args:
        found: Whether something does.
        ids: The ids among it.
    """

    found: bool = False
    ids: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.found


def signs_of_acceptance(
    body: object,
    *,
    explained: Collection[str] = (),
    headers: Mapping[str, str] | None = None,
    status: int | None = None,
) -> Signs:
    """Return what in parsed JSON says that something was taken.

    An id, a uid or reference, a list or count of what was accepted, a cost, a status word, a
    success: anywhere, at any depth, however it is spelled. What is too deep or too large to be
    looked through counts as a sign.

    Args:
        body: The parsed answer, or anything else.
        explained: Texts that are understood as a whole, whatever words are in them.
        headers: Header fields, names in lower case; one such as `x-message-id` or `x-msgid` is an
            id, one such as `x-sms-sent` a count, and one such as `x-delivery-status` a state.
        status: The HTTP status that they came with: some servers repeat it in a field.
    """
    found, ids = len(headers or ()) > _MOST_FIELDS, list[str]()
    known = frozenset(text.strip() for text in explained)
    for key, name, given in _of_texts({} if found else headers or {}):
        if name.last in _IDS or name.is_id:
            found = True
            # Cut by whoever shows it: it is not masked yet.
            ids.append(f"{key}: {given}")
        elif NOT_TAKEN.isdisjoint(name.parts) and _is_sign(name, given, known):
            found = True
    found = found or any(_tells_in_head(*each, status) for each in (headers or {}).items())
    for count, (name, value, depth) in enumerate(values_of(body)):
        if not is_within_bounds(count, depth):
            found = True
            break
        if _is_id(name, value):
            found = True
            ids += _ids_of(value)
        elif _is_sign(name, value, known):
            found = True
    return Signs(found, tuple(dict.fromkeys(ids))[:_MOST_IDS])


def says_taken(text: str) -> bool:
    """Return whether a text speaks of anything as sent, accepted or done, or the like."""
    return speaks_of_sending(text) or _SAYS_DONE.search(text) is not None


def speaks_of_sending(text: str) -> bool:
    """Return whether a text has any word that nothing but sending is told with."""
    return _SAYS_TAKEN.search(text) is not None


def says_unsure(text: str) -> bool:
    """Return whether a text speaks of what may come after a dispatch, such as a time-out."""
    return says_taken(text) or _SAYS_UNSURE.search(text) is not None


def doubts(text: str) -> Iterator[tuple[int, int]]:
    """Yield where, from and to, a text speaks of an acceptance, or of what may come after it."""
    for found in _DOUBT.finditer(text):
        yield found.span()


def is_within_bounds(count: int, depth: int) -> bool:
    """Return whether JSON with so many values, and so deep, is still looked through."""
    return count <= _MOST_VALUES and depth <= _DEEPEST


@frozen
class ValueName:
    """A key of an object, taken apart: `messageIds` is `message`, `ids`.

    Args:
        parts: Its words, in lower case.
        of_reasons: Whether it is the name of a field in a list of what is wrong with which.
    """

    parts: tuple[str, ...] = ()
    of_reasons: bool = False

    @classmethod
    def of(cls, key: str, *, of_reasons: bool = False) -> ValueName:
        return cls(tuple(part.lower() for part in _NAME_PARTS.findall(key[:100])), of_reasons)

    @property
    def last(self) -> str:
        return self.parts[-1] if self.parts else ""

    @property
    def joined(self) -> str:
        return "".join(self.parts)

    @property
    def is_id(self) -> bool:
        if not _OTHERS_IDS.isdisjoint(self.parts):
            return False
        if self.last in _CODES:
            return not _OF_TEXTS.isdisjoint(self.parts)
        return self.last in _IDS or _JOINED_ID.fullmatch(self.joined) is not None

    @property
    def counts_taken(self) -> bool:
        return not _COUNTS.isdisjoint(self.parts) and NOT_TAKEN.isdisjoint(self.parts)

    @property
    def lists_taken(self) -> bool:
        return self.counts_taken or (self.last in _LISTS and NOT_TAKEN.isdisjoint(self.parts))

    @property
    def is_cost(self) -> bool:
        return (
            self.last in _COSTS
            or self.parts[:2] in (("sms", "rate"), ("sms", "rates"))
            or (self.last in _USED and not _PAID_WITH.isdisjoint(self.parts))
        )


_NOBODY = ValueName()


def values_of(body: object) -> Iterator[tuple[ValueName, object, int]]:
    """Walk through all values, each with the name it stands under; never recursive."""
    waiting: list[tuple[ValueName, object, int]] = [(_NOBODY, body, 0)]
    while waiting:
        name, value, depth = waiting.pop()
        yield name, value, depth
        if depth > _DEEPEST:
            continue
        if is_object(value):
            fields = name.last in ("errors", "error", "fields")
            waiting += [
                (ValueName.of(str(key), of_reasons=fields), inner, depth + 1)
                for key, inner in reversed(value.items())
            ]
        elif is_array(value):
            waiting += [(name, inner, depth + 1) for inner in reversed(value)]


def _is_id(name: ValueName, value: object) -> bool:
    if not name.is_id or is_object(value) or is_array(value) or isinstance(value, bool):
        return False
    if isinstance(value, str):
        # In a list of what is wrong, a sentence is about the field of that name.
        return bool(value.strip()) and not (name.of_reasons and " " in value.strip())
    return bool(value)


def _is_sign(name: ValueName, value: object, known: Collection[str]) -> bool:
    if isinstance(value, str):
        return _is_telling_text(name, value.strip(), known)
    if is_array(value):
        # What is listed as wrong is judged by its texts, and a list of ids by its items.
        return bool(value) and not name.of_reasons and (name is _NOBODY or name.lists_taken)
    if value is True:
        return (
            name is _NOBODY or name.last in _PAYLOAD or name.counts_taken or name.joined in _STATUS
        )
    if isinstance(value, (int, float)) and value > 0:
        return _is_telling_number(name, value)
    return False


def _is_telling_text(name: ValueName, text: str, known: Collection[str]) -> bool:
    if not text or text in known:
        return False
    if text[0] in "{[":
        # Packed once more, and read by nobody.
        return True
    if _STATUS_WORD.fullmatch(text) or _UUID.fullmatch(text) or says_taken(text):
        return True
    if name.joined in _STATUS and text[:6].isdecimal():
        return _is_success(int(text[:6]))
    if name.of_reasons:
        return (name.counts_taken or name.lists_taken) and " " not in text
    if name.counts_taken or name.is_cost:
        # Numbers come as text, and a list of them as one text.
        return any(char in "123456789" for char in text)
    return (name.last in _PAYLOAD or name is _NOBODY) and " " not in text


def _is_telling_number(name: ValueName, value: float) -> bool:
    if name.joined in _STATUS:
        return _is_success(value)
    return (
        name is _NOBODY
        or name.last in _PAYLOAD
        or name.counts_taken
        or name.lists_taken
        or name.is_cost
    )


def _is_success(status: float) -> bool:
    return status == 1 or 200 <= status < 300


def _ids_of(value: object) -> list[str]:
    """Return the ids in one value: some gateways join them with commas."""
    parts = str(value)[:20_000].split(",")
    return [part.strip()[:200] for part in parts if part.strip()]


def _of_texts(headers: Mapping[str, str]) -> Iterator[tuple[str, ValueName, str]]:
    """Yield the header fields that are about a text, and not about the answer itself."""
    for key, value in headers.items():
        name = _name_of_a_text(key[:100])
        if name is not None and value.strip():
            yield key, name, value.strip()


# Names only: a value may be a secret.
@lru_cache(_NAMES_KEPT)
def _name_of_a_text(key: str) -> ValueName | None:
    """Return the name of a header field that is about a text."""
    name = ValueName.of(_IN_ONE_PIECE.sub(r"\1-", key.lower().removeprefix("x-")))
    return name if _is_of_a_text(name) else None


def _is_of_a_text(name: ValueName) -> bool:
    if len(name.parts) > 1 and not _TEXTS.isdisjoint(name.parts):
        return True
    if name.joined in _WHOLE or not _OF_ANSWERS.isdisjoint(name.parts):
        return False
    told = set(name.parts) - _SUMS
    return name.is_id or name.is_cost or (bool(told) and told <= _COUNTS)


def _tells_in_head(key: str, value: str, status: int | None) -> bool:
    """Return whether a header field tells a state, and not that of the answer itself."""
    text = value.strip()
    if key == "set-cookie":
        # What the next page is to show.
        return (
            len(text) > _LONGEST_COOKIES
            or ID_OF_TEXT.search(text) is not None
            or any(speaks_of_sending(unquote(flash[1])) for flash in _FLASH.finditer(text))
        )
    told = _told_as(key[:100])
    if told is None or not text:
        return False
    if len(text) > _LONGEST_FIELD:
        return True
    if not told or text.startswith(str(status)):
        # "200 OK"
        return speaks_of_sending(text)
    if text.isdecimal():
        return told.endswith(("state", "status")) and _is_success(int(text[:6]))
    return _STATUS_WORD.fullmatch(text) is not None or says_taken(text)


@lru_cache(_NAMES_KEPT)
def _told_as(key: str) -> str | None:
    """Return what a header field tells a state as; nothing if in words; `None` if it tells none."""
    name = ValueName.of(key.removeprefix("x-"))
    told = _TOLD_AS.fullmatch(name.last)
    if not _STATES_OF_ANSWERS.isdisjoint((*name.parts, told[1] if told else "")):
        return None
    if told is None:
        return None if _OF_HTTP.fullmatch(key) else ""
    return name.last


_FLASH = re.compile(
    r"(?<![^\s_-])(?:alert|flash|message|msg|notice|notification|state|status|success|toast)\w{0,20}=([^;,]{0,2000})",
    re.IGNORECASE,
)
# Fields whose words are those of HTTP, of hosts and of software.
_OF_HTTP = re.compile(
    r"(access-control|content|permissions|proxy|sec|timing|x-content|x-frame|x-permitted)-.*"
    r"|allow|alt-svc|date|etag|expires|feature-policy|link|nel|p3p|refresh|report-to"
    r"|reporting-endpoints|retry-after|server|server-timing|strict-transport-security|upgrade|vary"
    r"|via|www-authenticate|x-(generator|pingback|powered-by|robots-tag|ua-compatible)"
    r"|.*(location|redirect|ur[il])"
)
_TOLD_AS = re.compile(
    r"(.*?)(?:status|state|result|outcome|delivery|message|msg|info|notice|alert|flash|note|text)s?"
)
_TEXTS = frozenset(("message", "msg", "sms", "batch", "campaign"))
_SUMS = frozenset(("at", "count", "ok", "total"))
# "x-messageid", "x-creditsused": names of header fields come in lower case.
_IN_ONE_PIECE = re.compile(
    r"\b(batch|bulk|campaign|credits?|job|message|msg|queue|sms|text|units?)"
    r"(?=(consumed|cost|count|price|sent|spent|state|status|used)\b"
    r"|(g?u?u?ids?|no|num(ber)?s?|ref(erence)?s?)\b)"
)
# Each answer may have an id of its own, which it got from whoever it went through; that of a text
# is another thing.
_ANSWERED_BY = names_in(
    "akamai amz amzn apache apigw aws azure b3 backend build cache cdn cf clockwork cloud "
    "cloudfront connection container dc deployment device edge envoy execution fastly fly "
    "function github goog haproxy heroku host instance invocation kong lambda lb log logging "
    "machine ms msedge netlify newrelic nf nginx node page parent pod pop process proxy "
    "railway rate ratelimit ray region release render req request response revision rid rndr "
    "section sentry server session shard shopify site sozu sucuri thread upload varnish "
    "phpdebugbar vercel version visitor worker zone"
)
# Known as a whole only: "x-call-sid" may be that of a text. Of ArvanCloud, of Apache and HAProxy,
# of Vercel.
_WHOLE = frozenset(("sid", "uniqueid", "nowid"))
_OF_ANSWERS = _OTHERS_IDS | {
    name + ending for name in _ANSWERED_BY | _OTHERS_IDS for ending in ("", "id", "ids")
}
# What is asked, as a request or a process, may be that a text is sent.
_STATES_OF_ANSWERS = (
    _OF_ANSWERS - names_in("api function process req request response section")
) | names_in(
    "auth authentication bot captcha cms consent cookie cors database db ddos drupal firewall "
    "geoip grpc health joomla license login maintenance memcached mysql redis security service "
    "shield spam ssl tls virus waf wordpress wp"
)
