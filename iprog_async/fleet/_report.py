"""What became of messages that were loaded for the fleet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import asdict, frozen


@frozen(kw_only=True)
class EnqueueReport:
    """What became of messages that were loaded for the fleet.

    Args:
        campaign: The campaign.
        run: The number of the run that the workers make of them; 0 if nothing was loaded.
        total: Messages that were read.
        enqueued: Messages that the workers will send.
        chunks: In how many chunks.
        invalid: Messages that can't be sent as they are.
        duplicates: Messages equal to an earlier one of these, which is sent instead.
        repeated: Messages for a number that gets an earlier one of these, with `one_per_number`.
        suppressed: Messages for numbers that are never to be texted.
        waiting: Messages that were loaded before, and wait to be sent.
        on_record: Messages that the journal has as accepted, refused for good, or unknown.
        conflicts: Messages for a number that waits for another one of the same campaign.
        expired: Those of the invalid that could not leave before their `not_after`, by the hours
            of `send_between`.
    """

    campaign: str
    run: int
    total: int
    enqueued: int
    chunks: int
    invalid: int = 0
    duplicates: int = 0
    repeated: int = 0
    suppressed: int = 0
    waiting: int = 0
    on_record: int = 0
    conflicts: int = 0
    expired: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return asdict(self)


def outcome_words(outcomes: Mapping[str, int]) -> str:
    """Return what became of messages, in words."""
    accepted, not_sent, unknown = (
        outcomes.get(state, 0) for state in ("accepted", "not_sent", "unknown")
    )
    return f"accepted {accepted}, not sent {not_sent}, unknown {unknown}"
