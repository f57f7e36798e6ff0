"""Receipts, statuses and balances as words and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iprog_async._core.receipts import Balance, DeliveryStatus, Receipt
from iprog_async._journal.reconcile import SupportsMessageList
from iprog_async._providers.protocols import SmsProvider
from iprog_async._routing.base import Router, gateways_of
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._terminal.hosts import is_loopback, other_host


def receipt_data(receipt: Receipt) -> dict[str, Any]:
    """Return a receipt as JSON-ready data, with its reference."""
    return {**receipt.to_dict(), "ref": receipt.ref}


def receipt_words(receipt: Receipt) -> str:
    """Return a receipt as one line."""
    parts = [f"to {receipt.to}", count_of(receipt.segments, "segment")]
    if receipt.cost is not None:
        parts.append(f"cost {receipt.cost}")
    verb = "Scheduled" if receipt.scheduled else "Accepted"
    return f"{verb} by {receipt.provider}, {', '.join(parts)}: {receipt.ref or 'no id'}"


def status_data(status: DeliveryStatus) -> dict[str, Any]:
    """Return a status as JSON-ready data."""
    return {"state": status.state, "word": status.word, "final": status.final}


def status_words(status: DeliveryStatus) -> str:
    """Return a status in our word, with the gateway's own beside it where that says more."""
    if not status.word or status.word.lower() == status.state:
        return status.state
    return f"{status.state} ({status.word})"


def failed_words(status: DeliveryStatus) -> str:
    """Return what is said of a text that was accepted and has failed."""
    word = f": {status.word}" if status.word else ""
    return f"accepted, and the gateway reports it as failed{word}"


def accepted_words(accepted: int, failed: int) -> str:
    """Return how many were accepted, and how many of these have failed."""
    return f"{accepted}, of which failed at the gateway {failed}" if failed else str(accepted)


def delivery_words(deliveries: Mapping[str, int]) -> str:
    """Return how far accepted texts have come, as `delivered 5, pending 1`."""
    words = [f"{state} {count}" for state, count in deliveries.items() if count]
    return ", ".join(words) or "nothing was accepted"


def status_code(status: DeliveryStatus) -> ExitCode:
    """Return how a command ends that found this status."""
    return ExitCode.UNEXPECTED if status.state == "failed" else ExitCode.OK


def balance_data(provider: str, balance: Balance | None) -> dict[str, Any]:
    """Return a balance as JSON-ready data; `None` is one that was not told."""
    balance = balance or Balance(None)
    amount = None if balance.amount is None else str(balance.amount)
    return {"provider": provider, "amount": amount, "unit": balance.unit, "text": balance.text}


def balance_words(balance: Balance) -> str:
    """Return a balance as a person would say it; the gateway's own words where it has no number."""
    if balance.amount is None:
        return balance.text or "unknown"
    return f"{balance.amount} {balance.unit}".strip()


def members_of(provider: SmsProvider) -> list[str]:
    """Return the names of the gateways behind a provider, those of inner routers too."""
    return [gateway.name for gateway in gateways_of(provider)]


def gateway_words(provider: SmsProvider) -> str:
    """Return which gateway a provider is, and where, if texts go to another host than its own.

    Of several, it is told which they are, and how they read numbers.
    """
    if not isinstance(provider, Router):
        return _with_host(provider)
    region = provider.region
    numbers = f"national numbers of {region}" if region else "international numbers only"
    return f"{provider.name} of {', '.join(map(_with_host, gateways_of(provider)))}; {numbers}"


def _with_host(provider: SmsProvider) -> str:
    host = other_host(provider)
    if host is None:
        return provider.name
    return f"{provider.name} {'on this machine' if is_loopback(host) else f'at {host}'}"


def gateway_data(provider: SmsProvider) -> dict[str, Any]:
    """Return which gateway a provider is, as JSON-ready data."""
    router = provider if isinstance(provider, Router) else None
    return {
        "name": provider.name,
        "members": members_of(provider) if router else [],
        "region": router and router.region,
        "hosts": {one.name: host for one in gateways_of(provider) if (host := other_host(one))},
    }


def balances_of(provider: str, found: Balance | dict[str, Balance]) -> dict[str, Balance]:
    """Return balances by the name of their account, of one gateway or of several."""
    return {provider: found} if isinstance(found, Balance) else found


def count_of(number: int, thing: str) -> str:
    """Return `1 segment`, `2 segments`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def listers_of(provider: SmsProvider) -> list[SupportsMessageList]:
    """Return the gateways behind a provider that list messages, those of inner routers too."""
    if isinstance(provider, Router):
        return [lister for member in provider.members.values() for lister in listers_of(member)]
    return [provider] if isinstance(provider, SupportsMessageList) else []
