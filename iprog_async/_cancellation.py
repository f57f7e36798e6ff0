"""What a cancellation says about the request that it caught."""

from __future__ import annotations

import asyncio


_IN_FLIGHT = "the request was on its way"


def note_in_flight(exc: asyncio.CancelledError, words: str) -> None:
    """Say on a cancellation that a send was on its way, so that nobody repeats it blindly."""
    exc.add_note(f"{words}: {_IN_FLIGHT}")


def was_in_flight(exc: asyncio.CancelledError) -> bool:
    """Return whether a cancellation caught a send that may have left."""
    notes: list[str] = getattr(exc, "__notes__", [])
    return any(note.endswith(_IN_FLIGHT) for note in notes)
