"""What lives as long as the app: connections, clients, journal, campaigns, who said STOP."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request

from iprog_async import HttpPool, Journal, SmsClient, SmsProvider, Suppressions, provider_from_env
from iprog_async.codes import Codes
from iprog_async.inbound import InboundApp
from shop.campaign_desk import CampaignDesk
from shop.incoming import open_inbox


# A browser waits for an answer: rather say "not sent, try again" than let it hang.
ANSWER_WITHIN = 10.0


@dataclass(frozen=True)
class Services:
    """What endpoints use.

    Args:
        sms: The client of single texts; a `key=` makes one idempotent.
        codes: Codes to log in with, which all processes of the journal know.
        campaigns: Texts to many, in the background.
        inbox: What the gateway posts incoming texts to, if it does.
    """

    sms: SmsClient[Any]
    codes: Codes
    campaigns: CampaignDesk
    inbox: InboundApp | None = None


def data_folder() -> Path:
    """Return the folder of the journals and of campaigns under way."""
    return Path(os.environ.get("SHOP_DATA", "shop-data"))


@asynccontextmanager
async def open_services(data: Path) -> AsyncGenerator[Services]:
    """Open everything, and close it in the opposite order.

    The two clients share connections, the pauses a gateway asks for and the list of those who
    said STOP, and differ in patience: a campaign has all night.

    Raises:
        ConfigurationError: The environment names no gateway, or several.
        JournalError: Another process uses the journal.
        SuppressionsError: The list can't be opened.
    """
    provider = provider_from_env()
    async with AsyncExitStack() as stack:
        journal = stack.enter_context(await asyncio.to_thread(_open_journal, data))
        stopped = stack.enter_context(await asyncio.to_thread(_open_list, data, provider))
        pool = await stack.enter_async_context(HttpPool())
        single = SmsClient(
            provider, pool=pool, journal=journal, deadline=ANSWER_WITHIN, suppressions=stopped
        )
        bulk = SmsClient(provider, pool=pool, suppressions=stopped)
        sms = await stack.enter_async_context(single)
        desk = CampaignDesk(await stack.enter_async_context(bulk), data / "campaigns")
        codes = Codes(sms, text="Your code for the shop is {code}")
        await stack.enter_async_context(codes)
        inbox = open_inbox(provider, stopped)
        if inbox is not None:
            stack.callback(inbox.close)
        yield Services(sms, codes, await stack.enter_async_context(desk), inbox)


def _open_journal(data: Path) -> Journal:
    # Journals and lists hold phone numbers, which are personal data.
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Journal.open(os.environ.get("SHOP_JOURNAL") or data / "texts.db", campaign="shop")


def _open_list(data: Path, provider: SmsProvider) -> Suppressions:
    """Open the list of those who said STOP: where the journal is, if several machines share it."""
    journal = os.environ.get("SHOP_JOURNAL", "")
    place = journal if journal.startswith("postgresql://") else data / "stop.db"
    return Suppressions.open(place, region=provider)


def get_services(request: Request) -> Services:
    """Return the app's services."""
    services: Services = request.app.state.services
    return services


def get_sms(services: Annotated[Services, Depends(get_services)]) -> SmsClient[Any]:
    """Return the client of single texts; a test can put its own in place."""
    return services.sms


def get_codes(services: Annotated[Services, Depends(get_services)]) -> Codes:
    """Return the codes to log in with."""
    return services.codes


def get_campaigns(services: Annotated[Services, Depends(get_services)]) -> CampaignDesk:
    """Return the campaigns."""
    return services.campaigns


Sms = Annotated[SmsClient[Any], Depends(get_sms)]
LoginCodes = Annotated[Codes, Depends(get_codes)]
Campaigns = Annotated[CampaignDesk, Depends(get_campaigns)]
