"""A local server that plays the gateways, bad habits included (extra `sandbox`)."""

from iprog_async._core.public import publish
from iprog_async.sandbox._server.sandbox import Sandbox
from iprog_async.sandbox._simulation.failed_requests import note_refusal
from iprog_async.sandbox._simulation.fault_kinds import FaultKind
from iprog_async.sandbox._simulation.faults import Fault
from iprog_async.sandbox._simulation.gateway import SandboxGateway
from iprog_async.sandbox._simulation.inbox import FAILS_DELIVERY, InboxText
from iprog_async.sandbox._simulation.replies import ReceivedText
from iprog_async.sandbox._simulation.requests import bearer_token, read_fields, read_json
from iprog_async.sandbox._simulation.state import (
    BLOCKED_WORD,
    OUT_OF_CREDIT,
    REFUSED_RECIPIENT,
    OutOfCreditError,
    SandboxState,
)


__all__ = [
    "BLOCKED_WORD",
    "FAILS_DELIVERY",
    "OUT_OF_CREDIT",
    "REFUSED_RECIPIENT",
    "Fault",
    "FaultKind",
    "InboxText",
    "OutOfCreditError",
    "ReceivedText",
    "Sandbox",
    "SandboxGateway",
    "SandboxState",
    "bearer_token",
    "note_refusal",
    "read_fields",
    "read_json",
]

publish(globals())
