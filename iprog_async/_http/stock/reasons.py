"""What a validator says is wrong with a request, and nothing that came later.

A list of what is suspicious has holes: "We will retry in 5 minutes", "Part 2 of 3 failed" and
"Message enqueued" each tell that a text is with the gateway, or a part of it. So each word that may
stand in a reason is listed, and of what is done with a text there is none. What a field has or is
("has no", "was given") stands there in its negative only, a number beside a unit of length or as
the index of a field, and each sentence has to say that something is wrong. "No errors" and "You
should have the message" don't, though they are made of the same words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from iprog_async._http.stock.reassurances import reassurance


_END = r"(?![^\W_])"
_NT = "n['\u2019]t"
_NOT = (
    "(?:(?:(?:are|can|could|did|do|does|has|have|is|may|must|should|was|were) )?not|cannot"
    f"|(?:are|ca|could|did|do|does|has|have|is|must|should|was|were){_NT})"
)
_WRONG = (
    "abusive|bad|banned|barred|black ?list(?:ed)?|blank|blocked|disallowed|empty|exceed(?:s|ed)?"
    "|forbidden|fraud(?:ulent)?|illegal|improper|inappropriate|incorrect|insufficient|invalid"
    "|malformed|mandatory|missing|no|obscene|offensive|phishing|profan(?:e|ity)|prohibited|required"
    "|restricted|scam|spam(?:my)?|suspicious|too|unapproved|unauthori[sz]ed|unregistered"
    "|unsupported|vulgar|wrong"
)
# What is as it should be, behind a "not" or a "must".
_RIGHT = (
    "accept(?:ed)?|allow(?:ed)?|approved|assigned|authori[sz]ed|available(?= (?:for|in|to) )"
    "|configured|contain|defined|enabled|enough|exceed|exists?|found|given|have"
    "|included(?= in the list)|include|known|match"
    "|pass|permitted|provided|recogni[sz]ed|registered|specified|supplied|support(?:ed)?|verified"
    "|whitelisted"
)
_DUE = (
    "contain|different|exceed|have|include|match|present|provided|registered|specified|unique"
    "|whitelisted"
)
# Where to look, and what to type, is told to those with a text, too: only what has to be another
# one was wrong.
_ASKED = (
    "(?:correct|enter|insert|provide|specify) (?:an? |the |your )?"
    "(?:api|at least|correct|different|longer|shorter|valid|x-api-key)"
)
# That a field is missing, where nothing follows that it is for: an id is asked of who has a text.
_ENDS = r"(?= *(?:[.!?;,(]|\Z))"
_ASKED_OF_SENDER = (
    "(?:enter|insert|provide|specify) (?:an?|your) "
    f"(?:(?:(?:mobile|phone) )?number|message|originator|recipient|sender(?: (?:id|name))?){_ENDS}"
)
_BAD = (
    rf"{_WRONG}|{_NOT}|(?:can|may) only|(?:has to|have to|must|needs? to|should)(?! check{_END})"
    rf"|failed|validation|{_ASKED}|{_ASKED_OF_SENDER}|(?:is|are) reserved"
    "|contains? (?:an? )?(?:links?|urls?)|more errors?"
)
_COUNT = r"\d{1,5}(?:(?: ?- ?| and | or | to )\d{1,5})?"
_PREFIX = r"\+?\d{1,4}"
_UNIT = "(?:bytes?|char(?:acter)?s?|digits?|kb|letters?|lines?|symbols?|words?)"

_NEEDED = (
    "accounts?|api ?keys?|balance|body|contacts?|contents?|country|credentials?|credits?|data|entry"
    "|fields?|funds|groups?|messages?|mobiles?|names?|numbers?|parameters?|phones?|plans?"
    "|recipients?|senders?|sender ids?|templates?|tokens?|users?|values?"
)

# Of a network only that it is none of those that are served: what else is said of one, it said.
_NOT_SERVED = (
    "(?:blocked|invalid|prohibited|restricted|unsupported"
    "|not (?:allowed|enabled|permitted|recogni[sz]ed|supported))"
)

_PHRASES = (
    # A count is one of a rule behind "must" alone: "at least 2 numbers are invalid".
    rf"(?:must|should) (?:be|contain|have) (?:at (?:least|most)|between) {_COUNT}"
    rf"(?: (?:items?|{_UNIT}))?",
    r"required (?:if|unless|when) (?:[a-z_]{2,30} ){1,4}(?:is|are) not present",
    r"(?:blocked|invalid|prohibited|restricted|unsupported)(?: (?:mobile|phone|recipient))? "
    r"networks?",
    rf"networks?(?= (?:field|(?:(?:is|are) )?{_NOT_SERVED}){_END})",
    # It has no text in it, which is not that somebody has none.
    r"messages? (?:(?:field )?(?:has to|must|needs? to|should)|(?:do|does)(?: not|n['\u2019]t)) "
    rf"(?:contain|have|include) (?:(?:an?|any|some) )?(?:valid )?texts?{_ENDS}",
    # Credits are reserved, too, for a text that waits.
    r"(?:(?:mobile|phone) number|keyword|originator|sender(?: (?:id|name))?) (?:is|are) reserved",
    r"url shorteners?",
    rf"{_NOT}(?: (?:an?|be|been|the)){{0,2}}(?: (?:{_RIGHT}))?(?: to send)?",
    r"(?:can|has to|have to|may|must|needs? to|should)(?: (?:an?|be|only|the)){0,3}"
    rf"(?: (?:{_DUE}))?",
    rf"(?:has|have|was|were)(?= (?:(?:an?|more|the) )?(?:{_WRONG}|than){_END})",
    r"no (?:[a-z]{2,15} ){1,3}(?:(?:are|have been|has been|is|was|were) )?"
    r"(?:given|provided|selected|specified|supplied)",
    # What a request needs: that no duplicates were found is fine.
    rf"no (?:[a-z]{{2,15}} ){{0,2}}(?:{_NEEDED})(?: (?:are|have been|has been|is|was|were))? found",
    r"(?:failed (?:the )?validation|validation (?:error|failed|failure))",
    r"(?:please )?(?:check|correct|enter|insert|provide|specify)",
    r"the (?:given|provided|specified|supplied)(?= [a-z])",
    r"required (?:if|when|with|without)",
    rf"(?:begins?|ends?|starts?) with(?: {_PREFIX}(?:(?:,| or) {_PREFIX}){{0,5}})?",
    r"at (?:least|most)|(?:fewer|greater|higher|larger|less|longer|lower|more|shorter|smaller) than"
    rf"(?: or equal to)?(?: {_COUNT}{_END})?",
    rf"{_COUNT}[ -]?{_UNIT}",
    r"schedule (?:at|date|time)|sms provider|in the (?:future|past)|(?:in|on) (?:a|the) blacklist"
    r"|date (?:after|before)(?: or equal to)? (?:now|today)",
    # "messages.3.number" is where a validator looked, in front of everything.
    r"[a-z_]{2,30}(?:\.\d{1,5}(?:\.[a-z_]{2,30})?){1,3}",
    # A number that something is wrong with; any other may be an id.
    r"\+?\d{9,15}(?= (?:cannot|(?:ca|does|has|is)"
    r"(?:n['\u2019]t| (?:an? )?(?:bad|invalid|not|wrong))))",
    r"and \d{1,4} more errors?",
    r"validation\.[a-z_]{2,30}(?:\.[a-z_]{2,30}){0,2}",
    r"e\.164|gsm-?7|ucs-?2|utf-?8|x-api-key",
)
_WORDS = (
    "a account address alphabetic alphanumeric an and any api apikey are array ascii attribute "
    "balance be between big body boolean business callback cell character characters code codes "
    "contact contacts contain contains content contents country credential credentials credit "
    "credits daily dashes data date days destination detected digit digits dlt do does domain "
    "domains email emoji emojis encoding entity entry equal error errors expiry few field fields "
    "filipino for format formats from funds group groups header hyphens id ids if in includes "
    "input integer international is it item items json key keys keyword keywords landline "
    "language large length letter letters limit limits link links list load local long looks many "
    "max maximum may media message messages min minimum mobile mobiles monthly msisdn name names "
    "national number numbers numeric of or originator otp param parameter parameters params "
    "password philippine phone phones plan prefix purpose quota receiver receivers recipient "
    "recipients region request requests seems selected sender senders short shortcode size small "
    "sms space spaces string subject telephone template templates text texts that the this time "
    "timezone to token tokens type types ugandan underscores unicode url urls user username valid "
    "value values which word words you your zone"
)
_KNOWN = "|".join((*_PHRASES, _WRONG, *_WORDS.split()))
_TOKEN = rf"(?>(?!{reassurance(_WRONG)})(?:{_KNOWN}){_END})[ ,()/_-]{{0,8}}+"
# A dot within a word ends no sentence.
_SENTENCE = (
    rf"(?=(?:[^.!?;]|\.(?=\S)){{0,300}}?\b(?=[a-z])(?:{_BAD}){_END})\(?+(?:{_TOKEN}){{1,60}}+"
)

# Where it is looked for, it is so from the beginning of a sentence, and not from each word.
_BEGUN = r"(?<![^\s(])(?<![\w,] )"

PLAIN_REASON = rf"{_BEGUN}(?:(?:{_SENTENCE}(?:[.!?;]++ *+|\Z)){{1,6}}+|[?!.-]{{1,20}}(?!\S))"
"""Pattern of a plain sentence about what was asked, which speaks of nothing that came later.

It knows the words of validators, in English. What else a gateway refuses with, or in another
language, needs a row of its own.
"""

_SHARED = re.compile(
    r"\b(?:accounts?|balance|credits?|daily|funds?|load|monthly|per (?:day|hour|month)|plans?|quota"
    r"|no more|number of (?:messages|sms|texts)|you have no"
    rf"|(?:at most|more than|only)(?: (?:[a-z]+|{_COUNT})){{0,2}} (?:messages|sms|texts))\b",
    re.IGNORECASE,
)
_EXCEEDED = re.compile(
    r"\b(?:exceed(?:s|ed)?|insufficient|limits?|max(?:imum)?|not enough|too many)\b", re.IGNORECASE
)
# How long one text is, or how many there are in one request.
_OF_REQUEST = re.compile(
    rf"\b(?:length|size|{_UNIT})\b|\b(?:can|may|must|should)(?: ?not)?(?: [a-z]+){{1,6}} {_COUNT} "
    r"(?:entries|items|numbers|recipients)\b",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"[.!?;](?=\s|\Z)")


def may_run_out(reasons: Iterable[str]) -> bool:
    """Return whether a reason is about credit, a quota, or a limit on how many texts there are.

    In the answer to a request to many, it may have run out after some of them were sent, and was
    then not checked before the first. Which words a quota has nobody knows: whatever is exceeded
    may be one, unless it is how long a text is.
    """
    sentences = (sentence for reason in reasons for sentence in _SENTENCES.split(reason))
    return any(map(_is_used_up, sentences))


def _is_used_up(sentence: str) -> bool:
    if _SHARED.search(sentence):
        return True
    return bool(_EXCEEDED.search(sentence)) and not _OF_REQUEST.search(sentence)
