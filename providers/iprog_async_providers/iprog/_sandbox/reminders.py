"""IPROG's sandbox: reminders, which are in the inbox from the start and leave at their time."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime
from typing import Any

from attrs import define
from starlette.requests import Request
from starlette.routing import BaseRoute

from iprog_async.sandbox import InboxText
from iprog_async_providers.iprog._sandbox.account import (
    Account,
    Fields,
    check_recipient,
    refuse,
    required,
)
from iprog_async_providers.iprog._sandbox.messages import WORDS
from iprog_async_providers.iprog._times import MANILA


# The older pages' form and that of the newer guide.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d):(\d\d) ?(AM|PM)?", re.ASCII | re.IGNORECASE)


@define
class _Reminder:
    id: int
    text: InboxText
    created_at: datetime
    updated_at: datetime


class ReminderDesk:
    """The endpoints of reminders."""

    def __init__(self, desk: Account) -> None:
        self._desk = desk
        self._reminders: dict[str, _Reminder] = {}
        self._numbers = itertools.count(1)

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        route, path = self._desk.route, "/api/v1/message-reminders"
        return [
            route(path, ["POST"], self._create, billed=True),
            route(f"{path}/{{id}}", ["GET"], self._get),
            route(f"{path}/{{id}}", ["PATCH"], self._update),
            route(f"{path}/{{id}}", ["DELETE"], self._delete),
        ]

    def _create(self, _: Request, fields: Fields) -> dict[str, Any]:
        number, text, when = required(fields, "phone_number", "message", "scheduled_at")
        (sent,) = self._desk.accept([number], text, _parse_time(when), "reminder-")
        now = sent.accepted_at
        reminder = _Reminder(next(self._numbers), sent, now, now)
        self._reminders[str(reminder.id)] = reminder
        spoken = f"{sent.due_at.astimezone(MANILA):%Y-%m-%d %H:%M}"
        return self._answer(f"Message reminder successfully scheduled on {spoken}.", reminder)

    def _get(self, request: Request, _: Fields) -> dict[str, Any]:
        return self._answer("Message reminder found.", self._find(request))

    def _update(self, request: Request, fields: Fields) -> dict[str, Any]:
        reminder = self._find(request)
        self._check_waiting(reminder)
        text = reminder.text
        number, words = fields.get("phone_number", text.to), fields.get("message", text.text)
        check_recipient(number)
        self._desk.check_content(words)
        when = fields.get("scheduled_at")
        text.due_at = text.due_at if when is None else _parse_time(when)
        text.to, text.text = number, words
        reminder.updated_at = self._desk.state.now()
        return self._answer("Message reminder updated successfully", reminder)

    def _delete(self, request: Request, _: Fields) -> dict[str, Any]:
        reminder = self._find(request)
        self._check_waiting(reminder)
        del self._reminders[str(reminder.id)]
        reminder.text.cancelled = True
        return self._answer("Message reminder successfully deleted.", reminder)

    def _find(self, request: Request) -> _Reminder:
        reminder = self._reminders.get(request.path_params["id"])
        if reminder is None:
            refuse("Message reminder not found.", status="error")
        return reminder

    def _check_waiting(self, reminder: _Reminder) -> None:
        if reminder.text.due_at <= self._desk.state.now():
            refuse("Message reminder was already sent.", status="error")

    def _answer(self, message: str, reminder: _Reminder) -> dict[str, Any]:
        text = reminder.text
        return {
            "status": "success",
            "message": message,
            "data": {
                "id": reminder.id,
                "phone_number": text.to,
                "message": text.text,
                "scheduled_at": _stamp(text.due_at),
                "status": self._status(text),
                "created_at": _stamp(reminder.created_at),
                "updated_at": _stamp(reminder.updated_at),
            },
        }

    def _status(self, text: InboxText) -> str:
        now = self._desk.state.now()
        return "scheduled" if now < text.due_at else WORDS.get(text.state(now), "pending")


def _stamp(when: datetime) -> str:
    return when.astimezone(MANILA).isoformat(timespec="milliseconds")


def _parse_time(text: str) -> datetime:
    match = _TIME.fullmatch(text.strip())
    if match is None:
        refuse("Scheduled at is invalid.", status="error")
    day, hour, minute, half = match.groups()
    hours = int(hour)
    if half:
        hours = hours % 12 + (12 if half.upper() == "PM" else 0)
    try:
        when = datetime.fromisoformat(f"{day}T{hours:02}:{minute}:00")
    except ValueError:
        refuse("Scheduled at is invalid.", status="error")
    return when.replace(tzinfo=MANILA).astimezone(UTC)
