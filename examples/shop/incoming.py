"""Texts that customers send: STOP keeps their number from being texted, and START undoes that."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

from iprog_async import ConfigurationError, Inbound, SmsProvider, Suppressions
from iprog_async.inbound import InboundApp, SupportsInboundPush


logger = logging.getLogger(__name__)

PATH = "/sms"
"""What the address begins with that the gateway posts to; it ends with the secret."""


def open_inbox(provider: SmsProvider, suppressions: Suppressions) -> InboundApp | None:
    """Return what the gateway posts to; `None` unless `SHOP_INBOUND_SECRET` is set.

    Raises:
        ConfigurationError: No gateway of this shop tells of incoming texts, or the secret is short.
    """
    secret = os.environ.get("SHOP_INBOUND_SECRET")
    if not secret:
        return None
    return InboundApp(_pushing(provider), note, secret=secret, suppressions=suppressions)


async def note(inbound: Inbound) -> None:
    """Take note of a text; somebody would read and answer it here."""
    logger.info("a customer wrote %d characters", len(inbound.text))


def _pushing(provider: SmsProvider) -> SupportsInboundPush:
    """Return the gateway that tells of incoming texts: this one, or one of a failover's."""
    members: Mapping[str, object] = getattr(provider, "members", {provider.name: provider})
    for member in members.values():
        if isinstance(member, SupportsInboundPush):
            return member
    raise ConfigurationError(
        f"SHOP_INBOUND_SECRET is set, but {' and '.join(members)} tells of no incoming texts"
    )
