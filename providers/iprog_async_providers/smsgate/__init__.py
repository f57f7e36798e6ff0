"""SMSGate, an Android phone of one's own; wire facts: docs/gateways/smsgate.md."""

from iprog_async.adapter import publish
from iprog_async_providers.smsgate._provider import SmsGateProvider


__all__ = ["SmsGateProvider"]

publish(globals())
