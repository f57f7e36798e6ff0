"""Africa's Talking; wire facts: docs/gateways/africastalking.md."""

from iprog_async.adapter import publish
from iprog_async_providers.africastalking._provider import AfricasTalkingProvider


__all__ = ["AfricasTalkingProvider"]

publish(globals())
