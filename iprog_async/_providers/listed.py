"""What a list proves of one of those whom it names as refused.

Whom it names is texted again as after any refusal, so the same rule holds: a row of a table, the
exact form of an entry, words as a whole, and nothing in the answer that says that something was
taken.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve

from iprog_async._core.errors import ProviderError
from iprog_async._core.messages import PreparedMessage
from iprog_async._core.outcomes import NotSent, Unknown, failed, unclear
from iprog_async._http.acceptance import signs_of_acceptance
from iprog_async._http.calls import Answer
from iprog_async._providers.refusals import ErrorForm, Refusal, refuse


def refuse_one(
    prepared: PreparedMessage,
    answer: Answer,
    table: Iterable[Refusal],
    *,
    provider: str,
    entry: object,
    form: ErrorForm,
    beside: object = None,
    reason: str = "",
    code: str | None = None,
) -> NotSent | Unknown:
    """Return the outcome of a message that a list gives as refused: unknown if that is not proved.

    Args:
        prepared: The message.
        answer: What came back.
        table: Rows, the first match wins.
        provider: Name of the provider.
        entry: What the answer says of this recipient alone, without what it was paired by.
        form: The exact form of such an entry.
        beside: What the answer says of all, without its lists and what they explain. An id, a
            count, a word of state there may be this recipient's.
        reason: The gateway's words, for the error.
        code: The gateway's own code, for the error.
    """
    alone = evolve(answer, data=entry, recipients=1)
    if not signs_of_acceptance(beside, headers=answer.headers, status=answer.status):
        try:
            refuse(
                alone,
                table,
                provider=provider,
                reason=reason,
                code=code,
                form=form,
                whom=prepared.to,
            )
        except ProviderError as exc:
            return failed(prepared, exc.with_traceback(None))
    references = signs_of_acceptance(
        [entry, beside], headers=answer.headers, status=answer.status
    ).ids
    return unclear(prepared, provider, reason or "no reason given", references)
