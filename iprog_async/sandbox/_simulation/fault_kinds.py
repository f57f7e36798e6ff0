"""The kinds of faults: a row each in the table, and a function that shows it to the client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, Protocol

from attrs import frozen


FaultKind = Literal[
    "status", "status_after", "delay", "drop_before", "drop_after", "garbage", "truncate"
]
"""What a client meets; see `Fault`."""


class Client(Protocol):
    """Who made a request that meets a fault, and what it can be shown."""

    async def show_answer(self, status: int | None = None, page: int | None = None) -> None:
        """Show an answer of the fault's own.

        Args:
            status: Its HTTP status; the fault's if `None`.
            page: HTTP status whose page stands in for a missing body; the same if `None`.
        """
        ...

    async def show_reply(self, *, half: bool) -> None:
        """Show what the gateway answered, or the first half of it."""
        ...

    async def hang_up(self, *, flush: bool) -> None:
        """Close the connection, with or without sending what was shown."""
        ...


async def _answer_status(client: Client) -> None:
    await client.show_answer()


async def _answer_garbage(client: Client) -> None:
    # A proxy's page inside an HTTP 200 is the garbage that is met most.
    await client.show_answer(200, page=502)


async def _answer_whole(client: Client) -> None:
    await client.show_reply(half=False)


async def _answer_half(client: Client) -> None:
    await client.show_reply(half=True)
    await client.hang_up(flush=True)


async def _hang_up(client: Client) -> None:
    await client.hang_up(flush=False)


@frozen
class Effect:
    """What a kind of fault does.

    Args:
        show: Shows it to the client.
        words: What the inbox page says of a request that met it.
        brief: What the page's list of failed requests says; the HTTP status if `None`.
        accepts: Whether the gateway does what it was asked before the fault shows.
        own_answer: Whether the fault gives an answer of its own, with `body` and `headers`.
        only_delays: Whether it takes time and nothing else, so that it needs a `delay`.
    """

    show: Callable[[Client], Awaitable[None]]
    words: str
    brief: str | None = None
    accepts: bool = True
    own_answer: bool = False
    only_delays: bool = False


EFFECTS: Mapping[FaultKind, Effect] = {
    "status": Effect(
        _answer_status,
        "A fault answered instead of the gateway.",
        accepts=False,
        own_answer=True,
    ),
    "status_after": Effect(
        _answer_status,
        "The gateway took the text; a fault answered instead.",
        own_answer=True,
    ),
    "delay": Effect(
        _answer_whole,
        "A fault held the answer back.",
        only_delays=True,
    ),
    "drop_before": Effect(
        _hang_up,
        "A fault closed the connection before the gateway saw the request.",
        brief="no answer",
        accepts=False,
    ),
    "drop_after": Effect(
        _hang_up,
        "The gateway took the text; a fault closed the connection before its answer.",
        brief="no answer",
    ),
    "garbage": Effect(
        _answer_garbage,
        "The gateway took the text; a fault put garbage in place of its answer.",
        brief="garbage",
        own_answer=True,
    ),
    "truncate": Effect(
        _answer_half,
        "A fault closed the connection in the middle of the answer.",
        brief="cut off",
    ),
}
"""A kind of fault is a row here, its name in `FaultKind`, and a row in the table of `Fault`."""
