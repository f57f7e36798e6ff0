"""Semaphore, Philippines; wire facts: docs/gateways/semaphore.md."""

from iprog_async.adapter import publish
from iprog_async_providers.semaphore._provider import SemaphoreProvider


__all__ = ["SemaphoreProvider"]

publish(globals())
