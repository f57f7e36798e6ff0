"""How long a run takes at least."""

from __future__ import annotations

import pytest
from support.core.fakes import FakeProvider

from iprog_async import Failover
from iprog_async.cli._bulk.eta import least_seconds, time_words


@pytest.mark.parametrize(
    ("rate", "requests", "words"),
    [
        ("5/s", 5000, "at most 5/s: that takes about 17 minutes or more"),
        ("60/min", 5000, "at most 60/min: that takes about 83 minutes or more"),
        ("60/min", 50_000, "at most 60/min: that takes about 13 h 53 min or more"),
        ("100/15s", 201, "at most 100/15s: that takes about 30 seconds or more"),
        ("1000/h", 1001, "at most 1000/h: that takes about 60 minutes or more"),
        ("5/s", 6, "at most 5/s: that takes about 1 second or more"),
        ("5/s", 5, ""),
        ("5/s", 0, ""),
        (None, 5000, ""),
    ],
)
def test_words(rate: str | None, requests: int, words: str) -> None:
    """The first requests of a window need not wait; what waits is told, in people's units."""
    provider = FakeProvider(rate=rate)
    assert words == time_words(requests, provider)


def test_several_gateways() -> None:
    """Of several gateways each has its own rate, and nothing is promised."""
    several = Failover(FakeProvider(rate="1/s"), FakeProvider(name="other"))
    assert None is least_seconds(100, several)
