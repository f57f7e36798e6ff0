"""What may stand under which name in an answer that says no more than its status.

Each name is known as a whole: 2 is a wait as `retry_after`, and tells how many were sent as
`allowed`; `{"failed": 0}` says that nobody was left out. "Throttled" is for people as `message`,
and as `delivery` how far a text has come.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from iprog_async._http.acceptance import ValueName, names_in


LIMITED = 429

_IN = r"(?:ms|milliseconds|s|sec|secs|seconds|min|minutes)?"
_WAITS = re.compile(
    rf"(?:x?(?:rate)?limit)?(?:retryafter|retryin|wait|waitfor|waittime|reset|resets|resetafter"
    rf"|resetat|resetin|resettime|availablein|ttl|interval|window){_IN}"
    r"|(?:seconds|minutes)(?:remaining|left)|remaining(?:seconds|minutes)"
)
_LIMITS = re.compile(
    r"(?:x?ratelimit)?(?:limit|max|maximum|remaining)|x?ratelimit|(?:max|maximum|remaining)requests"
    r"|requests(?:limit|remaining)"
)
_FAILED = names_in("error failed failure fault iserror haserror haserrors limited ratelimited")
_STATES = names_in("ok result status success successful data")
# Zero of these were taken.
_TAKEN = names_in("accepted delivered queued sent submitted success successful succeeded")
_OF_STATUS = names_in(
    "code error message msg reason status statuscode httpcode httpstatus respcode responsecode "
    "resultcode"
)


def is_own_number(name: ValueName, value: float, status: int, *, many: bool) -> bool:
    """Return whether a number, or a truth value, says no more than a status does.

    Args:
        name: The name that it stands under.
        value: The number.
        status: The HTTP status that it came with.
        many: Whether the request was for several recipients: then a number of texts, or of
            requests, may be where it was broken off.
    """
    key = name.joined
    if isinstance(value, bool):
        return key in _FAILED if value else key in _STATES | _TAKEN or not key
    if status == LIMITED and (_WAITS.fullmatch(key) or (_LIMITS.fullmatch(key) and not many)):
        return True
    return (value == status and (key in _OF_STATUS or not key)) or (value == 0 and key in _TAKEN)


# Words for people, and codes of errors. No "messages", "text" or "info": they may be of a text.
_WORDS = re.compile(
    r"(?:api|developer|display|resp|response|result|user)?(?:code|desc|description|details?|message|msg|reason|title)"
    r"|(?:api|http|service)?(?:err|error|exception|failure|fault)s?"
    r"|(?:err|error|exception|failure|fault)(?:class|code|desc|description|details?|info|messages?"
    r"|msg|name|reason|string|subcode|text|title|type)"
    r"|cause|class|classname|explanation|more(?:info|information)|name|reasons|subcode|type"
)
# Of the answer itself: its number and its reason phrase.
_OF_ANSWERS = re.compile(
    r"(?:http|error)?status(?:code|desc|description|message|msg|phrase|reason|text)?"
    r"|http(?:code|message|reason)|reasonphrase|(?:resp|response|result)(?:text)?"
)
# Of anything; a reason phrase is of an answer under these, too.
_OF_ANYTHING = frozenset(("data", "info", "text"))
# What an error, or all of an answer, is packed in. What else is packed may be a text.
_PACKED_IN = re.compile(
    r"|(?:api|http|request|response|service)?(?:error|exception|failure|fault)s?"
    r"|(?:error|exception|failure|fault)(?:data|details|info)|body|data|details?|headers?|meta"
    r"|(?:x?rate)?limits?|x?ratelimit(?:ing|info)?|quotas?|response|results?|status|throttl(?:e|ing)"
    r"|counts|summary|totals"
)


def is_packed(containers: Iterable[ValueName]) -> bool:
    """Return whether a value is in nothing that may stand for a text.

    Args:
        containers: The names of what it is in.
    """
    return all(_PACKED_IN.fullmatch(each.joined) for each in containers)


def is_of_status(containers: Iterable[ValueName]) -> bool:
    """Return whether a value is in a `status`: whatever it is called, it is one."""
    return any(each.joined == "status" for each in containers)


def is_own_status(name: ValueName, value: Mapping[str, object], status: int) -> bool:
    """Return whether an object is the status of the answer: it is one, and has its number."""
    return name.joined == "status" and any(
        ValueName.of(key).joined in _OF_STATUS and str(inner) == str(status)
        for key, inner in value.items()
    )


def holds_words(name: ValueName) -> bool:
    """Return whether words for people, or the code of an error, stand under a name, or none."""
    return not name.joined or _WORDS.fullmatch(name.joined) is not None


def names_status(name: ValueName) -> bool:
    """Return whether the answer's own status may stand under a name, in words."""
    return holds_words(name) or _OF_ANSWERS.fullmatch(name.joined) is not None


def names_phrase(name: ValueName) -> bool:
    """Return whether a reason phrase, such as "Not Found", may stand under a name."""
    return names_status(name) or name.joined in _OF_ANYTHING
