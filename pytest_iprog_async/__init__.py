"""The plug-in of pytest: fixtures for the tests of apps that send texts.

It is a package of its own, because pytest imports it at the start of every run, also of those
that send no text: the library is imported when a fixture of it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest


if TYPE_CHECKING:
    from iprog_async.sandbox import Sandbox
    from iprog_async.testing import InstantClock, SmsOutbox


@pytest.fixture
def sms_clock(monkeypatch: pytest.MonkeyPatch) -> InstantClock:
    """Let all clients of the test wait on virtual time, and so never really wait."""
    from iprog_async.testing._outbox.isolation import stop_waiting

    return stop_waiting(monkeypatch)


@pytest.fixture
def _sms_isolation(monkeypatch: pytest.MonkeyPatch) -> None:
    from iprog_async.testing._outbox.isolation import isolate

    isolate(monkeypatch)


@pytest.fixture
def sms_outbox(
    monkeypatch: pytest.MonkeyPatch, sms_clock: InstantClock, _sms_isolation: None
) -> SmsOutbox:
    """Keep the texts of the test in memory; `SmsClient.from_env()` sends into this outbox."""
    from iprog_async.testing import SmsOutbox

    outbox = SmsOutbox()
    monkeypatch.setenv("SMS_URL", outbox.address)
    return outbox


@pytest.fixture(scope="session")
def _sms_server() -> Iterator[Sandbox]:
    from iprog_async import ConfigurationError
    from iprog_async.sandbox import Sandbox

    try:
        sandbox = Sandbox()
    except ConfigurationError as exc:
        # Most likely the extra is missing: the line that installs it says more than a traceback.
        pytest.fail(str(exc), pytrace=False)
    with sandbox:
        yield sandbox


@pytest.fixture
def sms_sandbox(sms_clock: InstantClock, _sms_isolation: None, _sms_server: Sandbox) -> Sandbox:
    """Have a local server play all gateways: an empty inbox, no faults, delivery at once."""
    _sms_server.clear()
    # Clients do not really wait, so they could not wait for it either.
    _sms_server.state.delivered_after = 0
    return _sms_server
