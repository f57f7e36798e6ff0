"""Hours of the day: how they are written, in which zones, and when clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iprog_async import ConfigurationError
from iprog_async._policies.day_hours import DayHours, to_zone, zones_of


MANILA, BERLIN = ZoneInfo("Asia/Manila"), ZoneInfo("Europe/Berlin")
ADELAIDE, PERTH = ZoneInfo("Australia/Adelaide"), ZoneInfo("Australia/Perth")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("08:00-20:00", "08:00-20:00"),
        (" 8:00 - 20:30 ", "08:00-20:30"),
        ("20:00-02:00", "20:00-02:00"),
        ("08:00-24:00", "08:00-00:00"),
        ("00:00-12:00", "00:00-12:00"),
    ],
)
def test_hours_as_people_write_them(words: str, shown: str) -> None:
    """With or without blanks, over midnight, and to the end of the day."""
    assert shown == str(DayHours.parse(words))


@pytest.mark.parametrize(
    "words", ["", "8-20", "08:00", "08:00-08:00", "25:00-26:00", "08:60-09:00", "08:00-24:30", None]
)
def test_what_are_no_hours(words: str) -> None:
    """The error shows how to write them."""
    with pytest.raises(ConfigurationError, match="write them like 08:00-20:00"):
        DayHours.parse(words)


@pytest.mark.parametrize("name", ["Manila", "", "Asia/Nowhere", "../etc", None, "\0"])
def test_what_is_no_zone(name: str) -> None:
    """The error shows how to write one."""
    with pytest.raises(ConfigurationError, match="write it like Asia/Manila"):
        to_zone(name)


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+639171234567", {"Asia/Manila"}),
        ("+256701234567", {"Africa/Kampala"}),
        ("+4915112345678", {"Europe/Berlin"}),
        ("+13105551234", {"America/Los_Angeles"}),
        ("+447700900123", set[str]()),
        ("+88312345678", set[str]()),
    ],
)
def test_zones_of_a_number(number: str, zones: set[str]) -> None:
    """Those of its country, or of its area; none where nobody knows."""
    assert zones == {zone.key for zone in zones_of(number)}


def test_a_number_can_be_in_several_zones() -> None:
    """A mobile number of a wide country may be anywhere in it."""
    assert {"Australia/Sydney", "Australia/Perth"} < {zone.key for zone in zones_of("+61412345678")}


@pytest.mark.parametrize(
    ("hours", "now", "opens", "closes"),
    [
        # Manila is eight hours ahead of UTC, and has no summer time.
        ("08:00-20:00", "2026-01-01T11:58", "2026-01-01T00:00", "2026-01-01T12:00"),
        ("08:00-20:00", "2026-01-01T12:00", "2026-01-02T00:00", "2026-01-02T12:00"),
        ("08:00-20:00", "2026-01-01T23:59", "2026-01-02T00:00", "2026-01-02T12:00"),
        ("20:00-02:00", "2026-01-01T17:59", "2026-01-01T12:00", "2026-01-01T18:00"),
        ("20:00-02:00", "2026-01-01T18:00", "2026-01-02T12:00", "2026-01-02T18:00"),
        ("08:00-24:00", "2026-01-01T15:59", "2026-01-01T00:00", "2026-01-01T16:00"),
    ],
)
def test_the_hours_that_hold_or_come_next(hours: str, now: str, opens: str, closes: str) -> None:
    """Also over midnight, by the clocks of the zone."""
    span = DayHours.parse(hours).next_span(_utc(now), [MANILA])

    assert span is not None
    assert (_utc(opens), _utc(closes)) == (span.opens, span.closes)


@pytest.mark.parametrize(
    ("hours", "now", "opens", "closes"),
    [
        # 29 March 2026, 2:00 becomes 3:00: the day has 23 hours.
        ("08:00-20:00", "2026-03-28T20:00", "2026-03-29T06:00", "2026-03-29T18:00"),
        ("02:30-20:00", "2026-03-28T20:00", "2026-03-29T01:30", "2026-03-29T18:00"),
        ("20:00-02:30", "2026-03-28T20:00", "2026-03-28T19:00", "2026-03-29T00:30"),
        # 25 October 2026, 3:00 becomes 2:00: 2:30 is there twice.
        ("08:00-20:00", "2026-10-24T20:00", "2026-10-25T07:00", "2026-10-25T19:00"),
        ("02:30-20:00", "2026-10-24T20:00", "2026-10-25T01:30", "2026-10-25T19:00"),
        ("20:00-02:30", "2026-10-24T20:00", "2026-10-24T18:00", "2026-10-25T00:30"),
    ],
)
def test_when_clocks_are_changed(hours: str, now: str, opens: str, closes: str) -> None:
    """A time that is there twice, or never, is the later one at the beginning, or the earlier."""
    span = DayHours.parse(hours).next_span(_utc(now), [BERLIN])

    assert span is not None
    assert (_utc(opens), _utc(closes)) == (span.opens, span.closes)


def test_in_several_zones_all_have_to_agree() -> None:
    """From the last that opens to the first that closes."""
    span = DayHours.parse("08:00-20:00").next_span(_utc("2026-07-01T00:00"), [ADELAIDE, PERTH])

    assert span is not None
    assert (_utc("2026-07-01T00:00"), _utc("2026-07-01T10:30")) == (span.opens, span.closes)


def test_zones_that_never_agree() -> None:
    """There is no such time, and nobody looks for it for ever."""
    zones = [ZoneInfo("Pacific/Auckland"), ZoneInfo("America/New_York")]

    assert None is DayHours.parse("10:00-12:00").next_span(_utc("2026-07-01T00:00"), zones)


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)),
    st.times(),
    st.times(),
    st.sampled_from(["Asia/Manila", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]),
)
def test_inside_of_the_hours_the_clocks_show_them(
    moment: datetime, opens: object, closes: object, zone: str
) -> None:
    """Whatever is allowed is allowed by the clock on the wall, and the next hours do come."""
    start = f"{opens:%H:%M}"
    end = f"{closes:%H:%M}"
    if start == end:
        return
    hours = DayHours.parse(f"{start}-{end}")
    now = moment.replace(tzinfo=UTC)
    span = hours.next_span(now, [ZoneInfo(zone)])

    assert span is not None
    assert now < span.closes
    assert span.opens - now < timedelta(days=2)
    inside = max(span.opens, now)
    shown = f"{inside.astimezone(ZoneInfo(zone)):%H:%M}"
    if start < end:
        assert start <= shown < end
    else:
        assert shown >= start or shown < end


def _utc(words: str) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=UTC)
