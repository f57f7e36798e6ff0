"""What each error of the SDK means to a caller of this API, as `application/problem+json`."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import ceil

from fastapi import Request
from fastapi.responses import JSONResponse

from iprog_async import (
    AuthenticationError,
    ConnectionFailedError,
    DuplicateMessageError,
    InsufficientCreditError,
    InvalidMessageError,
    JournalConflictError,
    JournalError,
    LimitExceededError,
    NoAnswerError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    RejectedError,
    SmsError,
    SuppressedError,
    SuppressionsError,
    UnsupportedError,
)


logger = logging.getLogger(__name__)

_LATER = 30


@dataclass(frozen=True)
class Problem:
    """What a caller is told.

    Args:
        status: HTTP status.
        title: What happened, in the shop's words: those of the gateway concern nobody else.
        retry_after: Seconds after which a repetition makes sense, where it does.
        quotable: Whether the error's own words are about what the caller gave.
    """

    status: int
    title: str
    retry_after: int | None = None
    quotable: bool = False


_OUR_TROUBLE = Problem(503, "No text can be sent at the moment; it was not sent.", _LATER)

# The first line that fits is taken, so a subclass stands above its base.
_PROBLEMS: tuple[tuple[type[SmsError], Problem], ...] = (
    (JournalConflictError, Problem(409, "The number got another text of this campaign before.")),
    (DuplicateMessageError, Problem(409, "The number gets this text already; it gets no second.")),
    (SuppressedError, Problem(409, "The number asked for no more texts; nothing was sent.")),
    (InvalidMessageError, Problem(422, "That is not right; nothing was sent.", quotable=True)),
    (
        OutcomeUnknownError,
        Problem(202, "The text may be on its way: wait for it before you ask for another."),
    ),
    (RateLimitError, Problem(429, "Too many texts at the moment; it was not sent.", _LATER)),
    (LimitExceededError, Problem(429, "That was asked for too often; nothing was sent.", _LATER)),
    (AuthenticationError, _OUR_TROUBLE),
    (InsufficientCreditError, _OUR_TROUBLE),
    (ConnectionFailedError, _OUR_TROUBLE),
    (JournalError, _OUR_TROUBLE),
    (SuppressionsError, _OUR_TROUBLE),
    (NotFoundError, Problem(404, "There is no such text.")),
    (RejectedError, Problem(422, "The gateway does not take this text; it was not sent.")),
    (UnsupportedError, Problem(501, "The gateway of this shop can't do that; nothing was sent.")),
    (NoAnswerError, Problem(504, "There was no answer; nothing was sent. Ask again.", 1)),
)
_BUG = Problem(500, "Something is wrong with this shop; the text was not sent.")


def problem_of(error: SmsError) -> Problem:
    """Return what a caller may know of an error."""
    problem = next((problem for kind, problem in _PROBLEMS if isinstance(error, kind)), _BUG)
    if isinstance(error, RateLimitError) and error.retry_after is not None:
        return replace(problem, retry_after=ceil(error.retry_after))
    if isinstance(error, LimitExceededError):
        wait = (error.until - datetime.now(UTC)).total_seconds()
        return replace(problem, retry_after=max(1, ceil(wait)))
    return problem


def words_of(error: SmsError) -> str:
    """Return the same as one sentence; about what callers gave, the SDK's own words are best."""
    problem = problem_of(error)
    return str(error) if problem.quotable else problem.title


async def answer_problem(request: Request, error: Exception) -> JSONResponse:
    """Answer a request that met an error of the SDK; the operator reads the rest in the log."""
    if not isinstance(error, SmsError):
        raise error
    problem = problem_of(error)
    # The SDK keeps secrets out of its errors, so they can be logged whole.
    level = logging.ERROR if problem.status >= 500 else logging.INFO
    logger.log(level, "%s %s: %s", request.method, request.url.path, error)
    content: dict[str, object] = {
        "status": problem.status,
        "title": problem.title,
        "text": "unknown" if error.may_have_been_sent else "not sent",
    }
    if problem.quotable:
        content["detail"] = str(error)
    headers = {} if problem.retry_after is None else {"Retry-After": str(problem.retry_after)}
    return JSONResponse(content, problem.status, headers, media_type="application/problem+json")
