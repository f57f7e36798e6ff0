"""Texts that a phone of the sandbox sends to a gateway."""

from __future__ import annotations

from datetime import datetime

from attrs import evolve, frozen


@frozen
class ReceivedText:
    """A text that a gateway of the sandbox received.

    Args:
        gateway: Prefix of the gateway.
        sender: The number that it came from, in the gateway's notation.
        to: What it was sent to: the sender that the phone was texted by.
        text: What it says.
        message_id: The gateway's id.
        received_at: When, in UTC.
        status: The HTTP status that an app answered with; `None` if it was not pushed, or the app
            gave no answer.
    """

    gateway: str
    sender: str
    to: str
    text: str
    message_id: str
    received_at: datetime
    status: int | None = None

    def pushed(self, status: int | None) -> ReceivedText:
        """Return the same with an app's answer."""
        return evolve(self, status=status)
