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
    PLAIN_REASON,
    Answer,
    ErrorForm,
    Refusal,
    UnclearAnswer,
    give_up,
    mask_keys,
    refuse,
    words,
)


# A server error may come after dispatch, whatever its text says.
_BEFORE = (200, *range(400, 500))
# The upstream's own words come with 403; texts of checks are matched as a whole.
_CHECKED = (403, 404)
_ERROR = ErrorForm({"status": ("error",)}, ("message",))
# Laravel's own, of servers that answer in true statuses.
_LARAVEL = ErrorForm({}, ("message", "errors.*"))

# Refusals made before dispatch; marks in docs/gateways/infopromo.md.
_COMMON = (
    Refusal(AuthenticationError, r"unauthenticated\.?", _BEFORE, whole_request=True),
    Refusal(
        AuthenticationError,
        r"these credentials do not match our records\.?",
        _BEFORE,
        whole_request=True,
    ),
    Refusal(
        AuthenticationError,
        r"you do not have permission to access api\.?",
        _BEFORE,
        whole_request=True,
    ),
    Refusal(RateLimitError, r"too many attempts\.?", _BEFORE, whole_request=True),
    Refusal(RejectedError, r"the [\w .]{1,60} field is required\.?", _BEFORE, whole_request=True),
)
_VALIDATION = (Refusal(RejectedError, PLAIN_REASON, (422,), whole_request=True),)
_SEND = (
    Refusal(
        InsufficientCreditError,
        r"you have exceeded your sending limit\.?",
        _CHECKED,
        whole_request=True,
    ),
    Refusal(
        InsufficientCreditError,
        r"no active subscription( found)?\.?",
        _CHECKED,
        whole_request=True,
    ),
    Refusal(
        InsufficientCreditError,
        r"there is not enough balance available to send this message\.[\w ,.]{0,80}",
        _CHECKED,
        whole_request=True,
    ),
    Refusal(
        RejectedError,
        r"sender id \"[^\"]{0,20}\" is not authorized to send"
        r" (this message|\"[a-z]{1,10}\" sms)\.?",
        _CHECKED,
        healable=True,
        whole_request=True,
    ),
    Refusal(RejectedError, r"your message contains spam words\.?", _CHECKED, whole_request=True),
    Refusal(
        RejectedError,
        r"\+?\d{5,20} is an? invalid phone number\.?",
        _CHECKED,
        blame="recipient",
        whole_request=True,
    ),
    Refusal(
        RejectedError,
        r"permission to send an sms has not been enabled for the region indicated by the"
        r" 'to' number:? ?\+?\d{0,20}\.?",
        _CHECKED,
        healable=True,
        blame="recipient",
        whole_request=True,
    ),
    Refusal(
        RejectedError,
        r"the dlt template id is mandatory\.[\w ,.]{0,80}",
        _CHECKED,
        whole_request=True,
    ),
    Refusal(
        RejectedError,
        r"number contains in the blacklist\.?",
        _CHECKED,
        blame="recipient",
        whole_request=True,
    ),
    Refusal(
        RejectedError,
        r"sending server not available\.?",
        _CHECKED,
        healable=True,
        blame="account",
        whole_request=True,
    ),
    Refusal(RejectedError, r"contact (list|group) not found\.?", _CHECKED, whole_request=True),
    # Blamed on recipients so that the batch is halved: an installation may allow fewer.
    Refusal(
        RejectedError,
        r"you cannot send more than \d{1,6} sms in a single request\.?",
        _CHECKED,
        blame="recipient",
        whole_request=True,
    ),
)

DISPATCH = (*_COMMON, *_SEND)
"""Rows of what sends: a message, a campaign."""

LOOKUP = (
    *_COMMON,
    Refusal(RejectedError, status=(422,)),
    Refusal(NotFoundError, r"no query results for model .{1,200}"),
    Refusal(NotFoundError, r"sms info not found\.?"),
    Refusal(RejectedError, r"you have already subscribed( to .{1,200})?"),
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
    by_status = _MISSING if enveloped and not sends else ()
    refuse(
        answer,
        (*extra, *table, *by_status),
        provider=provider,
        reason=reason,
        form=_ERROR if sends else None,
    )
    if sends:
        own = _VALIDATION if body.get("errors") else _COMMON
        refuse(answer, own, provider=provider, reason=reason, form=_LARAVEL)
    raise give_up(answer, provider=provider, reason=reason, bare=not enveloped)
