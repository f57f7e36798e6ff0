"""Ultimate SMS's status words, in this library's words."""

from __future__ import annotations

import re

from attrs import evolve

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
# Words that stand alone where the text of an error would: a send to one was handed to the
# upstream, and this is its answer. 2.8 and 3.1.0 say so with 404, later versions with 403 (SRC).
ANSWERED: dict[str, DeliveryState] = {
    **STATES,
    "delivered": "sent",
    "sent": "sent",
    "sending": "sent",
    "scheduled": "sent",
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
# The word, or the word and the upstream's id, and nothing else: "sent|SM0123".
_ALONE = re.compile(rf"({'|'.join(ANSWERED)})\.?(\|[\w.:-]{{1,80}})?", re.IGNORECASE | re.ASCII)


def delivery_status(word: str, raw: object = None) -> DeliveryStatus:
    """Return what a status word of a message means; the word stays readable."""
    states: list[DeliveryState] = [STATES[match[1]] for match in _EMBEDDED.finditer(word.lower())]
    agreed = bool(states) and all(state == states[0] for state in states)
    return DeliveryStatus(states[0] if agreed else "unknown", word, raw)


def send_status(word: str) -> DeliveryStatus:
    """Return what a status word means in the answer of a send.

    "Delivered" says there that the upstream took the text: that of Twilio is stored so when it
    has queued one (SRC). Whether it was delivered is another question, for later.
    """
    status = delivery_status(word)
    return evolve(status, state="sent") if status.state == "delivered" else status


def answered_status(text: str) -> DeliveryStatus | None:
    """Return the status that an error's text is nothing but; `None` if it is anything else."""
    alone = _ALONE.fullmatch(text)
    return None if alone is None else DeliveryStatus(ANSWERED[alone[1].lower()], text)


def queue_status(word: str, raw: object = None) -> DeliveryStatus:
    """Return what a status word of a queued request means."""
    return DeliveryStatus(QUEUE_STATES.get(word.strip().lower(), "unknown"), word, raw)
