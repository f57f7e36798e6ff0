"""Campaigns: one text for everyone on contact lists that the gateway keeps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import evolve, field, frozen

from iprog_async import InvalidMessageError, Message
from iprog_async.adapter import (
    Effect,
    Id,
    UnclearAnswer,
    check_future,
    check_sender_id,
    check_text,
    is_object,
    structure,
)
from iprog_async_providers.infopromo._answers import Envelope
from iprog_async_providers.infopromo._api import Api, check_content
from iprog_async_providers.infopromo._contacts import ContactGroup
from iprog_async_providers.infopromo._options import InfopromoOptions, segment
from iprog_async_providers.infopromo._reasons import STOCK


_MADE = re.compile(
    rf"{STOCK.pattern}|(your )?campaign (was|is|has been) (successfully )?"
    r"(created|scheduled|queued|sent)( successfully)?\.?",
    re.IGNORECASE,
)

# Nobody knows how many a group has; what is said of one of them says nothing of the others.
_SEVERAL = 2


@frozen
class CampaignStats:
    """How many texts of a campaign have come how far.

    Args:
        enroute_count: Under way.
        delivered_count: Delivered.
        expired_count: Given up by the network.
        undelivered_count: Not deliverable.
        rejected_count: Refused by the network.
        accepted_count: Taken by the network.
        skipped_count: Left out.
        failed_count: Failed.
    """

    enroute_count: int = 0
    delivered_count: int = 0
    expired_count: int = 0
    undelivered_count: int = 0
    rejected_count: int = 0
    accepted_count: int = 0
    skipped_count: int = 0
    failed_count: int = 0


@frozen
class Campaign:
    """A campaign.

    Args:
        uid: What `get` asks by; `None` where the server gave none.
        name: The name that the server chose.
        message: The text.
        status: The gateway's word.
        sms_type: `"plain"` and others.
        created_at: When, as the gateway writes it.
        start_at: When it starts, as the gateway writes it.
        delivery_at: When it was done, as the gateway writes it.
        stats: How far its texts are; only when viewed.
        raw: The parsed answer, with secrets masked.
    """

    uid: Id | None = None
    name: str | None = None
    message: str | None = None
    status: str | None = None
    sms_type: str | None = None
    created_at: str | None = None
    start_at: str | None = None
    delivery_at: str | None = None
    stats: CampaignStats | None = None
    raw: Any = field(default=None, repr=False, eq=False)


class Campaigns:
    """Sends and reads campaigns; with the HTTP API only on servers from 3.13 on."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def send(
        self,
        groups: ContactGroup | str | Sequence[ContactGroup | str],
        text: str,
        *,
        sender_id: str | None = None,
        schedule_at: datetime | None = None,
        options: InfopromoOptions | None = None,
    ) -> Campaign:
        """Send one text to everyone in contact groups.

        It is asked for again by itself only while the gateway says, for all of it, that it takes
        no more requests now, or where it can't be reached: then certainly nobody was texted.

        The vendor's example sends `recipient`, which fails: the server reads
        `contact_list_id`.

        Args:
            groups: A contact group or several, or their uids.
            text: What the phones show.
            sender_id: Name or number that the phones show; the provider's if `None`.
            schedule_at: When, as an aware `datetime`; at once if `None`.
            options: Type of message, DLT template.

        Raises:
            InvalidMessageError: It can't be sent as it is, or the time is over; nothing was sent.
            ProviderError: The gateway refused; nothing was sent.
            ConnectionFailedError: The gateway can't be reached; the request did not leave.
            OutcomeUnknownError: It may have been sent.
        """
        given = [groups] if isinstance(groups, (str, ContactGroup)) else list(groups)
        uids = [group if isinstance(group, str) else group.uid for group in given]
        if not uids or not all(uid and uid.strip() for uid in uids):
            raise InvalidMessageError("a campaign needs the uid of at least one contact group")
        if sender_id is not None:
            sender_id = check_sender_id(sender_id)
        message = Message("the campaign", text, sender_id, schedule_at, options=options)
        check_text(message)
        check_content(message, self._api.sender_id, self._api.timezone)
        if schedule_at is not None:
            check_future(schedule_at, datetime.now(UTC), f"schedule_at {schedule_at.isoformat()}")
        body = {
            "contact_list_id": ",".join(uid.strip() for uid in uids if uid),
            **self._api.content(message),
        }
        return await self._api.request(
            "POST",
            "/sms/campaign",
            self._api.reader(_read, sends=True),
            "send the campaign",
            body,
            recipients=_SEVERAL,
        )

    async def get(self, campaign: Campaign | str) -> Campaign:
        """Read a campaign; the address ends in `/view`, where a heading of the vendor errs.

        Raises:
            NotFoundError: The account has no such campaign, or the server is too old.
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        uid = campaign.uid if isinstance(campaign, Campaign) else campaign
        return await self._api.request(
            "GET",
            f"/campaign/{segment(uid, 'campaign')}/view",
            self._api.reader(_read_viewed),
            "read the campaign",
            effect=Effect.READ,
        )


def _read(envelope: Envelope) -> Campaign:
    """Read a new campaign: its id says that it was made, or else the words, where there are any.

    3.1.0 deletes what it could not send, and answers success all the same (SRC).
    """
    try:
        campaign = _read_viewed(envelope)
    except UnclearAnswer:
        campaign = Campaign(raw=envelope.raw)
    said = envelope.message.strip()
    if campaign.uid is None and said and _MADE.fullmatch(said) is None:
        raise UnclearAnswer(f"a success without an id, and the words {said!r}")
    return campaign


def _read_viewed(envelope: Envelope) -> Campaign:
    if not is_object(envelope.data):
        raise UnclearAnswer("a campaign that is no object")
    entry = {key: value for key, value in envelope.data.items() if value is not None}
    # Servers before 3.13 put the uid into `id`.
    entry.setdefault("uid", entry.get("id"))
    entry.setdefault("name", entry.get("campaign_name"))
    entry.setdefault("sms_type", entry.get("type"))
    return evolve(structure(entry, Campaign), raw=envelope.raw)
