"""What the tests of the outbox share."""

from __future__ import annotations

import pytest

from iprog_async.testing import SmsOutbox


@pytest.fixture
def outbox() -> SmsOutbox:
    """Return an empty outbox, outside of any plug-in."""
    return SmsOutbox()
