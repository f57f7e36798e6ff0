"""Incoming texts: as a server from 3.13 on posts them, and as they stand in its list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import phonenumbers

from iprog_async import count_segments
from iprog_async.sandbox import ReceivedText
from iprog_async_providers.infopromo._sandbox.wire import ZONE


INCOMING = "incoming"


def pushed(received: ReceivedText) -> Mapping[str, object]:
    """Return what is posted to the account's webhook address (SRC); the country's form is INFER."""
    # Imported late: it loads the places of all prefixes, half of what a sandbox's start would take.
    from phonenumbers.geocoder import country_name_for_number

    try:
        number = phonenumbers.parse(f"+{received.sender.removeprefix('+')}")
    except phonenumbers.NumberParseException:
        number = phonenumbers.PhoneNumber()
    return {
        "to": received.to,
        "from": received.sender,
        "content": received.text,
        "country": phonenumbers.region_code_for_number(number),
        "country_name": country_name_for_number(number, "en"),
    }


def listed(received: ReceivedText) -> dict[str, Any]:
    """Return its entry in the list of messages."""
    return {
        "uid": received.message_id,
        "to": received.to,
        "from": received.sender,
        "message": received.text,
        "status": "Delivered",
        "cost": "0",
        "sms_count": count_segments(received.text).count,
        "sms_type": "plain",
        "direction": INCOMING,
        "sent_at": f"{received.received_at.astimezone(ZONE):%Y-%m-%d %H:%M:%S}",
    }
