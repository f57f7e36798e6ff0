"""Incoming texts: what the server posts of them, and its list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import field, frozen

from iprog_async import Inbound
from iprog_async.adapter import (
    ReceivedCursor,
    ReceivedReading,
    Text,
    UnclearAnswer,
    mask_keys,
    sender_of,
    structure,
)
from iprog_async_providers.infopromo._api import Api
from iprog_async_providers.infopromo._messages import Messages, StoredMessage
from iprog_async_providers.infopromo._options import to_zone


@frozen
class _Push:
    """What servers from 3.13 on post: no id, no time, no signature (SRC)."""

    sender: Text
    content: str
    to: Text | None = None
    raw: Any = field(default=None, repr=False)


def read_push(fields: Mapping[str, object], name: str, region: str | None) -> Inbound:
    """Return the text that was posted.

    Args:
        fields: The JSON object.
        name: The provider's name.
        region: The region of national numbers.

    Raises:
        UnclearAnswer: It is no such text.
    """
    entry = {key: value for key, value in fields.items() if value is not None}
    push = structure({**entry, "sender": entry.get("from")}, _Push)
    if not push.sender.strip():
        raise UnclearAnswer("an incoming text without a sender")
    return Inbound(
        sender_of(push.sender, region),
        push.content,
        push.to,
        name,
        received_at=datetime.now(UTC),
        raw=mask_keys(dict(fields)),
    )


async def received(api: Api, cursor: ReceivedCursor) -> AsyncIterator[Inbound]:
    """Iterate over the list's incoming texts that are new by the cursor, oldest first.

    So a STOP and a START of one person are heard in their order. Servers list the newest first.
    """
    reading = ReceivedReading(cursor, datetime.now(UTC))
    new = [
        message
        async for message in Messages(api).list(start=reading.start, direction="incoming")
        # Servers that know no filter list everything.
        if message.direction == "incoming" and reading.is_new(message.uid)
    ]
    new.reverse()
    for message in sorted(new, key=lambda each: each.sent_at or ""):
        yield _inbound(message, api)
        reading.passed(message.uid)
    reading.end()


def _inbound(message: StoredMessage, api: Api) -> Inbound:
    return Inbound(
        sender_of(message.sender_id or "", api.region),
        message.message or "",
        message.to,
        api.gateway.name,
        message.uid,
        _moment(message.sent_at, api.timezone),
        message.raw,
    )


def _moment(written: str | None, timezone: str | None) -> datetime | None:
    """Return a time of the list, which is on the account's clock (INFER); `None` without one."""
    if written is None or timezone is None:
        return None
    try:
        return datetime.strptime(written, "%Y-%m-%d %H:%M:%S").replace(tzinfo=to_zone(timezone))
    except ValueError:
        return None
