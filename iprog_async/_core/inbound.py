"""A text that somebody sent to one of our numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attrs import field, frozen


@frozen
class Inbound:
    """An incoming text, as a gateway told of it.

    Nothing in it is proven: whoever can reach the address that a gateway posts to can write one.

    Args:
        sender: The number that it came from, as E.164; as the gateway writes it where that is no
            phone number, such as a short code or a name.
        text: What it says.
        to: The number it was sent to, in the gateway's notation, where the gateway says.
        gateway: Name of the provider that it came through.
        id: The gateway's id; `None` where it gives none.
        received_at: When, as an aware `datetime`: when it was pushed, or what the gateway's list
            says; `None` if that names no time zone.
        raw: What the gateway said, parsed, with secrets masked.
    """

    sender: str
    text: str
    to: str | None = None
    gateway: str = ""
    id: str | None = None
    received_at: datetime | None = None
    raw: Any = field(default=None, repr=False, eq=False)

    @property
    def is_from_a_number(self) -> bool:
        """Whether the sender is a phone number, which can be texted."""
        return self.sender.startswith("+")
