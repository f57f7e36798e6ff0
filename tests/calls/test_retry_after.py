from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iprog_async._http.retry_after import retry_after, until_calls_are_left, until_reset


NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
DATE = "Thu, 01 Jan 2026 11:59:00 GMT"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": " "}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e400"}, None),
        ({"retry-after": "1e9"}, 1e9),
        ({"retry-after": "Thu, 01 Jan 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Thu, 01 Jan 2026 12:00:30 -0000"}, 30.0),
        ({"retry-after": "Thu, 01 Jan 2026 14:00:30 +0200"}, 30.0),
        ({"retry-after": "Thu, 01 Jan 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Thu, 32 Jan 2026 11:00:00 GMT"}, None),
        # The gateway's own clock is a minute slow: what counts is its own difference.
        ({"retry-after": "Thu, 01 Jan 2026 11:59:30 GMT", "date": DATE}, 30.0),
        ({"retry-after": "Thu, 01 Jan 2026 12:00:30 GMT", "date": "garbage"}, 30.0),
    ],
)
def test_retry_after(headers: dict[str, str], expected: float | None) -> None:
    """Seconds or a date are understood, a past date is no wait, all else says nothing."""
    assert expected == retry_after(headers, NOW)


def test_date_is_held_against_the_wall_clock() -> None:
    """Without a time given, and without a `Date` field, the machine's clock decides."""
    assert 0.0 == retry_after({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"})


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"x-ratelimit-reset": ""}, None),
        ({"x-ratelimit-reset": "soon"}, None),
        ({"x-ratelimit-reset": "nan"}, None),
        ({"x-ratelimit-reset": "inf"}, None),
        ({"x-ratelimit-reset": "-1"}, None),
        ({"x-ratelimit-reset": "0"}, 0.0),
        ({"x-ratelimit-reset": "30"}, 30.0),
        ({"x-ratelimit-reset": "30.5"}, 30.5),
        ({"x-ratelimit-reset": "86400"}, 86_400.0),
        ({"x-ratelimit-reset": f"{NOW.timestamp() + 30:.0f}"}, 30.0),
        ({"x-ratelimit-reset": f"{NOW.timestamp() + 30.5}"}, 30.5),
        ({"x-ratelimit-reset": f"{NOW.timestamp() + 86_401:.0f}"}, None),
        # The gateway's own clock is a minute slow: what counts is its own difference.
        ({"x-ratelimit-reset": f"{NOW.timestamp():.0f}", "date": DATE}, 60.0),
        ({"x-ratelimit-reset": f"{NOW.timestamp() + 30:.0f}", "date": "garbage"}, 30.0),
    ],
)
def test_until_reset(headers: dict[str, str], expected: float | None) -> None:
    """Seconds, whole or not, and a moment in time are understood, up to a day; nothing else is."""
    assert expected == until_reset(headers, lambda: NOW)


@pytest.mark.parametrize(
    ("retry_after", "reset", "expected"),
    [
        (None, None, None),
        (None, "30", 30.0),
        ("5", None, 5.0),
        ("5", "30", 5.0),
        ("60", "30", 60.0),
        ("soon", "30", 30.0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", "5", 30.0),
        # An account that is paused for years can't be helped by another try.
        ("999999999", "30", None),
    ],
)
def test_until_calls_are_left(
    retry_after: str | None, reset: str | None, expected: float | None
) -> None:
    """`Retry-After` goes before a reset."""
    told = {"retry-after": retry_after, "x-ratelimit-reset": reset}
    headers = {name: value for name, value in told.items() if value is not None}

    assert expected == until_calls_are_left(headers, lambda: NOW)


@given(st.text() | st.floats().map(str), st.text())
def test_no_header_breaks_the_reading(value: str, date: str) -> None:
    """Whatever the gateway writes, the result is nothing or a finite wait."""
    seconds = retry_after({"retry-after": value, "date": date}, NOW)
    reset = until_reset({"x-ratelimit-reset": value, "date": date}, lambda: NOW)

    assert seconds is None or 0 <= seconds < float("inf")
    assert reset is None or 0 <= reset <= 86_400
