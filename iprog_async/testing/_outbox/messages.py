"""Texts as the outbox keeps them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from attrs import field, fields, frozen

from iprog_async._core.segments import Encoding, count_segments


@frozen(repr=False)
class OutboxMessage:
    """A text that was sent in a test.

    Two are equal if the same was sent, whatever came of it:
    `assert [OutboxMessage("+639171234567", "Hi")] == sms_outbox.messages`.

    Args:
        to: Recipient as E.164.
        text: What the phone shows.
        sender_id: Name or number shown as sender; the account's own if `None`.
        schedule_at: When it is to be sent; at once if `None`.
        key: The caller's own name for it.
        options: The options object it was sent with.
        not_after: Until when it was to leave.
        state: How the send ended.
        provider: Name of the provider that sent it.
        message_id: The id in its receipt; `None` unless it was accepted.
    """

    to: str
    text: str
    sender_id: str | None = None
    schedule_at: datetime | None = None
    key: str | None = None
    options: object | None = None
    not_after: datetime | None = None
    state: Literal["accepted", "not_sent", "unknown"] = field(
        default="accepted", eq=False, kw_only=True
    )
    provider: str = field(default="outbox", eq=False, kw_only=True)
    message_id: str | None = field(default=None, eq=False, kw_only=True)

    @property
    def segments(self) -> int:
        """Number of SMS segments, each of which a gateway bills."""
        return count_segments(self.text).count

    @property
    def encoding(self) -> Encoding:
        """`"GSM-7"` or `"UCS-2"`."""
        return count_segments(self.text).encoding

    def __repr__(self) -> str:
        # A failed comparison is read by a person: what was not given is left out.
        given = [f"{self.to!r}, {self.text!r}"]
        for attribute in fields(OutboxMessage)[2:]:
            value = getattr(self, attribute.name)
            if value != attribute.default and attribute.name != "message_id":
                given.append(f"{attribute.name}={value!r}")
        return f"OutboxMessage({', '.join(given)})"
