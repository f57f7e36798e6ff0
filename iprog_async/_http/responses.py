"""What an exchange with a gateway means: the value that was asked for, or the error to raise.

Pure decisions, beside one debug record; the errors are written for the person who reads them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from attrs import evolve

from iprog_async._core.errors import (
    ConfigurationError,
    ConnectionFailedError,
    InvalidMessageError,
    NoAnswerError,
    OutcomeUnknownError,
    ProviderError,
    RateLimitError,
    SmsError,
)
from iprog_async._core.json_types import is_array
from iprog_async._core.observers import AttemptEnded, is_submitting
from iprog_async._core.outcomes import Accepted, NotSent, Unknown
from iprog_async._core.redaction import Redactor, one_line
from iprog_async._engines.base import Failure, WireReply, WireRequest
from iprog_async._http.acceptance import signs_of_acceptance
from iprog_async._http.calls import NOT_JSON, Answer, Effect, HttpCall, UnclearAnswer
from iprog_async._http.codec import decode, encode, repeats_a_name
from iprog_async._http.stock.header_fields import lead_to_a_text


T = TypeVar("T")

logger = logging.getLogger("iprog_async")


def paused(call: HttpCall[Any], seconds: float, now: datetime) -> RateLimitError:
    """Return the error of a call that does not wait until a pause of its account is over.

    Args:
        call: What was asked.
        seconds: How long the pause lasts yet.
        now: The time.
    """
    name = call.gateway.name
    return RateLimitError(
        f"{name}: could not {call.what}: the gateway has no call left or asked for a pause, "
        f"which lasts {seconds:.1f} s more{_until(now, seconds)}. Nothing was sent",
        provider=name,
        retry_after=seconds,
    )


# Of httpx; no server that is known takes as much.
_LONGEST_URL = 65536


def _until(now: datetime, seconds: float) -> str:
    try:
        end = now + timedelta(seconds=seconds)
    except OverflowError:
        # A gateway may ask for any number of seconds; dates end with the year 9999.
        return ""
    return f", until {end.isoformat(sep=' ', timespec='seconds')}"


def encode_call(call: HttpCall[Any], user_agent: str) -> WireRequest:
    """Return the request of a call.

    Raises:
        InvalidMessageError: It can't be written down; nothing was sent.
    """
    try:
        request = encode(call, user_agent)
    except (TypeError, ValueError) as exc:
        seen = type(exc).__name__
    else:
        if len(request.url) <= _LONGEST_URL:
            return request
        raise InvalidMessageError(
            f"{call.gateway.name}: could not {call.what}: it is too long to travel in an address. "
            "Nothing was sent"
        )
    raise InvalidMessageError(
        f"{call.gateway.name}: could not {call.what}: the request holds something that can't be "
        f"written down ({seen}), such as half a character. Nothing was sent"
    )


def log_attempt(
    call: HttpCall[Any], result: WireReply | Failure, seconds: float, redactor: Redactor
) -> None:
    """Write a debug record of one attempt, without a secret."""
    seen = f"HTTP {result.status}" if isinstance(result, WireReply) else result.reason
    words = f"{call.gateway.name}: {call.method} {call.path}: {seen}"
    logger.debug("%s, %.3f s", redactor.text(words), seconds)


def attempt_ended(
    call: HttpCall[Any],
    result: WireReply | Failure,
    error: SmsError | None,
    number: int,
    seconds: float,
) -> AttemptEnded:
    """Return the event of one attempt.

    Args:
        call: What was asked.
        result: What came back.
        error: What is raised, or `None`.
        number: Which attempt of the call it was, the first being 1.
        seconds: How long it took.
    """
    return AttemptEnded(
        provider=call.gateway.name,
        what=call.what,
        number=number,
        seconds=seconds,
        ended_at=time.time(),
        server=urlsplit(call.gateway.base_url).hostname or "",
        sending=is_submitting(),
        http_status=result.status if isinstance(result, WireReply) else None,
        error=error,
    )


def read_result(call: HttpCall[T], result: WireReply | Failure, redactor: Redactor) -> T:
    """Return what a call asked for; see the table of the session for what it raises.

    Args:
        call: What was asked.
        result: What came back, or why nothing did.
        redactor: Takes out the secrets of the call.
    """
    if isinstance(result, Failure):
        raise _failed(call, result, redactor.text(result.reason))
    answer = decode(
        result,
        redactor,
        quotable=not call.confidential,
        once=call.effect is Effect.ONCE,
        recipients=call.recipients,
    )
    try:
        value = _value(call, answer)
    except ProviderError:
        doubt = _doubt(call, answer, result)
        if doubt:
            raise _lost(call, doubt) from None
        raise
    if not _is_of_accepted(value):
        value = _with_proven_refusals(call, answer, result, value)
        _mask_references(value, redactor)
    return _with_whole_ids(value, answer.unmasked) if answer.unmasked else value


def _is_of_accepted(value: object) -> bool:
    """Return whether a value is a list of outcomes, none of which has an error."""
    if not is_array(value):
        return False
    for each in value:  # noqa: SIM110 - any() takes twice the time, in each send
        if not isinstance(each, Accepted):
            return False
    return True


def _mask_references(value: object, redactor: Redactor) -> None:
    """Mask the ids of texts that may be out: header fields are read as they came."""
    for each in value if is_array(value) else ():
        if isinstance(each, Unknown) and isinstance(each.error, OutcomeUnknownError):
            each.error.references = _references(each.error.references, redactor)


def _with_whole_ids(value: T, whole: Mapping[str, str]) -> T:
    """Return what was accepted with its ids as the gateway says them.

    A mask is for what is shown. An id is asked for again, and that of the account `shop` may be
    `shop-17`.
    """
    read: object = value
    if not is_array(read):
        return value
    ids = {masked.strip(): text.strip() for masked, text in whole.items()}
    return cast("T", [_with_whole_id(each, ids) for each in read])


def _with_whole_id(outcome: object, ids: Mapping[str, str]) -> object:
    if not isinstance(outcome, Accepted):
        return outcome
    receipt = outcome.receipt
    message_id = ids.get(receipt.message_id or "")
    if message_id is None:
        return outcome
    return evolve(outcome, receipt=evolve(receipt, message_id=message_id))


def _doubt(call: HttpCall[Any], answer: Answer, reply: WireReply) -> str:
    """Return why an answer that is read as a refusal proves none; nothing if it does."""
    if not answer.once:
        return ""
    if not answer.whole:
        return _NOT_WHOLE
    if answer.data is not NOT_JSON and repeats_a_name(reply.body):
        return "an answer that says two things under one name"
    headers, status = answer.headers, answer.status
    if signs_of_acceptance(None, headers=headers, status=status):
        return "an answer whose header tells of a text"
    asked = call.gateway.base_url + call.path
    if lead_to_a_text(headers, status, asked, call.query or ()):
        return "an answer that leads to what may have become of the text"
    return ""


_NOT_WHOLE = (
    "an answer of which more may have been lost: it named no length, or more came before or behind"
)


def _with_proven_refusals(call: HttpCall[T], answer: Answer, reply: WireReply, value: T) -> T:
    """Return what an answer says of each message, with no refusal that is in doubt."""
    read: object = value
    if not answer.once or not is_array(read):
        return value
    for each in read:
        if isinstance(each, NotSent):
            break
    else:
        return value
    doubt = _doubt(call, answer, reply)
    if not doubt:
        return value
    return cast(
        "T",
        [
            Unknown(each.index, each.message, _unknown(call, doubt))
            if isinstance(each, NotSent)
            else each
            for each in read
        ],
    )


def _value(call: HttpCall[T], answer: Answer) -> T:
    try:
        return call.read(answer)
    except ProviderError:
        raise
    except UnclearAnswer as exc:
        reason, references = exc.reason, exc.references
    except Exception as exc:
        # An answer that breaks the reading proves nothing; it must not break the caller.
        reason, references = f"an answer that can't be read ({type(exc).__name__})", ()
    raise _lost(call, reason, references or _ids_in(call, answer))


def _ids_in(call: HttpCall[Any], answer: Answer) -> tuple[str, ...]:
    """Return the ids by which a text that may be out can be looked for at the gateway."""
    if call.effect is not Effect.ONCE or call.confidential or answer.data is NOT_JSON:
        return ()
    return signs_of_acceptance(answer.data).ids


def _failed(call: HttpCall[Any], failure: Failure, reason: str) -> SmsError:
    """Return the error of a call without an answer.

    Args:
        call: What was asked.
        failure: What came of it.
        reason: Why, without a secret.
    """
    if failure.proxy:
        reason = f"through the proxy that {failure.proxy} names: {reason}"
    if failure.may_have_left:
        return _lost(call, reason)
    what = f"{call.gateway.name}: could not {call.what}: {one_line(reason).rstrip('.')}"
    if failure.unusable:
        return ConfigurationError(f"{what}. Nothing was sent; check the base_url")
    advice = "check the network and the base_url"
    if failure.proxy:
        advice = f"check that proxy, or put the gateway's host into {_no_proxy(failure.proxy)}"
    return ConnectionFailedError(f"{what}. The request did not leave; {advice}")


def _no_proxy(variable: str) -> str:
    """Return what lists the hosts without a proxy, in the case of the variable beside it."""
    return "NO_PROXY" if variable.isupper() else "no_proxy"


def _lost(call: HttpCall[Any], reason: str, references: tuple[str, ...] = ()) -> SmsError:
    reason = one_line(call.redactor().text(reason)).rstrip(".")
    if call.effect is not Effect.ONCE:
        name = call.gateway.name
        return NoAnswerError(f"{name}: could not {call.what}: {reason}. Ask again later")
    return _unknown(call, reason, references)


def _unknown(
    call: HttpCall[Any], reason: str, references: tuple[str, ...] = ()
) -> OutcomeUnknownError:
    name, redactor = call.gateway.name, call.redactor()
    return OutcomeUnknownError(
        f"{name}: it is unknown whether it could {call.what}: {reason}. "
        "It may have happened: check at the gateway before you repeat it",
        provider=name,
        reason=reason,
        references=_references(references, redactor),
    )


def _references(given: Iterable[object], redactor: Redactor) -> tuple[str, ...]:
    """Return ids as they are shown: an adapter may have read them from header fields as they came.

    They are masked first: half a secret is not known as one.
    """
    return tuple(redactor.beginning(str(each), _LONGEST_REFERENCE) for each in given)


_LONGEST_REFERENCE = 250
