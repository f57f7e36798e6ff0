"""Tables of the refusals a gateway is known to make *before* it sends anything.

What is not in a table is no proof: Ultimate SMS, for one, reports an exception after dispatch
in the same envelope as a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from attrs import field, frozen

from iprog_async._errors import (
    AuthenticationError,
    Blame,
    CredentialsOrCreditError,
    NotFoundError,
    ProviderError,
    RateLimitError,
    RejectedError,
)
from iprog_async._http import Answer, UnclearAnswer
from iprog_async._retry_after import retry_after
from iprog_async._secrets import mask_keys, one_line


def _pattern(text: str | None) -> re.Pattern[str] | None:
    return None if text is None else re.compile(text, re.IGNORECASE)


def _statuses(statuses: Iterable[int]) -> frozenset[int]:
    return frozenset(statuses)


@frozen
class Refusal:
    """One row: an answer of this status and text was refused before dispatch.

    Args:
        error: The class to raise.
        text: Regular expression found in the gateway's words, ignoring case; any if `None`.
        status: HTTP statuses it comes with; any if empty.
        healable: Whether a later try or another gateway could succeed; the class's default
            if `None`.
        blame: What caused it; the class's default if `None`.
    """

    error: type[ProviderError]
    text: re.Pattern[str] | None = field(default=None, converter=_pattern)
    status: frozenset[int] = field(default=frozenset(), converter=_statuses)
    healable: bool | None = None
    blame: Blame | None = None

    def matches(self, status: int, text: str) -> bool:
        """Return whether an answer is of this row."""
        if self.status and status not in self.status:
            return False
        return self.text is None or self.text.search(text) is not None


# What a status proves where the body says nothing: none of these reaches a sending server.
BARE_STATUS = (
    Refusal(AuthenticationError, status=(401,)),
    Refusal(AuthenticationError, status=(403,)),
    Refusal(NotFoundError, status=(404,), blame="account"),
    Refusal(RejectedError, status=(405,), blame="account"),
    Refusal(RejectedError, status=(413,)),
    Refusal(RejectedError, status=range(300, 400), blame="account"),
)

_ADVICE: dict[type[ProviderError], str] = {
    CredentialsOrCreditError: "check the credentials and the credit",
    AuthenticationError: "check the credentials",
    NotFoundError: "check the id, and the base_url",
}


def refuse(
    answer: Answer,
    table: Iterable[Refusal],
    *,
    provider: str,
    reason: str = "",
    code: str | None = None,
) -> None:
    """Raise the `ProviderError` that the table gives for an answer; return if it gives none.

    Args:
        answer: What came back.
        table: The adapter's rows, the first match wins.
        provider: Name of the provider, for the error.
        reason: The gateway's words, taken from the body.
        code: The gateway's own code, taken from the body.
    """
    for row in table:
        if row.matches(answer.status, reason):
            raise _error(row, answer, provider, reason, code)


def give_up(answer: Answer, *, provider: str, reason: str = "", bare: bool = True) -> UnclearAnswer:
    """Return what an answer means that no table of the adapter explains.

    Args:
        answer: What came back.
        provider: Name of the provider, for the error.
        reason: The gateway's words, if it had any.
        bare: Whether the status may be judged alone, because the body says nothing.

    Returns:
        The `UnclearAnswer` to raise.

    Raises:
        RateLimitError: The status is 429.
        ProviderError: `bare`, and the status alone is a certain refusal.
    """
    if answer.status == 429:
        refuse(answer, (Refusal(RateLimitError),), provider=provider, reason=reason)
    if bare:
        refuse(answer, BARE_STATUS, provider=provider, reason=reason or answer.excerpt)
    return UnclearAnswer(f"HTTP {answer.status}: {one_line(reason or answer.excerpt)!r}")


def _error(
    row: Refusal, answer: Answer, provider: str, reason: str, code: str | None
) -> ProviderError:
    reason = one_line(reason)
    hint = next((text for cls, text in _ADVICE.items() if issubclass(row.error, cls)), "")
    if 300 <= answer.status < 400:
        hint = "redirects are never followed; check the base_url"
    words = reason.rstrip(".") or "no reason given"
    message = f"{provider} refused (HTTP {answer.status}): {words}"
    if hint:
        message = f"{message}; {hint}"
    details: dict[str, Any] = {
        "provider": provider,
        "http_status": answer.status,
        "code": code,
        "reason": reason,
        "raw": mask_keys(answer.data),
        "healable": row.healable,
        "blame": row.blame,
    }
    if issubclass(row.error, RateLimitError):
        return row.error(message, retry_after=retry_after(answer.headers), **details)
    return row.error(message, **details)
