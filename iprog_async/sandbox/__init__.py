"""A local server that plays the gateways, bad habits included (extra `sandbox`)."""

from iprog_async.sandbox._gateway import SandboxGateway
from iprog_async.sandbox._state import (
    BLOCKED_WORD,
    FAILS_DELIVERY,
    REFUSED_RECIPIENT,
    InboxText,
    OutOfCreditError,
    SandboxState,
)


__all__ = [
    "BLOCKED_WORD",
    "FAILS_DELIVERY",
    "REFUSED_RECIPIENT",
    "InboxText",
    "OutOfCreditError",
    "SandboxGateway",
    "SandboxState",
]
