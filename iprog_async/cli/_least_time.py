"""How long a run takes at least, by the rate that its gateway is asked at."""

from __future__ import annotations

from iprog_async._core.rates import Rate
from iprog_async._providers.protocols import SmsProvider
from iprog_async.cli._terminal.show import count_of


_UNITS = {1.0: "s", 60.0: "min", 3600.0: "h"}


def least_seconds(requests: int, provider: SmsProvider) -> float | None:
    """Return how many seconds pass at least before the last request leaves.

    Args:
        requests: How many there are.
        provider: Where they go.

    Returns:
        `None` where there is no rate, or several gateways have their own.
    """
    rate = _rate_of(provider)
    # The first ones need not wait.
    return None if rate is None else max(requests - 1, 0) // rate.count * rate.per


def time_words(requests: int, provider: SmsProvider) -> str:
    """Return the rate and the least time in words; empty where no request has to wait."""
    rate, seconds = _rate_of(provider), least_seconds(requests, provider)
    if rate is None or not seconds:
        return ""
    unit = _UNITS.get(rate.per) or f"{rate.per:g}s"
    return f"at most {rate.count}/{unit}: that takes about {_duration(seconds)} or more"


def _rate_of(provider: SmsProvider) -> Rate | None:
    rate: object = getattr(provider, "rate", None)
    return rate if isinstance(rate, Rate) else None


def _duration(seconds: float) -> str:
    """Return a time in words, to the minute where it is long."""
    if seconds < 100:
        return count_of(round(seconds), "second")
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
