"""The text that confirms a STOP, for those who want one to be sent."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from datetime import timedelta
from secrets import token_bytes
from typing import Any

from attrs import field, frozen

from iprog_async._client.client import SmsClient
from iprog_async._core.checks import check_type
from iprog_async._core.errors import ConfigurationError, SmsError
from iprog_async._core.inbound import Inbound
from iprog_async._core.phones import mask_number
from iprog_async._suppressions.keywords import Wish
from iprog_async.inbound._seen import SeenStore


logger = logging.getLogger("iprog_async.inbound")


@frozen(kw_only=True)
class Confirmation:
    """What is texted to somebody who asked for no more texts, or for texts again.

    One number gets at most one such text within a time, whatever it asks for meanwhile: two
    machines that answer each other would go on for ever.

    Args:
        client: Sends it; a client without suppressed numbers, as it texts somebody who is on the
            list. It is yours to close.
        stopped: The text after a STOP; none if `None`.
        started: The text after a START; none if `None`.
        every: The time in which a number gets one at most.

    Raises:
        ConfigurationError: The client obeys a list, so that it would refuse.
    """

    client: SmsClient[Any] = field(repr=False)
    stopped: str | None = None
    started: str | None = None
    every: timedelta = timedelta(days=1)

    def __attrs_post_init__(self) -> None:
        check_type("client", self.client, SmsClient)
        if self.client.suppressions is not None:
            raise ConfigurationError(
                "the client of a Confirmation texts people who are on the list of suppressed "
                "numbers, so give it one without suppressions="
            )

    async def send(self, wish: Wish, inbound: Inbound, seen: SeenStore) -> None:
        """Confirm what somebody asked for; what goes wrong is logged, and changes nothing else."""
        text = self.stopped if wish == "stop" else self.started
        if text is None:
            return
        key = hashlib.sha256(f"confirmation {inbound.sender}".encode()).digest()
        owner = token_bytes(8)
        try:
            window = self.every.total_seconds()
            if await asyncio.to_thread(seen.begin, key, owner, window) != "new":
                return
            # Before it is sent: whatever becomes of it, there is no second one.
            await asyncio.to_thread(seen.end, key, owner)
            await self.client.send(inbound.sender, text)
        except SmsError as exc:
            logger.warning(
                "the %s of %s is obeyed, and was not confirmed: %s",
                wish,
                mask_number(inbound.sender),
                type(exc).__name__,
            )
