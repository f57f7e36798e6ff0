"""What an adapter makes of an answer, without any network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from iprog_async import Message, Outcome
from iprog_async._engines.base import WireReply
from iprog_async._http.calls import HttpCall
from iprog_async._http.responses import read_result
from iprog_async.testing import Reply


T = TypeVar("T")


async def outcomes_of(
    provider: Any, reply: Reply, numbers: Sequence[str], texts: Sequence[str] = ()
) -> Sequence[Outcome]:
    """Return the outcomes of one request to these numbers, which is answered so.

    Args:
        provider: The adapter, unbound.
        reply: The answer.
        numbers: Whom the texts are for.
        texts: A text for each, if they differ.
    """
    headers = {name.lower(): value for name, value in reply.headers.items()}
    wire = WireReply(reply.status, headers, reply.body)

    async def call(call: HttpCall[T], /) -> T:
        return read_result(call, wire, call.redactor())

    bound = provider.bind(call)
    texts = texts or ["Your parcel is here."] * len(numbers)
    messages = [Message(number, text) for number, text in zip(numbers, texts, strict=True)]
    batch = [bound.prepare(message, index) for index, message in enumerate(messages)]
    outcomes: Sequence[Outcome] = await bound.submit(batch)
    return outcomes
