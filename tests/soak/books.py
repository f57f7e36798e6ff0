"""What the sender says became of each text, held against what the gateway delivered."""

from __future__ import annotations

from collections import Counter
from itertools import zip_longest
from pathlib import Path

from attrs import frozen

from iprog_async import Outcome


ACCEPTED, NOT_SENT, UNKNOWN, PENDING, WRONG_ANSWER = b"ANUPW"
"""One byte for each text; `WRONG_ANSWER` was accepted by the answer to another text."""

_HONEST = {(ACCEPTED, 1), (NOT_SENT, 0), (UNKNOWN, 0), (UNKNOWN, 1)}


def mark_of(outcome: Outcome, message_id: str) -> int:
    """Return the mark of an outcome, given the id that only its own text's answer holds."""
    if outcome.state == "accepted":
        return ACCEPTED if outcome.receipt.message_id == message_id else WRONG_ANSWER
    return UNKNOWN if outcome.state == "unknown" else NOT_SENT


class Lane:
    """Texts of one kind; the sender keeps their marks and the gateway how often each came.

    Args:
        name: A single word.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.marks = bytearray()

    def take(self, count: int = 1) -> int:
        """Make room for so many texts, and return the index of the first."""
        start = len(self.marks)
        self.marks += bytes([PENDING]) * count
        return start

    def deliver(self, index: int) -> None:
        """Count one delivery; the byte is full at 255, which is wrong enough."""
        if index >= len(self.marks):
            self.marks += bytes(index + 1 - len(self.marks))
        self.marks[index] = min(255, self.marks[index] + 1)

    def save(self, folder: Path) -> None:
        """Write all marks to a file of the lane's name."""
        (folder / self.name).write_bytes(self.marks)


@frozen
class Tally:
    """How many texts of a lane ended in each way, on both sides.

    Args:
        pairs: How often each mark came with each number of deliveries.
    """

    pairs: Counter[tuple[int, int]]

    @classmethod
    def of(cls, marks: bytes, deliveries: bytes) -> Tally:
        """Hold a lane's marks against its deliveries."""
        return cls(Counter(zip_longest(marks, deliveries, fillvalue=0)))

    @property
    def lies(self) -> dict[tuple[str, int], int]:
        """Texts whose outcome is not what happened, or that came more than once."""
        return {(chr(mark), n): self.pairs[mark, n] for mark, n in self.pairs.keys() - _HONEST}

    @property
    def delivered(self) -> int:
        """How many texts the gateway delivered, repetitions included."""
        return sum(times * count for (_, times), count in self.pairs.items())

    def marked(self, wanted: int) -> int:
        """Return how many texts have a mark."""
        return sum(count for (mark, _), count in self.pairs.items() if mark == wanted)

    def __str__(self) -> str:
        ways = {"accepted": ACCEPTED, "not sent": NOT_SENT, "unknown": UNKNOWN}
        shown = [f"{self.marked(mark):>8} {way}" for way, mark in ways.items()]
        return f"{', '.join(shown)}, {self.delivered:>8} delivered"
