"""The adapters' own operations have the shapes by which the commands reach them; never run."""

from __future__ import annotations

from iprog_async.cli._vendor.protocols import (
    CampaignDesk,
    ContactDesk,
    Detect,
    KeyDesk,
    Me,
    MessageDesk,
    OtpDesk,
    ReminderDesk,
)
from iprog_async_providers import (
    InfopromoHttpProvider,
    InfopromoProvider,
    IprogProvider,
    UgsmsV1Provider,
    UgsmsV2Provider,
)


def iprog(provider: IprogProvider) -> tuple[OtpDesk, ReminderDesk, Detect]:
    """Return what IPROG has."""
    return provider.otp, provider.reminders, provider.detect


def infopromo(
    provider: InfopromoProvider | InfopromoHttpProvider,
) -> tuple[CampaignDesk, ContactDesk, MessageDesk, Me]:
    """Return what every host of Ultimate SMS has."""
    return provider.campaigns, provider.contacts, provider.messages, provider.me


def ugsms(provider: UgsmsV1Provider | UgsmsV2Provider) -> KeyDesk:
    """Return what UGSMS has."""
    return provider.keys
