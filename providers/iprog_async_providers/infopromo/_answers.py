"""Reading Ultimate SMS's envelope: HTTP 200 for most errors, 403 and 404 for the others."""

from __future__ import annotations

from attrs import field, frozen

from iprog_async import (
    AuthenticationError,
    InsufficientCreditError,
    NotFoundError,
    RateLimitError,
    RejectedError,
)
from iprog_async.adapter import (
    Answer,
    Refusal,
    UnclearAnswer,
    give_up,
    mask_keys,
    refuse,
    words,
)


# A server error may come after dispatch, whatever its text says.
_BEFORE = range(100, 500)
# The upstream's own words come with 403; texts that are not anchored need a closer look.
_CHECKED = (403, 404)

# Refusals made before dispatch; marks in docs/gateways/infopromo.md.
_COMMON = (
    Refusal(AuthenticationError, r"^unauthenticated\.?$", _BEFORE),
    Refusal(AuthenticationError, r"^these credentials do not match our records", _BEFORE),
    Refusal(AuthenticationError, r"^you do not have permission to access api", _BEFORE),
    Refusal(RateLimitError, r"^too many attempts\.?$", _BEFORE),
    Refusal(RejectedError, r"^the .{1,60} field is required", _BEFORE),
    # Laravel's own validation runs before any controller does.
    Refusal(RejectedError, status=(422,)),
)
_SEND = (
    Refusal(InsufficientCreditError, r"^you have exceeded your sending limit", _BEFORE),
    Refusal(InsufficientCreditError, r"^no active subscription", _BEFORE),
    Refusal(InsufficientCreditError, r"^there is not enough balance available", _BEFORE),
    Refusal(RejectedError, r"^sender id .* is not authorized to send", _BEFORE, healable=True),
    Refusal(RejectedError, r"^your message contains spam words", _BEFORE),
    Refusal(RejectedError, r"^\S+ is an? invalid phone number", _BEFORE, blame="recipient"),
    Refusal(
        RejectedError,
        r"^permission to send an sms has not been enabled for the region",
        _BEFORE,
        healable=True,
        blame="recipient",
    ),
    Refusal(RejectedError, r"^the dlt template id is mandatory", _BEFORE),
    # Blamed on recipients so that the batch is halved: an installation may allow fewer.
    Refusal(
        RejectedError,
        r"^you cannot send more than \d+ sms in a single request",
        _BEFORE,
        blame="recipient",
    ),
    Refusal(RejectedError, r"black-?list", _CHECKED, blame="recipient"),
    Refusal(RejectedError, r"sending server", _CHECKED, healable=True, blame="account"),
)
# An envelope with such a status is written by a check, whatever language its text is in.
_STATUS = (Refusal(AuthenticationError, status=(401,)), Refusal(RejectedError, status=(404,)))

DISPATCH = (*_COMMON, *_SEND)
"""Rows of what sends: a message, a campaign."""

LOOKUP = (
    *_COMMON,
    Refusal(NotFoundError, r"^no query results for model", _BEFORE),
    Refusal(NotFoundError, r"^sms info not found", _BEFORE),
    Refusal(RejectedError, r"^you have already subscribed", _BEFORE),
)
"""Rows of what sends nothing: here a text about a missing model is certain."""
_MISSING = (Refusal(AuthenticationError, status=(401,)), Refusal(NotFoundError, status=(404,)))


@frozen
class Envelope:
    """A success.

    Args:
        data: What was asked for.
        message: The gateway's words.
        raw: The whole body, with secrets masked.
    """

    data: object = field(repr=False)
    message: str
    raw: object = field(repr=False)


def check(
    answer: Answer, provider: str, extra: tuple[Refusal, ...] = (), *, sends: bool = False
) -> Envelope:
    """Return the envelope of a success; raise what any other answer means.

    Args:
        answer: What came back.
        provider: Name of the provider, for errors.
        extra: The user's rows, looked at first.
        sends: Whether the call sends, so that fewer texts are proof of a refusal.
    """
    try:
        body = answer.object()
    except UnclearAnswer:
        raise give_up(answer, provider=provider) from None
    status = body.get("status")
    reason = " ".join(words(body.get("message")))
    if status == "success":
        if 200 <= answer.status < 300:
            return Envelope(body.get("data"), reason, mask_keys(body))
        raise UnclearAnswer(f"HTTP {answer.status} around a success envelope")
    enveloped = status == "error"
    table = DISPATCH if sends else LOOKUP
    by_status = (_STATUS if sends else _MISSING) if enveloped else ()
    refuse(answer, (*extra, *table, *by_status), provider=provider, reason=reason)
    raise give_up(answer, provider=provider, reason=reason, bare=not enveloped)
