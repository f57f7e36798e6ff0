"""Reading Ultimate SMS's envelope: HTTP 200 for most errors, 403 and 404 for the others."""

from __future__ import annotations

from attrs import field, frozen

from iprog_async.adapter import (
    Answer,
    ErrorForm,
    Refusal,
    UnclearAnswer,
    give_up,
    mask_keys,
    refuse,
    words,
)
from iprog_async_providers.infopromo._refusals import (
    COMMON,
    DISPATCH,
    LOOKUP,
    MISSING,
    VALIDATION,
)


_ERROR = ErrorForm({"status": ("error",)}, ("message",))
# The framework's own, of hosts that answer in true statuses.
_LARAVEL = ErrorForm({}, ("message", "errors.*"))


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
    if sends:
        rows = (*extra, *DISPATCH)
        refuse(answer, rows, provider=provider, reason=reason, form=_ERROR)
        rows = (*extra, *(VALIDATION if body.get("errors") else COMMON))
        refuse(answer, rows, provider=provider, reason=reason, form=_LARAVEL)
    else:
        rows = (*extra, *LOOKUP, *(MISSING if enveloped else ()))
        refuse(answer, rows, provider=provider, reason=reason)
    raise give_up(answer, provider=provider, reason=reason, bare=not enveloped)
