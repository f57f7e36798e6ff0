"""Sending, viewing and listing texts, and the account itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import JSONResponse

from iprog_async import count_segments
from iprog_async.sandbox import (
    OUT_OF_CREDIT,
    REFUSED_RECIPIENT,
    InboxText,
    ReceivedText,
    SandboxState,
    note_refusal,
)
from iprog_async_providers.infopromo._sandbox.inbound import INCOMING, listed
from iprog_async_providers.infopromo._sandbox.wire import (
    PREFIX,
    QUEUEING_SENDER,
    TOKEN,
    UNAUTHORISED_SENDER,
    ZONE,
    Asked,
    RefusedError,
    missing,
    paginated,
    success,
)


_NUMBER = re.compile(r"[1-9]\d{6,14}", re.ASCII)
_DIRECTION = "outgoing"
_WORDS = {"pending": "Enroute", "delivered": "Delivered", "failed": "Undelivered"}


def check_content(state: SandboxState, asked: Asked, texts: int) -> None:
    """Refuse what the server refuses before it sends anything."""
    asked.require("sender_id", "message")
    if asked.text("sender_id") == UNAUTHORISED_SENDER:
        raise RefusedError(
            404, f'Sender ID "{UNAUTHORISED_SENDER}" is not authorized to send this message.'
        )
    if state.blocks(PREFIX, asked.text("message")):
        raise RefusedError(404, "Your message contains spam words.")
    credit = state.credit_of(PREFIX)
    cost = texts * count_segments(asked.text("message")).count
    if credit < cost:
        note_refusal(OUT_OF_CREDIT)
    if credit <= 0:
        raise RefusedError(404, "You have exceeded your sending limit.")
    if credit < cost:
        raise RefusedError(
            403, "There is not enough balance available to send this message. Please recharge."
        )


def due_at(asked: Asked) -> datetime | None:
    """Read `schedule_time` on the account's clock; a bad one is an uncaught exception."""
    text = asked.text("schedule_time")
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)
    except ValueError:
        raise RefusedError(200, f"Could not parse '{text}': unexpected character") from None


def is_number(number: str) -> bool:
    """Return whether the server takes a number: international, and not a refused one."""
    return bool(_NUMBER.fullmatch(number)) and not number.endswith(REFUSED_RECIPIENT)


class SmsDesk:
    """Handlers of `sms/…`, `balance` and `me`."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state
        self._types: dict[str, str] = {}
        self._queued: dict[str, Sequence[InboxText]] = {}

    def send(self, asked: Asked) -> JSONResponse:
        """Send to one or to many; which of the two decides about the shape of the answer."""
        asked.require("recipient")
        given = [re.sub(r"[-+() ]", "", part) for part in asked.text("recipient").split(",")]
        numbers = list(dict.fromkeys(number for number in given if number))
        if len(numbers) > 100:
            raise RefusedError(403, "You cannot send more than 100 SMS in a single request.")
        good = [number for number in numbers if is_number(number)]
        check_content(self._state, asked, len(good))
        refused = [
            f"{number} is a invalid phone number" for number in numbers if number not in good
        ]
        if not good:
            raise RefusedError(403, " ".join(refused))
        if asked.text("sender_id") == QUEUEING_SENDER:
            return self._queue(asked, good)
        if len(numbers) == 1:
            # The trap: with one recipient the schedule is ignored.
            (text,) = self._accept(asked, good, None)
            return success(self._entry(text, "status"), "Your message was successfully delivered")
        when = due_at(asked)
        texts = self._accept(asked, good, when)
        message = " ".join([*refused, "Message is scheduled successfully."])
        if when is not None:
            return success(None, message)
        return success([self._entry(text, "customer_status") for text in texts], message)

    def view(self, asked: Asked) -> JSONResponse:
        """Return one text."""
        text = self._state.find(PREFIX, asked.path["uid"])
        if text is None:
            raise missing("Reports", asked.path["uid"])
        return success(self._viewed(text))

    def queue(self, asked: Asked) -> JSONResponse:
        """Return how far a queued request is."""
        texts = self._queued.get(asked.path["uid"])
        if texts is None:
            raise RefusedError(404, "Queue entry not found")
        now = self._state.now()
        states = {text.state(now) for text in texts}
        word = "accepted" if "pending" in states else "delivered"
        return success(
            {"queue_uid": asked.path["uid"], "status": "failed" if states == {"failed"} else word}
        )

    def list(self, asked: Asked) -> JSONResponse:
        """Return the texts, newest first, filtered by the newer servers' parameters.

        A scheduled one is a report, and so listed, only once it has left (INFER).
        """
        try:
            zone = ZoneInfo(asked.text("timezone") or ZONE.key)
        except (ValueError, LookupError, OSError):
            raise RefusedError(422, "Invalid timezone provided.") from None
        first, last = _moment(asked, "start_date", zone), _moment(asked, "end_date", zone)
        last = self._state.now() if last is None else min(last, self._state.now())
        kind, direction = asked.text("sms_type"), asked.text("direction")
        texts: list[InboxText | ReceivedText] = [
            text
            for text in self._state.newest(PREFIX)
            if (first is None or text.due_at >= first)
            and text.due_at <= last
            and kind in ("", self._type_of(text))
            and direction in ("", _DIRECTION)
        ]
        received = [
            each
            for each in self._state.received(PREFIX)
            if (first is None or each.received_at >= first)
            and each.received_at <= last
            and kind in ("", "plain")
            and direction in ("", INCOMING)
        ]
        if received:
            texts = sorted([*texts, *received], key=_taken_at, reverse=True)
        return paginated(texts, asked, self._listed)

    def balance(self, asked: Asked) -> JSONResponse:
        """Return the credit as text with separators."""
        credit = self._state.credit_of(PREFIX)
        return success({"remaining_balance": f"{credit:,}", "expired_on": "3rd Jan 36, 4:05 PM"})

    def me(self, asked: Asked) -> JSONResponse:
        """Return the account, its token included."""
        return success(
            {
                "uid": "5f1d6a0e2b3c4",
                "api_token": TOKEN,
                "first_name": "Sandbox",
                "email": "sandbox@example.com",
                "timezone": ZONE.key,
            }
        )

    def _accept(
        self, asked: Asked, numbers: Sequence[str], when: datetime | None
    ) -> Sequence[InboxText]:
        texts = [
            self._state.accept(
                PREFIX,
                number,
                asked.text("message"),
                message_id=self._state.new_id(),
                sender_id=asked.text("sender_id"),
                due_at=when,
            )
            for number in numbers
        ]
        for text in texts:
            self._types[text.message_id] = asked.text("type") or "plain"
        return texts

    def _queue(self, asked: Asked, numbers: Sequence[str]) -> JSONResponse:
        uid = self._state.new_id("q-")
        self._queued[uid] = self._accept(asked, numbers, due_at(asked))
        data = {"queue_uid": uid, "status": "accepted", "recipients_count": len(numbers)}
        return success(data, "Your message is queued", 202)

    def _entry(self, text: InboxText, status_key: str) -> dict[str, Any]:
        segments = count_segments(text.text).count
        return {
            "uid": text.message_id,
            "to": text.to,
            "from": text.sender_id,
            "message": text.text,
            status_key: _WORDS[text.state(self._state.now())],
            "cost": str(segments),
            "sms_count": segments,
        }

    def _viewed(self, text: InboxText) -> dict[str, Any]:
        return {
            **self._entry(text, "status"),
            "sms_type": self._type_of(text),
            "direction": _DIRECTION,
            "sent_at": f"{text.due_at.astimezone(ZONE):%Y-%m-%d %H:%M:%S}",
        }

    def _listed(self, text: InboxText | ReceivedText) -> dict[str, Any]:
        return listed(text) if isinstance(text, ReceivedText) else self._viewed(text)

    def _type_of(self, text: InboxText) -> str:
        return self._types.get(text.message_id, "plain")


def _taken_at(text: InboxText | ReceivedText) -> datetime:
    return text.received_at if isinstance(text, ReceivedText) else text.accepted_at


def _moment(asked: Asked, name: str, zone: ZoneInfo) -> datetime | None:
    text = asked.text(name)
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone)
    except ValueError:
        raise RefusedError(422, f"Invalid {name} provided.") from None
