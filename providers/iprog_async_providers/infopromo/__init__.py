"""Infopromo and other hosts of Ultimate SMS; wire facts: docs/gateways/infopromo-evidence.md."""

from iprog_async.adapter import publish
from iprog_async_providers.infopromo._campaigns import Campaign, CampaignStats
from iprog_async_providers.infopromo._contacts import Contact, ContactGroup
from iprog_async_providers.infopromo._messages import StoredMessage
from iprog_async_providers.infopromo._options import InfopromoOptions
from iprog_async_providers.infopromo._providers import (
    InfopromoHttpProvider,
    InfopromoProvider,
    UltimateSmsHttpProvider,
    UltimateSmsProvider,
)


__all__ = [
    "Campaign",
    "CampaignStats",
    "Contact",
    "ContactGroup",
    "InfopromoHttpProvider",
    "InfopromoOptions",
    "InfopromoProvider",
    "StoredMessage",
    "UltimateSmsHttpProvider",
    "UltimateSmsProvider",
]

publish(globals())
