from __future__ import annotations

from typing import Any

import pytest

from iprog_async import ConfigurationError, Rate, RetryPolicy
from iprog_async.adapter import to_rate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("60/min", Rate(60, 60)),
        ("60/minute", Rate(60, 60)),
        ("10/s", Rate(10, 1)),
        ("10/sec", Rate(10, 1)),
        ("100/15s", Rate(100, 15)),
        (" 100 / 15 SECOND ", Rate(100, 15)),
        ("5/2h", Rate(5, 7200)),
        ("5/hour", Rate(5, 3600)),
    ],
)
def test_rates_as_people_write_them(text: str, expected: Rate) -> None:
    """A count, a slash, and a unit with or without a number."""
    assert expected == Rate.parse(text)
    assert expected == to_rate(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "60",
        "60/",
        "/min",
        "0/min",
        "60/0min",
        "60/00s",
        "-1/s",
        "1.5/s",
        "60/day",
        "60/nin",
        "٦٠/min",
        "9" * 5000 + "/s",
    ],
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    """The error shows how a rate is written."""
    with pytest.raises(ConfigurationError, match="60/min"):
        Rate.parse(text)


@pytest.mark.parametrize("value", [60, 1.5, b"60/min", object()])
def test_rate_must_be_a_rate(value: Any) -> None:
    """A bare number has no unit."""
    with pytest.raises(ConfigurationError, match="is no rate"):
        to_rate(value)


@pytest.mark.parametrize("value", [None, Rate(1)])
def test_rate_and_none_stay_as_they_are(value: Rate | None) -> None:
    """`None` is no limit."""
    assert value is to_rate(value)


@pytest.mark.parametrize("rate", ["60/60s", "10/1s", "100/15s"])
def test_rate_prints_as_it_is_read(rate: str) -> None:
    """What is shown can be given again."""
    assert rate == str(Rate.parse(rate))


@pytest.mark.parametrize(("retries", "expected"), [(1, 0.5), (2, 1.0), (3, 2.0), (9, 8.0)])
def test_waits_double_up_to_the_longest(retries: int, expected: float) -> None:
    """The bound doubles with each retry and stops at `max_wait`."""
    assert expected == RetryPolicy().longest_wait(retries)


def test_many_retries_overflow_nothing() -> None:
    """A policy that never gives up waits at most `max_wait`."""
    assert 8.0 == RetryPolicy(attempts=10**6).longest_wait(10**6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0},
        {"base": -1},
        {"max_wait": float("nan")},
        {"max_pause": -1},
        {"default_pause": -0.1},
    ],
)
def test_policies_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    """Less than one attempt, or less than no wait, is an error of the programmer."""
    with pytest.raises(ValueError):
        RetryPolicy(**wrong)
