"""Which gateways can be asked for what they sent."""

from __future__ import annotations

from iprog_async._journal.reconcile import SupportsMessageList
from iprog_async._providers.protocols import SmsProvider
from iprog_async._routing.base import Router


def listers_of(provider: SmsProvider) -> list[SupportsMessageList]:
    """Return the gateways behind a provider that list messages, those of inner routers too."""
    if isinstance(provider, Router):
        return [lister for member in provider.members.values() for lister in listers_of(member)]
    return [provider] if isinstance(provider, SupportsMessageList) else []
