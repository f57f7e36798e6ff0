"""EgoSMS, Uganda; wire facts: docs/gateways/egosms.md."""

from iprog_async.adapter import publish
from iprog_async_providers.egosms._provider import EgoSmsProvider


__all__ = ["EgoSmsProvider"]

publish(globals())
