"""What numbers, and `true` and `false`, may stand in an answer that says no more than its status.

Each under a name that is known as a whole: 2 is a wait as `retry_after`, and tells how many were
sent as `allowed`; `{"failed": 0}` says that nobody was left out.
"""

from __future__ import annotations

import re

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
_OF_STATUS = names_in("code error message msg reason status statuscode httpcode httpstatus")


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
