"""What a caller wants sent, and the same message once it has been checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, TypeAlias

from attrs import Factory, field, frozen

from iprog_async._core.errors import InvalidMessageError
from iprog_async._core.gsm7.replacement import EncodingSetting, Gsm7Text
from iprog_async._core.hot_path import value
from iprog_async._core.redaction import shown
from iprog_async._core.schedules import (
    EXACT,
    is_aware,
    is_before,
    is_skipped,
    skipped_words,
    unaware_words,
)


if TYPE_CHECKING:
    from iprog_async._core.segments import Segments


_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMERIC_SENDER = re.compile(r"\+?\d{1,15}", re.ASCII)


@frozen
class Message:
    """One text for one recipient.

    Building one never fails, so that a bad row of a file becomes an outcome of its own.

    Args:
        to: Phone number as people write it, for example `"0917 123 4567"`.
        text: What the phone shows.
        sender_id: The name or number the phone shows as sender; the provider's default if `None`.
        schedule_at: When to send, as an aware `datetime`; at once if `None`.
        key: Tells two equal texts for one number apart, for example an order number.
        options: The adapter's own options object, for example `IprogOptions`.
        encoding: How the text is written, as for `SmsClient`; as the run or the client has it
            if `None`.
        not_after: Until when it may leave, as an aware `datetime`; whenever it can if `None`. Later
            it is not sent, but `ExpiredError`. It is no part of what tells two texts apart.
    """

    to: str
    text: str
    sender_id: str | None = None
    schedule_at: datetime | None = None
    key: str | None = None
    options: object | None = None
    encoding: EncodingSetting | None = None
    not_after: datetime | None = None


@value(unsafe_hash=True)
class PreparedMessage:
    """A message that passed every check an adapter can make without the network.

    Args:
        message: What the caller gave, with the text that travels.
        to: The recipient in the gateway's own notation.
        e164: The recipient as `+639171234567`: its identity, whatever the notation.
        segments: How the text splits into SMS segments.
        index: Position in the run; 0 for a single send.
        wire: The message as the gateway gets it, with what its wire can't tell apart made equal:
            the time in its steps, the sender ID without blanks around it. Requests are built
            from it, and it alone decides what is the same text twice, and what travels together.
        schedule_step: The steps in which the gateway keeps times; exact if zero.
        gsm7: What was changed in the caller's text, so that it travels in GSM-7, if anything was;
            `message` then has the text that travels.
        asked: What it was before a policy rewrote it, if one did; as its wire had it.
    """

    message: Message
    to: str
    e164: str
    segments: Segments = field(repr=False)
    index: int = 0
    wire: Message = field(
        default=Factory(lambda self: self.message, takes_self=True), repr=False, kw_only=True
    )
    schedule_step: timedelta = field(default=EXACT, repr=False, kw_only=True)
    gsm7: Gsm7Text | None = field(default=None, repr=False, kw_only=True)
    asked: Message | None = field(default=None, repr=False, kw_only=True)

    @property
    def identity(self) -> Message:
        """What a journal knows it by: a text that a policy rewrote is the same text."""
        return self.wire if self.asked is None else self.asked


Batch: TypeAlias = Sequence[PreparedMessage]
"""Messages that travel together in one request."""


def check_schedule(message: Message) -> None:
    """Raise `InvalidMessageError` if the time of a message has no zone, or is none in its zone."""
    # A bad row can hold anything at run time, whatever the annotation says.
    when: object = message.schedule_at
    if when is None:
        return
    if not is_aware(when):
        raise InvalidMessageError(unaware_words("schedule_at", when))
    if not isinstance(when.tzinfo, timezone) and is_skipped(when):
        raise InvalidMessageError(skipped_words(f"schedule_at {when.isoformat()}", when))


def check_not_after(message: Message) -> None:
    """Raise `InvalidMessageError` if the end of a message's time has no zone, or makes no sense.

    It is for whoever is told the end: what was enqueued may have less time left than until its
    schedule, and its request leaves before that.
    """
    until: object = message.not_after
    if until is None:
        return
    if not is_aware(until):
        raise InvalidMessageError(unaware_words("not_after", until))
    when: object = message.schedule_at
    if is_aware(when) and is_before(until, when):
        raise InvalidMessageError(
            f"schedule_at {when.isoformat()} is later than not_after {until.isoformat()}"
        )


def check_text(message: Message) -> None:
    """Raise `InvalidMessageError` if there is nothing to send."""
    text: object = message.text
    if type(text) is str and text.isascii() and text and not text.isspace():
        return
    if text is not None and not isinstance(text, str):
        raise InvalidMessageError(
            f"the text for {message.to!r} is of type {type(text).__name__}, not str: {text!r}"
        )
    if text is None or not text.strip():
        raise InvalidMessageError(f"the text for {message.to!r} is empty: {text!r}")
    if not text.isascii() and _LONE_SURROGATE.search(text):
        raise InvalidMessageError(f"the text for {message.to!r} has half a character: {text!r}")


def check_sender_id(sender_id: object) -> str:
    """Return a sender ID as it travels: without the blanks that a cell or a setting has around it.

    The limit is GSM's: an alphanumeric originating address has room for 11 characters.

    Raises:
        InvalidMessageError: It has not 1 to 11 characters, and is no number.
    """
    sent = sender_id.strip() if isinstance(sender_id, str) else ""
    if not sent:
        raise InvalidMessageError(f"the sender ID is empty: {shown(sender_id)}")
    if not sent.isprintable():
        raise InvalidMessageError(
            f"the sender ID {shown(sender_id)} has a character no phone can show"
        )
    if len(sent) > 11 and not _NUMERIC_SENDER.fullmatch(sent):
        raise InvalidMessageError(
            f"the sender ID {shown(sender_id)} has {len(sent)} characters; 11 is the most"
        )
    return sent
