"""IPROG's message reminders: texts that the gateway sends later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from attrs import field, frozen

from iprog_async import (
    DeliveryState,
    DeliveryStatus,
    InvalidMessageError,
    Message,
    Outcome,
    SmsError,
)
from iprog_async.adapter import (
    Effect,
    Id,
    PreparedMessage,
    UnclearAnswer,
    accepted,
    check_future,
    check_text,
    failed,
    mask_keys,
    structure,
)
from iprog_async_providers.iprog._answers import NO_SUCH_ID
from iprog_async_providers.iprog._api import Wire, to_wire_number
from iprog_async_providers.iprog._times import MANILA, manila_time


_PATH = "/api/v1/message-reminders"
_PREFIX = "reminder:"
# "scheduled" is documented; the others are what a reminder could turn into (INFER).
_STATES: dict[str, DeliveryState] = {
    "scheduled": "pending",
    "pending": "pending",
    "sent": "sent",
    "completed": "delivered",
    "failed": "failed",
}


@frozen
class Reminder:
    """A text that IPROG sends later.

    Args:
        id: The gateway's id.
        phone_number: Recipient, as the gateway writes it.
        message: What the phone will show.
        scheduled_at: When, as an aware `datetime`.
        status: The gateway's word, `"scheduled"` at first.
        raw: The parsed answer, with secrets masked.
    """

    id: Id
    phone_number: str
    message: str
    scheduled_at: datetime
    status: str
    raw: object = field(default=None, repr=False, eq=False)

    @property
    def delivery_status(self) -> DeliveryStatus:
        """The status in this library's words."""
        return DeliveryStatus(_STATES.get(self.status.lower(), "unknown"), self.status, self.raw)


class Reminders:
    """Creates, reads, changes and deletes reminders; IPROG has no list of them."""

    def __init__(self, wire: Wire, prepare: Callable[[Message], PreparedMessage]) -> None:
        self._wire = wire
        self._prepare = prepare

    async def create(self, to: str, text: str, scheduled_at: datetime) -> Reminder:
        """Have a text sent later; it is billed, so it is never repeated by itself.

        Args:
            to: Phone number as people write it.
            text: What the phone shows.
            scheduled_at: When, as an aware `datetime`. IPROG keeps whole minutes: it is rounded
                up, so that nothing is sent too early.

        Raises:
            InvalidMessageError: It can't be sent as it is, or the time is over; nothing was
                created.
            ConnectionFailedError: The gateway can't be reached; the request did not leave.
            OutcomeUnknownError: It may have been created.
            ProviderError: The gateway refused; nothing was created.
        """
        prepared = self._prepare(Message(to, text, schedule_at=scheduled_at))
        _check_future(scheduled_at)
        return await self._create(prepared)

    async def get(self, reminder: Reminder | str) -> Reminder:
        """Read a reminder.

        Args:
            reminder: The reminder, its id, or the `message_id` of a scheduled text's receipt.

        Raises:
            NotFoundError: The gateway knows no such reminder.
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        return await self._wire.read(
            _path(reminder), self._wire.reader(_read, NO_SUCH_ID), "read the reminder"
        )

    async def update(
        self,
        reminder: Reminder | str,
        *,
        to: str | None = None,
        text: str | None = None,
        scheduled_at: datetime | None = None,
    ) -> Reminder:
        """Change a reminder; what is `None` stays as it is.

        Args:
            reminder: The reminder, its id, or the `message_id` of a scheduled text's receipt.
            to: Phone number as people write it.
            text: What the phone shows.
            scheduled_at: When, as for `create`.

        Raises:
            InvalidMessageError: A new value makes no sense, the time is over, or nothing is
                changed.
            NotFoundError: The gateway knows no such reminder.
            ConnectionFailedError: The gateway can't be reached; the request did not leave.
            NoAnswerError: No trustworthy answer; changing it again does no harm.
            ProviderError: The gateway refused.
        """
        body: dict[str, object] = {}
        if to is not None:
            body["phone_number"] = to_wire_number(to)[1]
        if text is not None:
            check_text(Message(to or "the reminder", text))
            body["message"] = text
        if scheduled_at is not None:
            body["scheduled_at"] = manila_time(scheduled_at)
            _check_future(scheduled_at)
        if not body:
            raise InvalidMessageError("give at least one of to=, text= and scheduled_at=")
        return await self._wire.write(
            "PATCH",
            _path(reminder),
            self._wire.reader(_read, NO_SUCH_ID),
            "change the reminder",
            body,
            effect=Effect.IDEMPOTENT,
        )

    async def delete(self, reminder: Reminder | str) -> None:
        """Delete a reminder, so that it is not sent.

        Args:
            reminder: The reminder, its id, or the `message_id` of a scheduled text's receipt.

        Raises:
            NotFoundError: The gateway knows no such reminder.
            ConnectionFailedError: The gateway can't be reached; the request did not leave.
            NoAnswerError: No trustworthy answer; deleting it again does no harm.
            ProviderError: The gateway refused.
        """
        await self._wire.write(
            "DELETE",
            _path(reminder),
            self._wire.reader(_ignore, NO_SUCH_ID),
            "delete the reminder",
            {},
            effect=Effect.IDEMPOTENT,
            on_gone=_gone,
        )

    async def schedule(self, prepared: PreparedMessage) -> Outcome:
        """Create a reminder for a scheduled message, and return the message's outcome."""
        try:
            reminder = await self._create(prepared)
        except SmsError as exc:
            return failed(prepared, exc)
        return accepted(
            prepared,
            self._wire.gateway.name,
            message_id=f"{_PREFIX}{reminder.id}",
            status=reminder.delivery_status,
            scheduled=True,
            raw=reminder.raw,
        )

    async def _create(self, prepared: PreparedMessage) -> Reminder:
        wire = prepared.wire
        body = {"phone_number": prepared.to, "message": wire.text}
        if wire.schedule_at is not None:
            body["scheduled_at"] = manila_time(wire.schedule_at)
        return await self._wire.write(
            "POST", _PATH, self._wire.reader(_read), "create the reminder", body
        )


def _check_future(when: datetime) -> None:
    check_future(when, datetime.now(UTC), f"scheduled_at {when.isoformat()}")


def reminder_id(message_id: str) -> str | None:
    """Return the reminder's id in a receipt's message id, or `None` for a plain text's."""
    return message_id.removeprefix(_PREFIX) if message_id.startswith(_PREFIX) else None


def _path(reminder: Reminder | str) -> str:
    given = reminder.id if isinstance(reminder, Reminder) else reminder
    number = given.removeprefix(_PREFIX)
    if not number.strip("."):
        # Dots would lead to another address than a reminder's.
        raise InvalidMessageError(f"{given!r} is no id of a reminder")
    return f"{_PATH}/{quote(number, safe='')}"


@frozen
class _Data:
    """The `data` of an answer about a reminder."""

    id: Id
    phone_number: str = ""
    message: str = ""
    scheduled_at: str = ""
    status: str = "scheduled"


@frozen
class _Answer:
    data: _Data


def _read(body: dict[str, Any]) -> Reminder:
    data = structure(body, _Answer).data
    try:
        when = datetime.fromisoformat(data.scheduled_at)
    except ValueError:
        raise UnclearAnswer(
            f"scheduled_at {data.scheduled_at!r} of reminder {data.id} is no time",
            references=(f"{_PREFIX}{data.id}",),
        ) from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=MANILA)
    return Reminder(data.id, data.phone_number, data.message, when, data.status, mask_keys(body))


def _ignore(_: object) -> None:
    """Drop what deleting returns: the deleted object."""


def _gone() -> None:
    """Stand for the answer of an earlier try, which had deleted it."""
