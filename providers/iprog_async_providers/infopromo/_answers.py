"""Reading Ultimate SMS's envelope: HTTP 200 for most errors, 403 and 404 for the others."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from iprog_async.adapter import (
    Answer,
    ErrorForm,
    Refusal,
    UnclearAnswer,
    give_up,
    mask_keys,
    may_run_out,
    names_errors,
    one_line,
    refuse,
    says_unsure,
    words,
)
from iprog_async_providers.infopromo._refusals import (
    DISPATCH,
    LOOKUP,
    MISSING,
    TRUE,
    VALIDATION,
)
from iprog_async_providers.infopromo._states import answered_status


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
        answer: What came back.
    """

    data: object = field(repr=False)
    message: str
    raw: object = field(repr=False)
    answer: Answer = field(repr=False)


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
        if not 200 <= answer.status < 300:
            raise UnclearAnswer(f"HTTP {answer.status} around a success envelope")
        if sends and names_errors(body):
            raise UnclearAnswer("a success with errors in it")
        return Envelope(body.get("data"), reason, mask_keys(body), answer)
    enveloped = status == "error"
    if sends:
        rows = (*extra, *DISPATCH)
        refuse(answer, rows, provider=provider, reason=reason, form=_ERROR)
        rows = (*extra, *(_of_fields(answer) if body.get("errors") else TRUE))
        refuse(answer, rows, provider=provider, reason=reason, form=_LARAVEL)
        if _is_doubtful(body):
            raise UnclearAnswer(f"HTTP {answer.status}: {one_line(reason)!r}")
    else:
        rows = (*extra, *LOOKUP, *(MISSING if enveloped else ()))
        refuse(answer, rows, provider=provider, reason=reason)
    raise give_up(answer, provider=provider, reason=reason, bare=not isinstance(status, str))


def _of_fields(answer: Answer) -> tuple[Refusal, ...]:
    """Return the rows of a validator's reasons: credit may run out after some of many."""
    checked = answer.recipients == 1 or not may_run_out(_LARAVEL.texts(answer.data) or ())
    return VALIDATION if checked else ()


def _is_doubtful(body: dict[str, Any]) -> bool:
    """Return whether a body speaks of what may come after dispatch, whatever the status says."""
    said = [text.strip() for value in body.values() for text in words(value)]
    return any(says_unsure(text) or answered_status(text) is not None for text in said)
