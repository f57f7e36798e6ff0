"""What Ultimate SMS says when it has refused, before anything was handed to the upstream.

Servers before 3.8 dispatch a text to one person first, and then put the upstream's raw words where
the text of an error stands; any uncaught exception looks the same. So these texts are matched as a
whole, and all others prove nothing. Sources and marks: docs/gateways/infopromo-evidence.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import evolve

from iprog_async import (
    AuthenticationError,
    InsufficientCreditError,
    NotFoundError,
    ProviderError,
    RateLimitError,
    RejectedError,
)
from iprog_async.adapter import PLAIN_REASON, Refusal


# "true" statuses are those of hosts that do not put everything into HTTP 200 (CLI).
_TOKEN = (200, 401)
_FIELDS = (200, 422)
_LIMIT = (200, 429)
_CHECKED = (403, 404)
_FRAMEWORK = (200, 404, 405)

# What the stock text goes on with: "Kindly reach out to the system administrator for further
# assistance", "Please contact support team.", "You have 0.3 of the 0.35".
_WHOM = (
    r"(((to|with) )?((customer|our|system|the|your) ){0,3}"
    r"(admin(istrator)?|administration|provider|support|team)( team)?|(to |with )?us)"
)
_ASKS = (
    rf"((contact|reach out|get in touch)( {_WHOM})?|(recharge|top up)( your (account|balance))?"
    r"|(buy|purchase|renew|upgrade) ((a|an|your|more|new|sms) )*(balance|credits?|plan|units?))"
    r"( for (further |more )?(assistance|details|help|information))?"
)
_HAVE = r"you have [\d.,]{1,12} of (the )?[\d.,]{1,12}"
_MORE = rf"(\s*+((kindly|please) {_ASKS}|{_HAVE})\.?)?"
# "recipient", "dlt template id", "FIRST_NAME": no sentence, which would have a dot and a blank.
_FIELD = r"[a-z]{1,20}([ _.][a-z\d]{1,20}){0,3}"
# Whatever may be a sender ID; no bar, which stands in the upstream's raw words.
_SENDER = r"[^\"|<>{}\[\]\\\r\n]{0,20}"
_TYPE = r"\"?[a-z]{2,10}\"?"
_NUMBER = r"\+?\d{3,20}"
_ABOUT_NUMBER = (
    rf"{_NUMBER} is an? invalid phone number\.?",
    r"permission to send an sms has not been enabled for the region indicated by the 'to' "
    rf"number:?( {_NUMBER})?\.?",
    r"number contains in the blacklist\.?",
)


def _row(
    error: type[ProviderError],
    text: str,
    status: Iterable[int] = _CHECKED,
    evidence: str = "SRC",
    versions: str = "3.8, 3.13",
    **judgement: Any,
) -> Refusal:
    """Return a check of the whole request, which is what all of these are.

    A request to many of which one is refused is a success with that one's reason among its words,
    so that an error means that none was taken, whatever number it names.
    """
    return Refusal(
        error,
        text,
        status,
        whole_request=True,
        evidence=evidence,
        versions=versions,
        **judgement,
    )


COMMON = (
    _row(AuthenticationError, r"unauthenticated\.?", _TOKEN, "LOG"),
    _row(AuthenticationError, r"these credentials do not match our records\.?", _TOKEN),
    _row(AuthenticationError, r"you do not have permission to access api\.?", (403,)),
    _row(RateLimitError, r"too many attempts\.?", _LIMIT, "INFER", ""),
    _row(RejectedError, rf"the {_FIELD} field is required\.?", _FIELDS),
    # The framework's own, in front of any controller; rendered as all errors are.
    _row(
        NotFoundError,
        r"the route [\w/.%-]{1,300} could not be found\.?",
        _FRAMEWORK,
        "SRC; its status INFER",
        "",
        blame="account",
    ),
    _row(
        RejectedError,
        r"the [a-z]{3,7} method is not supported for (this )?route( [\w/.%-]{1,300})?\."
        r"( supported methods: [a-z, ]{3,80}\.)?",
        _FRAMEWORK,
        "SRC; its status INFER",
        "",
        blame="account",
    ),
    _row(
        RejectedError,
        r"service unavailable\.?",
        (200,),
        "SRC; its status INFER",
        "",
        healable=True,
        blame="account",
    ),
)
"""Rows of every call."""

# A refusal of the sender, the plan or the server is one that every text of the account meets.
_OF_THE_ACCOUNT: dict[str, Any] = {"healable": True, "blame": "account"}

_SEND = (
    _row(InsufficientCreditError, r"you have exceeded your sending limit\.?"),
    _row(InsufficientCreditError, r"no active subscription( found)?\.?"),
    _row(InsufficientCreditError, rf"purchased plan is not active\.?{_MORE}"),
    _row(
        InsufficientCreditError,
        rf"there is not enough balance available to send this message\.?{_MORE}",
    ),
    _row(
        RejectedError,
        rf"sender id \"{_SENDER}\" is not authorized to send (this message|{_TYPE} sms)\.?",
        evidence="LOG",
        versions="3.13",
        **_OF_THE_ACCOUNT,
    ),
    _row(
        RejectedError,
        rf"originator {_SENDER} is not (authorized to send this message|capable to send {_TYPE}"
        r" sms)\.?",
        evidence="LOG; not capable: SRC",
        versions="3.8",
        **_OF_THE_ACCOUNT,
    ),
    _row(
        RejectedError,
        rf"your sending server is not capable to send {_TYPE} sms\.?",
        **_OF_THE_ACCOUNT,
    ),
    _row(
        RejectedError,
        r"no sending server available for your subscribed plan\.?",
        **_OF_THE_ACCOUNT,
    ),
    _row(RejectedError, r"sending server not available\.?", **_OF_THE_ACCOUNT),
    _row(RejectedError, r"customer not found\.?", **_OF_THE_ACCOUNT),
    _row(RejectedError, rf"the dlt entity id is mandatory\.?{_MORE}", **_OF_THE_ACCOUNT),
    _row(RejectedError, rf"the dlt template id is mandatory\.?{_MORE}"),
    _row(RejectedError, r"your message contains spam words\.?", evidence="LOG"),
    _row(RejectedError, rf"{_ABOUT_NUMBER[1]}", healable=True, blame="recipient"),
    _row(RejectedError, rf"(({'|'.join(_ABOUT_NUMBER)})\s*){{1,100}}", blame="recipient"),
    _row(
        RejectedError,
        r"valid phone number not found\.( please insert at least one valid phone number\.?)?",
        blame="recipient",
    ),
    # Blamed on recipients so that the batch is halved: an installation may allow fewer.
    _row(
        RejectedError,
        r"you cannot send more than \d{1,6} sms in a single request\.?",
        blame="recipient",
    ),
)

# Joined in the words of a success or an error, so that their status is that of the whole.
ABOUT_ONE = tuple(
    _row(RejectedError, text, (), healable=healable, blame="recipient")
    for text, healable in zip(_ABOUT_NUMBER, (False, True, False), strict=True)
)
"""Why a list leaves out one number."""

DISPATCH = (*COMMON, *_SEND)
"""Rows of what sends: a message, a campaign."""

TRUE = tuple(evolve(row, status=row.status - {200}) for row in COMMON if row.status != {200})
"""The same, of hosts that answer in true statuses and without the envelope."""

VALIDATION = (_row(RejectedError, PLAIN_REASON, (422,), "CLI", ""),)
"""Of the framework's own form, reasons by field, of hosts that answer in true statuses."""

LOOKUP = (
    *COMMON,
    Refusal(RejectedError, status=(422,), evidence="SRC"),
    Refusal(NotFoundError, r"no query results for model .{1,200}", evidence="SRC"),
    Refusal(NotFoundError, r"sms info not found\.?", evidence="SRC"),
    Refusal(RejectedError, r"you have already subscribed( to .{1,200})?", evidence="SRC"),
)
"""Rows of what sends nothing: here a text about a missing model is certain."""

MISSING = (
    Refusal(AuthenticationError, status=(401,), evidence="CLI"),
    Refusal(NotFoundError, status=(404,), evidence="SRC"),
)
"""What an envelope's status says of a call that sends nothing, whatever its text."""
