"""All that happens to a request at the gateway of the soak test, and how often."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from attrs import field, frozen

from iprog_async.testing import (
    Behaviour,
    RawRequest,
    Reply,
    answer,
    close_idle,
    drop,
    drop_on_arrival,
    truncate,
)


CLIENT_TIMEOUT = 1.0
"""Seconds that the senders wait for an answer."""


@frozen
class Mishap:
    """One thing that can happen.

    Args:
        name: For people.
        cards: How often it happens, in a deck of some hundred.
        delivers: Whether the text goes out before it happens.
        behave: What the gateway does, given the answer it would give on a good day.
    """

    name: str
    cards: int
    delivers: bool
    behave: Callable[[Reply], Behaviour] = field(repr=False)


def _raw(name: str, *, extra: Callable[[Reply], bytes]) -> Callable[[Reply], Behaviour]:
    """Write bytes as they are, and keep the connection open."""

    def behave(reply: Reply) -> Behaviour:
        async def play(_: RawRequest, writer: asyncio.StreamWriter) -> bool:
            writer.write(extra(reply))
            await writer.drain()
            return True

        return Behaviour(name, play)

    return behave


def _and_another(reply: Reply) -> bytes:
    """Return the answer and, in the same piece, one that nobody asked for."""
    unasked = Reply.of_json({"status": 200, "message": "queued", "message_id": "iSms-unasked"})
    return reply.head() + reply.body + unasked.head() + unasked.body


_BUSY = Reply.of_html("<h1>503 Service Unavailable</h1>", 503)
_PAGE = Reply.of_html("<p>Welcome</p>")
_REFUSAL = Reply.of_json({"status": 500, "message": ["Your input has inappropriate language."]})
LIMITED = Reply.of_json({"message": "Too Many Attempts."}, 429, {"Retry-After": "1"})

MISHAPS = (
    Mishap("answer", 200, True, answer),
    Mishap("slow answer", 10, True, lambda reply: answer(reply, after=0.05)),
    Mishap("late answer", 1, True, lambda reply: answer(reply, after=CLIENT_TIMEOUT * 1.5)),
    Mishap("refusal", 5, False, lambda _: answer(_REFUSAL)),
    Mishap("503 before", 3, False, lambda _: answer(_BUSY)),
    Mishap("503 after", 3, True, lambda _: answer(_BUSY)),
    Mishap("drop on arrival", 3, False, lambda _: drop_on_arrival()),
    Mishap("drop before", 3, False, lambda _: drop()),
    Mishap("drop after", 3, True, lambda _: drop()),
    Mishap("reset before", 3, False, lambda _: drop(reset=True)),
    Mishap("reset after", 3, True, lambda _: drop(reset=True)),
    Mishap("garbage", 3, True, _raw("garbage", extra=lambda _: b"\x16\x03 what?\r\n\r\n")),
    Mishap("web page", 3, True, lambda _: answer(_PAGE)),
    Mishap("empty answer", 3, True, lambda _: answer(Reply())),
    Mishap("half an answer", 3, True, truncate),
    Mishap("second answer", 5, True, _raw("second answer", extra=_and_another)),
    Mishap("close while idle", 10, True, close_idle),
)


class Deck:
    """Deals mishaps in random order, each as often as it has cards before any comes again.

    Args:
        seed: The same seed deals the same cards.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a game
        self._cards: list[Mishap] = []

    def draw(self) -> Mishap:
        """Return the next mishap."""
        if not self._cards:
            self._cards = [mishap for mishap in MISHAPS for _ in range(mishap.cards)]
            self._random.shuffle(self._cards)
        return self._cards.pop()
