"""Campaigns in the background: each at most once at a time, and none lost by a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Self

from iprog_async import BulkPlan, SmsClient
from shop.campaign_files import Campaign, CampaignFiles
from shop.campaign_progress import Progress
from shop.campaign_run import CampaignRun


# The other half of the connections is for people who wait for an answer.
_CONCURRENCY = 50


class AlreadyRunningError(Exception):
    """The campaign is being sent at this moment."""


class CampaignDesk:
    """Starts, watches and stops campaigns; use it as an async context manager.

    Entering it goes on with what an earlier process left, by a restart or a crash. Leaving it
    waits for what is on its way and keeps the rest for next time.

    Args:
        sms: The client to send with.
        folder: Where the lists and journals are.
    """

    def __init__(self, sms: SmsClient[Any], folder: Path) -> None:
        self._sms = sms
        self._files = CampaignFiles(folder)
        self._runs: dict[str, CampaignRun] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, campaign: Campaign) -> Progress:
        """Start a campaign, or go on with it: the journal knows who has been texted.

        Raises:
            AlreadyRunningError: It is running.
        """
        if name in self._tasks:
            raise AlreadyRunningError(f"The campaign {name} is running already.")
        self._files.begin(name, campaign)
        return self._launch(name, campaign)

    async def preview(self, campaign: Campaign) -> BulkPlan:
        """Return what starting a campaign would do, as if nobody had been texted yet."""
        return await self._sms.plan_many(campaign.messages())

    def progress(self, name: str) -> Progress | None:
        """Return how far a campaign has come; `None` if there is none of this name."""
        run = self._runs.get(name)
        return self._files.result(name) if run is None else run.progress()

    def stop(self, name: str) -> None:
        """Stop a campaign for good, or until it is started again."""
        self._files.forget(name)
        if name in self._tasks:
            self._runs[name].stop()

    def _launch(self, name: str, campaign: Campaign) -> Progress:
        messages = campaign.messages()
        bulk = self._sms.send_many(
            messages, concurrency=_CONCURRENCY, journal=self._files.journal(name)
        )
        run = self._runs[name] = CampaignRun(name, len(campaign.people), bulk)
        self._tasks[name] = asyncio.create_task(self._send(name, run))
        return run.progress()

    async def _send(self, name: str, run: CampaignRun) -> None:
        try:
            await run.send()
        finally:
            del self._tasks[name]
        if run.began:
            # Otherwise another worker may be at it, whose files these are.
            self._files.end(run.progress())

    async def __aenter__(self) -> Self:
        for name, campaign in self._files.unfinished().items():
            self._launch(name, campaign)
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = list(self._tasks.values())
        for name in self._tasks:
            self._runs[name].stop()
        await asyncio.gather(*tasks)
