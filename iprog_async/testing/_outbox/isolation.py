"""Keeping a test to itself: no credential, no gateway, no waiting."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from iprog_async._core.clock import SystemClock
from iprog_async._core.errors import ConfigurationError
from iprog_async._engines.base import WireRequest
from iprog_async._http.calls import HttpCall
from iprog_async._http.session import Session
from iprog_async._providers import registry
from iprog_async.testing._clock import InstantClock
from iprog_async.testing._outbox.provider import OutboxProvider


if TYPE_CHECKING:
    import pytest


def isolate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing that is sent in a test reach anybody, until its end.

    The environment loses the credentials of all gateways, and requests to other hosts than
    this machine end in a `ConfigurationError`, however their client was made.
    """
    _forget_credentials(monkeypatch)
    _keep_requests_here(monkeypatch)
    _know_outboxes(monkeypatch)


def stop_waiting(monkeypatch: pytest.MonkeyPatch) -> InstantClock:
    """Let clients wait on virtual time until the end of a test, also those made before it."""
    clock = InstantClock(datetime.now(UTC))
    for name in ("monotonic", "now", "sleep"):
        monkeypatch.setattr(SystemClock, name, getattr(clock, name))
    return clock


def _forget_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMS_URL", raising=False)
    providers, _ = registry.load_providers()
    for provider in providers.values():
        for name in provider.env_names:
            monkeypatch.delenv(name, raising=False)


def _keep_requests_here(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = vars(Session)["_exchange"]

    async def checked(
        session: Session, call: HttpCall[Any], request: WireRequest, *rest: Any
    ) -> Any:
        host = urlsplit(request.url).hostname or ""
        if not _is_here(host):
            raise ConfigurationError(
                f"{call.gateway.name}: could not {call.what}: this test lets nothing out, and "
                f"{host} is another machine. Make the client with SmsClient.from_env(), or give "
                "it sms_outbox.provider, or an address of sms_sandbox. Nothing was sent"
            )
        return await exchange(session, call, request, *rest)

    monkeypatch.setattr(Session, "_exchange", checked)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _know_outboxes(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = vars(registry)["_entries"]
    where = f"{OutboxProvider.__module__}:{OutboxProvider.__name__}"
    outbox = EntryPoint(OutboxProvider.scheme, where, registry.GROUP)
    monkeypatch.setattr(registry, "_entries", lambda: {**installed(), outbox.name: outbox})
