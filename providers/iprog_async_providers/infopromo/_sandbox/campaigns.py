"""Campaigns: one text for the contacts of groups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from starlette.responses import JSONResponse

from iprog_async.sandbox import InboxText, SandboxState
from iprog_async_providers.infopromo._sandbox.contacts import ContactBook, Group
from iprog_async_providers.infopromo._sandbox.sms import check_content, due_at
from iprog_async_providers.infopromo._sandbox.wire import (
    PREFIX,
    Asked,
    RefusedError,
    missing,
    success,
)


_COUNTS = {
    "pending": "enroute_count",
    "delivered": "delivered_count",
    "failed": "undelivered_count",
}
_OTHERS = ("expired", "rejected", "accepted", "skipped", "failed")


@frozen
class _Campaign:
    number: int
    uid: str
    message: str
    sms_type: str
    created_at: datetime
    start_at: datetime | None
    texts: Sequence[InboxText]

    def has_started(self, now: datetime) -> bool:
        """Return whether its texts are on their way, or were."""
        return self.start_at is None or self.start_at <= now


class CampaignDesk:
    """Handlers of `sms/campaign` and `campaign/…`."""

    def __init__(self, state: SandboxState, book: ContactBook) -> None:
        self._state = state
        self._book = book
        self._campaigns: dict[str, _Campaign] = {}

    def create(self, asked: Asked) -> JSONResponse:
        """Send to every contact of the groups; it reads no `recipient`."""
        asked.require("contact_list_id")
        groups = [self._group(uid.strip()) for uid in asked.text("contact_list_id").split(",")]
        phones = list(
            dict.fromkeys(entry.phone for group in groups for entry in group.entries.values())
        )
        check_content(self._state, asked, len(phones))
        start_at = due_at(asked)
        texts = [
            self._state.accept(
                PREFIX,
                phone,
                asked.text("message"),
                message_id=self._state.new_id(),
                sender_id=asked.text("sender_id"),
                due_at=start_at,
            )
            for phone in phones
        ]
        campaign = _Campaign(
            len(self._campaigns) + 1,
            self._state.new_id(),
            asked.text("message"),
            asked.text("type") or "plain",
            self._state.now(),
            start_at,
            texts,
        )
        self._campaigns[campaign.uid] = campaign
        data = {
            "id": campaign.number,
            "uid": campaign.uid,
            "campaign_name": f"Campaign {campaign.number}",
            "status": self._status(campaign),
            "message": campaign.message,
            "created_at": campaign.created_at.isoformat(),
            "sms_type": campaign.sms_type,
        }
        return success(data, "Your campaign was successfully created")

    def view(self, asked: Asked) -> JSONResponse:
        """Return a campaign with its counts."""
        campaign = self._campaigns.get(asked.path["uid"])
        if campaign is None:
            raise missing("Campaigns", asked.path["uid"])
        data: dict[str, Any] = {
            "id": campaign.number,
            "uid": campaign.uid,
            "name": f"Campaign {campaign.number}",
            "message": campaign.message,
            "status": self._status(campaign),
            "type": campaign.sms_type,
            "created_at": campaign.created_at.isoformat(),
            "stats": self._stats(campaign),
        }
        if campaign.start_at is not None:
            data["start_at"] = campaign.start_at.isoformat()
        return success(data)

    def _group(self, uid: str) -> Group:
        group = self._book.find(uid)
        if group is None:
            # Its words were never seen; the status is that of checks before dispatch.
            raise RefusedError(404, "Contact list not found")
        return group

    def _status(self, campaign: _Campaign) -> str:
        now = self._state.now()
        if not campaign.has_started(now):
            return "scheduled"
        return "sending" if any(t.state(now) == "pending" for t in campaign.texts) else "done"

    def _stats(self, campaign: _Campaign) -> dict[str, int]:
        stats = {f"{word}_count": 0 for word in _OTHERS} | dict.fromkeys(_COUNTS.values(), 0)
        now = self._state.now()
        for text in campaign.texts if campaign.has_started(now) else ():
            stats[_COUNTS[text.state(now)]] += 1
        return stats
