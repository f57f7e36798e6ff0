"""Whom the soak test texts, and what: each text can be found again from what was sent."""

from __future__ import annotations


_PREFIX = "63917"


def wire_number(index: int) -> str:
    """Return the number of a lane's text in the gateway's notation."""
    return f"{_PREFIX}{index:07d}"


def index_of(wire: str) -> int:
    """Return which of a lane's texts goes to a number."""
    return int(wire.removeprefix(_PREFIX))


def common_text(lane: str) -> str:
    """Return a text that all of a lane get, so that many travel together."""
    return f"Soak {lane}"


def own_text(lane: str, index: int) -> str:
    """Return a text that only one number gets."""
    return f"Soak {lane} {index}"


def lane_of(text: str, wire: str) -> str:
    """Return the lane of a text that came for a number.

    Raises:
        ValueError: The text was meant for another number.
    """
    _, lane, *index = text.split()
    if index and int(index[0]) != index_of(wire):
        raise ValueError(f"{wire} got the text of number {index[0]}")
    return lane
