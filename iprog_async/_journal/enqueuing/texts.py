"""What is checked of a text when it is enqueued, and how it is handed to the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from iprog_async._core.checks import check_storable, is_storable
from iprog_async._core.errors import (
    ConfigurationError,
    ExpiredError,
    InvalidMessageError,
    UnsupportedError,
)
from iprog_async._core.messages import (
    Message,
    check_not_after,
    check_schedule,
    check_sender_id,
    check_text,
)
from iprog_async._core.phones import to_e164, to_region
from iprog_async._core.schedules import as_kept


# The steps in which PostgreSQL keeps times.
_DATABASE_STEP = timedelta(microseconds=1)
# As good as for ever, and within what PostgreSQL can add to this moment.
_LONGEST = timedelta(days=365 * 1000)


def to_request(
    message: Message,
    *,
    region: str | None,
    max_age: timedelta | None,
    campaign: str,
    journal: str | None,
) -> str:
    """Check a message as far as that is possible without a gateway, and write it down as JSON.

    Args:
        message: The message.
        region: Two-letter region of a national number.
        max_age: How long after now it may still be sent, if its own `not_after` is not sooner.
        campaign: What it belongs to.
        journal: The fingerprint of the journal that it is meant for.

    Raises:
        InvalidMessageError: It can't be sent as it is.
        UnsupportedError: It asks for what an outbox can't keep.
        ConfigurationError: An argument is of a wrong type.
    """
    if not isinstance(message, Message):
        raise ConfigurationError(
            f"what is enqueued is a Message(to, text, key=…), not {type(message).__name__}"
        )
    check_storable("campaign", campaign)
    text = _to_text(message, region)
    if message.schedule_at is not None:
        check_schedule(message)
        text["schedule_at"] = as_kept(message.schedule_at, _DATABASE_STEP).isoformat()
    if (seconds := _seconds_left(message, max_age)) is not None:
        text["max_age"] = seconds
    return json.dumps({"campaign": campaign, "journal": journal, "texts": [text]})


def _to_text(message: Message, region: str | None) -> dict[str, object]:
    check_text(message)
    if message.options is not None:
        raise UnsupportedError(
            "an outbox keeps no options= of an adapter; set them on the provider that sends. "
            "Nothing was enqueued"
        )
    if message.encoding is not None:
        raise UnsupportedError(
            "an outbox keeps no encoding= of a message; set it on the client that sends. "
            "Nothing was enqueued"
        )
    text: dict[str, object] = {
        "number": to_e164(message.to, to_region(region)),
        "key": _to_key(message.key),
        "text": message.text,
    }
    if message.sender_id is not None:
        text["sender_id"] = check_sender_id(message.sender_id)
    if "\0" in message.text:
        raise InvalidMessageError("the text has the character 0, which no phone can show")
    return text


def _to_key(key: object) -> str:
    """Return the key, which says what is the same text once more."""
    if not isinstance(key, str) or not key:
        raise InvalidMessageError(
            f"a text that is enqueued needs a key, such as Message(to, text, key='order-42'), "
            f"not {key!r}: a transaction that is run again must not send a second text"
        )
    if not all(map(is_storable, key)):
        raise InvalidMessageError(f"the key {key!r} has a character that can't be stored")
    return key


def _seconds_left(message: Message, max_age: object) -> float | None:
    """Return for how many seconds from now a text may still be sent; `None` where nothing ends it.

    Not until when: the database adds them to its own clock, by which the senders go, too, and which
    need not agree with the clock of this machine.
    """
    now = datetime.now(UTC)
    left: list[timedelta] = []
    if max_age is not None:
        if not isinstance(max_age, timedelta) or not max_age > timedelta(0):
            raise ConfigurationError(f"max_age= is a timedelta of more than zero, not {max_age!r}")
        left.append(max_age)
    if message.not_after is not None:
        check_not_after(message)
        if message.not_after <= now:
            raise ExpiredError(message.not_after, "it was not enqueued")
        left.append(message.not_after - now)
    if not left:
        return None
    return min(*left, _LONGEST).total_seconds()
