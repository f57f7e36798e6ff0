"""Incoming texts: an ASGI application that gateways push to, and what it does with a STOP."""

from iprog_async._core.inbound import Inbound
from iprog_async._core.public import publish
from iprog_async._providers.inbound import ReceivedCursor, SupportsInboundPush, SupportsReceived
from iprog_async.inbound._app import Handler, InboundApp
from iprog_async.inbound._confirmation import Confirmation


__all__ = [
    "Confirmation",
    "Handler",
    "Inbound",
    "InboundApp",
    "ReceivedCursor",
    "SupportsInboundPush",
    "SupportsReceived",
]

publish(globals())
