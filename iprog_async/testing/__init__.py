"""Tools for tests: an outbox for apps; raw gateway and contract suite for adapters.

Only the classes of checks need a test runner, pytest; importing this package needs none.
"""

import sys

from iprog_async._core.public import publish
from iprog_async.testing._clock import InstantClock
from iprog_async.testing._contract.case import ContractCase, Make, Operation, Subject
from iprog_async.testing._outbox.messages import OutboxMessage
from iprog_async.testing._outbox.outbox import SmsOutbox
from iprog_async.testing._outbox.provider import OutboxProvider
from iprog_async.testing._raw_gateway.behaviours import (
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
from iprog_async.testing._raw_gateway.gateway import RawGateway
from iprog_async.testing._raw_gateway.messages import RawRequest, Reply


if (_pytest := sys.modules.get("pytest")) is not None:
    # Without it a failed check of the contract would not show what was compared.
    _pytest.register_assert_rewrite("iprog_async.testing._contract.checks")

from iprog_async.testing._contract.contract import ProviderContract


__all__ = [
    "Behaviour",
    "ContractCase",
    "InstantClock",
    "Make",
    "Operation",
    "OutboxMessage",
    "OutboxProvider",
    "ProviderContract",
    "RawGateway",
    "RawRequest",
    "Reply",
    "SmsOutbox",
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

publish(globals())
