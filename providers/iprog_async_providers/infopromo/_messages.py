"""The account's messages: one by its uid, or all of them page by page."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, get_args

from attrs import evolve, field, frozen

from iprog_async import DeliveryStatus, InvalidMessageError
from iprog_async.adapter import (
    Effect,
    Id,
    Text,
    UnclearAnswer,
    check_aware,
    is_object,
    mask_keys,
    structure,
)
from iprog_async_providers.infopromo._api import Api
from iprog_async_providers.infopromo._options import in_zone, segment, to_zone
from iprog_async_providers.infopromo._pages import Page, iterate, iterate_pages, read_page
from iprog_async_providers.infopromo._states import delivery_status


Direction = Literal["outgoing", "incoming"]


@frozen
class StoredMessage:
    """A message as the gateway keeps it, sent or received.

    Args:
        uid: The gateway's id.
        to: Recipient, in the gateway's notation.
        sender_id: The number or name it came from.
        message: The text.
        word: The gateway's status word.
        sms_type: `"plain"` and others.
        direction: `"outgoing"` or `"incoming"`, where the server says.
        sms_count: Number of segments, by the gateway's count.
        cost: What it cost, in the account's unit; `None` where it does not say.
        sent_at: When, as the gateway writes it: it names no time zone.
        raw: The parsed entry, with secrets masked.
    """

    uid: Id
    to: Text | None = None
    sender_id: Text | None = None
    message: str | None = None
    word: str = ""
    sms_type: str | None = None
    direction: str | None = None
    sms_count: int | None = None
    cost: Decimal | None = None
    sent_at: str | None = None
    raw: Any = field(default=None, repr=False, eq=False)

    @property
    def delivery_status(self) -> DeliveryStatus:
        """The status in this library's words."""
        return delivery_status(self.word, self.raw)


def read_message(data: object) -> StoredMessage:
    """Read an entry; older servers say `customer_status` where newer ones say `status`."""
    if not is_object(data):
        raise UnclearAnswer("a message that is no object")
    entry: dict[str, Any] = {key: value for key, value in data.items() if value is not None}
    entry["word"] = entry.get("status") or entry.get("customer_status") or ""
    entry["sender_id"] = entry.get("from")
    return evolve(structure(entry, StoredMessage), raw=mask_keys(data))


class Messages:
    """Reads what the account sent and received."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def get(self, uid: str) -> StoredMessage:
        """Read one message.

        Raises:
            NotFoundError: The account has no such message.
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        return await self._api.request(
            "GET",
            f"/sms/{segment(uid, 'message')}",
            self._api.reader(lambda envelope: read_message(envelope.data)),
            "read the message",
            effect=Effect.READ,
        )

    def list(
        self,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        timezone: str | None = None,
        sms_type: str | None = None,
        direction: Direction | None = None,
    ) -> AsyncIterator[StoredMessage]:
        """Iterate over messages, a page of them with each request.

        Newer servers show the last 30 days unless told otherwise; older ones know no filter
        and show everything.

        Args:
            start: The earliest time, as an aware `datetime`.
            end: The latest time, as an aware `datetime`.
            timezone: IANA name of the zone that the server compares in; the adapter's, or UTC.
            sms_type: Only this type, such as `"plain"`.
            direction: Only this direction.

        Raises:
            InvalidMessageError: A time has no zone or is out of range, `start` is after `end`, or
                `direction` is another word.
            ConfigurationError: There is no such time zone.
            RejectedError: The server does not take a filter.
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        fetch = self._fetching(start, end, timezone, sms_type, direction)
        return iterate(fetch, self._api.gateway.name)

    def pages(
        self, *, start: datetime | None = None, first: int = 1
    ) -> AsyncGenerator[Page[StoredMessage]]:
        """Iterate over pages of messages, the newest first, as the gateway gives them.

        New messages push older ones to later pages: a message may come twice, and is missed only
        if others are deleted meanwhile.

        Args:
            start: The earliest time, as an aware `datetime`.
            first: The page to begin with.

        Raises:
            SmsError: As for `list`.
        """
        fetch = self._fetching(start, None, None, None, None)
        return iterate_pages(fetch, self._api.gateway.name, first)

    def _fetching(
        self,
        start: datetime | None,
        end: datetime | None,
        timezone: str | None,
        sms_type: str | None,
        direction: Direction | None,
    ) -> Callable[[int], Awaitable[Page[StoredMessage]]]:
        """Check the filters, and return what asks for a page."""
        zone = timezone or self._api.timezone or "UTC"
        if direction not in (None, *get_args(Direction)):
            raise InvalidMessageError(f"direction is 'outgoing' or 'incoming', not {direction!r}")
        query = {
            "start_date": _in_zone("start", start, zone),
            "end_date": _in_zone("end", end, zone),
            "timezone": zone if timezone or start or end else None,
            "sms_type": sms_type,
            "direction": direction,
        }
        _check_order(start, end)
        filters = {key: value for key, value in query.items() if value is not None}
        to_zone(zone)

        async def fetch(number: int) -> Page[StoredMessage]:
            return await self._api.request(
                "GET",
                "/sms",
                self._api.reader(lambda envelope: read_page(envelope, read_message)),
                "list the messages",
                query={**filters, "page": str(number)},
                effect=Effect.READ,
            )

        return fetch


def _check_order(start: datetime | None, end: datetime | None) -> None:
    """Raise `InvalidMessageError` for a span that ends before it begins: nothing is in it."""
    if start is not None and end is not None and start > end:
        raise InvalidMessageError(
            f"start ({start.isoformat()}) is after end ({end.isoformat()}), so no message is "
            "between them"
        )


def _in_zone(what: str, when: datetime | None, zone: str) -> str | None:
    if when is None:
        return None
    check_aware(when, what)
    return f"{in_zone(when, zone):%Y-%m-%d %H:%M:%S}"
