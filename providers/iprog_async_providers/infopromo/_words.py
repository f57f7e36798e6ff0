"""Ultimate SMS's status words, in this library's words."""

from __future__ import annotations

import re

from iprog_async import DeliveryState, DeliveryStatus


# Words of the server's source. "Accepted" is the upstream's word: it left this host.
STATES: dict[str, DeliveryState] = {
    "delivered": "delivered",
    "enroute": "sent",
    "accepted": "sent",
    "expired": "failed",
    "undelivered": "failed",
    "rejected": "failed",
    "skipped": "failed",
    "failed": "failed",
}
# Of the host that queues only "accepted" was seen, and there it means "in our queue".
QUEUE_STATES: dict[str, DeliveryState] = {
    "accepted": "pending",
    "queued": "pending",
    "pending": "pending",
    "processing": "pending",
    "processed": "sent",
    "completed": "sent",
    "sent": "sent",
    "delivered": "delivered",
    "failed": "failed",
}
# Old versions put the upstream's text around the word: "Delivered|8f21c0".
_EMBEDDED = re.compile(rf"(?<![a-z])(?<!not )({'|'.join(STATES)})(?![a-z])")


def delivery_status(word: str, raw: object = None) -> DeliveryStatus:
    """Return what a status word of a message means; the word stays readable."""
    states: list[DeliveryState] = [STATES[match[1]] for match in _EMBEDDED.finditer(word.lower())]
    agreed = bool(states) and all(state == states[0] for state in states)
    return DeliveryStatus(states[0] if agreed else "unknown", word, raw)


def queue_status(word: str, raw: object = None) -> DeliveryStatus:
    """Return what a status word of a queued request means."""
    return DeliveryStatus(QUEUE_STATES.get(word.strip().lower(), "unknown"), word, raw)
