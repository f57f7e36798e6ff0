"""What became of texts that UGSMS's adapters sent."""

from __future__ import annotations

from typing import Any

import httpx
import respx

from iprog_async import Accepted, Message, Outcome, SmsError
from support.ugsms.wire import HOST, submit, v2


SEND = f"{HOST}/api/v2/sms/send"
BAD_NUMBER = {"error": "Invalid phone number format."}


async def outcomes(
    router: respx.MockRouter, answer: httpx.Response, *messages: Message, **settings: Any
) -> list[Outcome]:
    """Return the outcomes of messages that one request of v2 got this answer for."""
    router.post(url__startswith=HOST).mock(return_value=answer)
    return list(await submit(v2(**settings), *messages))


def states(found: list[Outcome]) -> list[str]:
    """Return the states of outcomes, in order."""
    return [outcome.state for outcome in found]


def error_of(outcome: Outcome) -> SmsError:
    """Return the error of an outcome that has one."""
    assert not isinstance(outcome, Accepted)
    return outcome.error
