"""Finding texts for the inbox page, and telling of them in few words."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, get_args

from attrs import field, frozen

from iprog_async._core.segments import count_segments
from iprog_async.sandbox._simulation.inbox import InboxText
from iprog_async.sandbox._simulation.replies import ReceivedText


Stage = Literal["scheduled", "pending", "delivered", "failed"]
"""How far a text has come; a scheduled one is still at the gateway."""

STAGES: tuple[str, ...] = get_args(Stage)
_PREVIEW = 160
# What people write numbers with besides digits.
_NUMBER_SIGNS = frozenset("0123456789+-() .")
_SHORTEST_NUMBER = 3


def stage_of(text: InboxText, now: datetime) -> str:
    """Return how far a text has come."""
    return "scheduled" if now < text.due_at else text.state(now)


def _folded(words: str) -> str:
    return words.strip().casefold()


@frozen
class Query:
    """What texts must be like.

    Args:
        gateway: Prefix of their gateway; `None` is any.
        stage: How far they have come; `None` is any.
        words: What their text, recipient, sender or id contains, without regard to case. A
            number may be written with or without its country's `0`, `+` and spaces.
    """

    gateway: str | None = None
    stage: str | None = None
    words: str = field(default="", converter=_folded)

    def find(self, texts: Sequence[InboxText], now: datetime) -> Sequence[InboxText]:
        """Return the texts of the query's gateway that match, in their order."""
        if self.stage is None and not self.words:
            # There may be half a million, of which a page is shown.
            return texts
        found: Iterable[InboxText] = texts
        if self.stage is not None:
            found = (text for text in found if stage_of(text, now) == self.stage)
        if self.words:
            number = _number_in(self.words)
            found = (text for text in found if _contains(text, self.words, number))
        return list(found)


def _number_in(words: str) -> str:
    """Return the digits that a number has in any spelling, or nothing if it is none."""
    if not set(words) <= _NUMBER_SIGNS:
        return ""
    digits = "".join(filter(str.isdigit, words)).lstrip("0")
    return digits if len(digits) >= _SHORTEST_NUMBER else ""


def _contains(text: InboxText, words: str, number: str) -> bool:
    if number and number in "".join(filter(str.isdigit, text.to)):
        return True
    shown = (text.text, text.to, text.sender_id, text.message_id)
    # A plug-in may say of a sender that there is none.
    return any(words in part.casefold() for part in shown if part)


def place_of(newest_first: Sequence[InboxText], serial: int) -> int:
    """Return how many texts are newer than one, which need not be among them."""
    return bisect_left(newest_first, -serial, key=lambda text: -text.serial)


def next_move(texts: Iterable[InboxText], now: datetime) -> float | None:
    """Return when the next of the texts moves on to another stage, or `None`."""
    times = (when for text in texts for when in (text.due_at, text.final_at) if when > now)
    soonest = min(times, default=None)
    return None if soonest is None else millis(soonest)


def millis(when: datetime) -> float:
    """Return a time as browsers count it."""
    return when.timestamp() * 1000


def row(text: InboxText) -> dict[str, Any]:
    """Return what a list shows of a text; times say for ever how far it has come."""
    segments = count_segments(text.text)
    return {
        "serial": text.serial,
        "gateway": text.gateway,
        "to": text.to,
        "sender": text.sender_id,
        "preview": text.text[:_PREVIEW],
        "segments": segments.count,
        "encoding": segments.encoding,
        "accepted": millis(text.accepted_at),
        "due": millis(text.due_at),
        "final": millis(text.final_at),
        "outcome": text.final_state,
    }


def reply_row(received: ReceivedText) -> dict[str, Any]:
    """Return what a phone shows of a text that it sent."""
    return {
        "text": received.text,
        "at": millis(received.received_at),
        "status": received.status,
    }


def thread(newest_first: Sequence[InboxText], chosen: InboxText, limit: int) -> list[InboxText]:
    """Return a text and the last ones before it that the same phone shows above it."""
    older = (
        text
        for text in newest_first
        if text.serial <= chosen.serial
        and text.sender_id == chosen.sender_id
        and text.gateway == chosen.gateway
        and text.to == chosen.to
    )
    return [text for text, _ in zip(older, range(limit), strict=False)][::-1]
