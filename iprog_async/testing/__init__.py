"""What the author of an adapter tests it with: a raw gateway, a clock, and the contract.

Only the classes of claims need a test runner, pytest; importing this package needs none.
"""

import sys

from iprog_async.testing._behaviours import (
    Behaviour,
    Step,
    answer,
    close_idle,
    drip,
    drop,
    drop_on_arrival,
    flood,
    hang_up,
    silence,
    truncate,
)
from iprog_async.testing._case import ContractCase, Make, Operation, Subject
from iprog_async.testing._clock import InstantClock
from iprog_async.testing._messages import RawRequest, Reply
from iprog_async.testing._raw_gateway import RawGateway


if (_pytest := sys.modules.get("pytest")) is not None:
    # Without it a failed claim of the contract would not show what was compared.
    _pytest.register_assert_rewrite("iprog_async.testing._claims")

from iprog_async.testing._contract import ProviderContract


__all__ = [
    "Behaviour",
    "ContractCase",
    "InstantClock",
    "Make",
    "Operation",
    "ProviderContract",
    "RawGateway",
    "RawRequest",
    "Reply",
    "Step",
    "Subject",
    "answer",
    "close_idle",
    "drip",
    "drop",
    "drop_on_arrival",
    "flood",
    "hang_up",
    "silence",
    "truncate",
]
