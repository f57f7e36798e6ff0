"""What a provider can be asked for besides sending."""

from __future__ import annotations

from iprog_async._core.errors import InvalidMessageError, UnsupportedError
from iprog_async._core.receipts import Receipt, split_ref
from iprog_async._providers.protocols import SmsProvider, SupportsStatus
from iprog_async._providers.registry import provider_types
from iprog_async._routing.base import Router


def message_id_of(provider: SmsProvider, receipt: Receipt | str) -> str:
    """Return by which id a provider is asked for the status of a text.

    Args:
        provider: Who is to be asked.
        receipt: The receipt, or its `ref`.

    Raises:
        UnsupportedError: This gateway tells no status.
        InvalidMessageError: This is no receipt of the provider's.
    """
    if not isinstance(provider, SupportsStatus):
        raise unsupported(provider, "status")
    name, message_id = split_ref(receipt)
    if isinstance(provider, Router):
        # The receipt names the gateway to ask.
        return f"{name}:{message_id}"
    if name != provider.name:
        raise InvalidMessageError(
            f"this receipt is of {name!r}, and this client speaks to {provider.name!r}"
        )
    return message_id


def unsupported(provider: SmsProvider, operation: str) -> UnsupportedError:
    """Return the error that says which providers have an operation, where this one has not."""
    able = [name for name, cls in provider_types().items() if hasattr(cls, operation)]
    return UnsupportedError(
        f"{provider.name} has no {operation}; providers with it: {', '.join(able) or 'none'}"
    )
