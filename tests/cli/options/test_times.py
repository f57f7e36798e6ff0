from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from iprog_async import InvalidMessageError
from iprog_async._core.schedules import check_future, words_of
from iprog_async.cli._options.times import WallClock, to_zone
from iprog_async.cli._options.when import clock_of_gateway, read_not_after


_BERLIN = ZoneInfo("Europe/Berlin")
# Already the 25th in Manila, and half a minute past.
_NOW = datetime(2026, 11, 24, 22, 0, 30, tzinfo=UTC)


def _read(given: str, zone: ZoneInfo | None = _BERLIN) -> str:
    return WallClock(zone, _NOW).read(given, "--at").isoformat()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-12-01 09:00", "2026-12-01T09:00:00+01:00"),
        ("2026-12-01T09:00", "2026-12-01T09:00:00+01:00"),
        ("  2026-12-01   9:00:30 ", "2026-12-01T09:00:30+01:00"),
        ("2026-07-01 09:00", "2026-07-01T09:00:00+02:00"),
        ("2026-12-01 9:00 pm", "2026-12-01T21:00:00+01:00"),
        ("2026-12-01 12am", "2026-12-01T00:00:00+01:00"),
        ("2026-12-01 12:30 P.M.", "2026-12-01T12:30:00+01:00"),
        ("2026-12-01T09:00+08:00", "2026-12-01T09:00:00+08:00"),
        ("2026-12-01 09:00 +0800", "2026-12-01T09:00:00+08:00"),
        ("2026-12-01t09:00z", "2026-12-01T09:00:00+00:00"),
        ("today 23:30", "2026-11-24T23:30:00+01:00"),
        ("tomorrow 9:00", "2026-11-25T09:00:00+01:00"),
        ("Tomorrow at 9am", "2026-11-25T09:00:00+01:00"),
        ("tomorrow 9:00 +08:00", "2026-11-26T09:00:00+08:00"),
        ("in 90 minutes", "2026-11-25T00:31:00+01:00"),
        ("in 1 min", "2026-11-24T23:02:00+01:00"),
        ("in 2 hours", "2026-11-25T01:01:00+01:00"),
        ("in 1h", "2026-11-25T00:01:00+01:00"),
        ("in 1 day", "2026-11-25T23:01:00+01:00"),
        ("in 2 weeks", "2026-12-08T23:01:00+01:00"),
        # Across the change of clocks: the same time of day, and not so many hours.
        ("in 200 days", "2027-06-12T23:01:00+02:00"),
        ("1 Dec 2027 9:00", "2027-12-01T09:00:00+01:00"),
        ("1st December 2027, at 9am", "2027-12-01T09:00:00+01:00"),
        ("Sept. 3, 2027 21:30", "2027-09-03T21:30:00+02:00"),
        ("may 3rd 2027 at 9:00 +08:00", "2027-05-03T09:00:00+08:00"),
        # The next time that it is so late: it is 23:00:30 in Berlin, and 6:00:30 in Manila.
        ("23:01", "2026-11-24T23:01:00+01:00"),
        ("23:00:30", "2026-11-25T23:00:30+01:00"),
        ("9am", "2026-11-25T09:00:00+01:00"),
        ("6:00 +08:00", "2026-11-26T06:00:00+08:00"),
        ("7:00 +08:00", "2026-11-25T07:00:00+08:00"),
        # The hour that is there twice, and the one before the gap, are told apart by an offset.
        ("2026-10-25 02:30+01:00", "2026-10-25T02:30:00+01:00"),
        ("2027-03-28 01:59", "2027-03-28T01:59:00+01:00"),
        ("2027-03-28 03:00", "2027-03-28T03:00:00+02:00"),
    ],
)
def test_times(given: str, expected: str) -> None:
    """A time as people write it is the moment that they mean."""
    assert expected == _read(given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "is no time; write "),
        ("tomorrow", "is no time; write "),
        ("2026-12-01", "is no time; write "),
        ("01/12/2026 09:00", "is no time; write "),
        ("1700000000", "is no time; write "),
        ("in 2 months", "is no time; write "),
        ("in 99999 weeks", "the year 3943 is out of range"),
        ("1 Dec 2027", "is no time; write "),
        ("1 Dez 2027 9:00", "is no time; write "),
        ("1 D 2027 9:00", "is no time; write "),
        ("30 Feb 2027 9:00", "there is no such date"),
        ("9", "write the minutes, too: 9:00"),
        ("in -2 hours", "is no time; write "),
        ("2026-12-01 09:00 Europe/Berlin", "is no time; write "),
        ("२०२६-12-01 09:00", "is no time; write "),
        ("tomorrow 9", "write the minutes, too: 9:00"),
        ("2026-02-30 09:00", "there is no such date"),
        ("2026-12-01 24:00", "there is no such time of day"),
        ("2026-12-01 09:60", "there is no such time of day"),
        ("2026-12-01 13pm", "there is no such time of day"),
        ("2026-12-01 0am", "there is no such time of day"),
        ("2026-12-01 09:00 +99:00", "there is no such offset"),
        (
            "2027-03-28 02:30",
            "is never shown in Europe/Berlin, where clocks go forward; write "
            "2027-03-28T03:30+02:00",
        ),
        (
            "2026-10-25 02:30",
            "is there twice in Europe/Berlin, where clocks go back; write "
            "2026-10-25T02:30+02:00 or 2026-10-25T02:30+01:00",
        ),
    ],
)
def test_no_times(given: str, words: str) -> None:
    """What is no one moment is refused with the option, what was given, and what to write."""
    with pytest.raises(InvalidMessageError) as caught:
        _read(given)

    assert str(caught.value).startswith(f"--at {given!r}")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("given", "first", "last"),
    [
        ("2026-11-01", "2026-11-01T00:00:00+01:00", "2026-11-01T23:59:59+01:00"),
        ("1 Nov 2026", "2026-11-01T00:00:00+01:00", "2026-11-01T23:59:59+01:00"),
        ("yesterday", "2026-11-23T00:00:00+01:00", "2026-11-23T23:59:59+01:00"),
        ("Today", "2026-11-24T00:00:00+01:00", "2026-11-24T23:59:59+01:00"),
        ("9:00", "2026-11-24T09:00:00+01:00", "2026-11-24T09:00:00+01:00"),
        ("2026-11-01 8:00", "2026-11-01T08:00:00+01:00", "2026-11-01T08:00:00+01:00"),
    ],
)
def test_bounds(given: str, first: str, last: str) -> None:
    """A span that begins or ends on a day has all of it; a time alone is today's."""
    clock = WallClock(_BERLIN, _NOW)
    read = [clock.read_bound(given, "--end", last=end).isoformat() for end in (False, True)]
    assert [first, last] == read


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("23:30", "2026-11-24T23:30:00+01:00"),
        ("9:00 +08:00", "2026-11-25T09:00:00+08:00"),
        ("today", "2026-11-24T23:59:59+01:00"),
        ("tomorrow 9:00", "2026-11-25T09:00:00+01:00"),
        ("in 2 hours", "2026-11-25T01:01:00+01:00"),
    ],
)
def test_an_end(given: str, expected: str) -> None:
    """A time alone is today's, and a day is over at its end."""
    until = read_not_after(given, WallClock(_BERLIN, _NOW), None)
    assert until is not None
    assert expected == until.isoformat()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("20:00", "is in the past: .* now; write tomorrow 20:00$"),
        (" 8 pm ", "now; write tomorrow 8 pm$"),
        ("yesterday", "is in the past: [^;]* now$"),
    ],
)
def test_an_end_that_is_over(given: str, words: str) -> None:
    """It is refused: tomorrow's would let out what has been worthless for hours."""
    with pytest.raises(InvalidMessageError, match=words):
        read_not_after(given, WallClock(_BERLIN, _NOW), None)


def test_a_command_without_an_option_for_the_zone() -> None:
    """It does not advise one."""
    clock = clock_of_gateway(None)
    with pytest.raises(InvalidMessageError, match="none of its own; add an offset: 2027"):
        read_not_after("today 23:59", clock, None)


def test_what_is_proposed_can_be_read() -> None:
    """The times that an error proposes are read without another one."""
    assert ["2027-03-28T03:30:00+02:00", "2026-10-25T02:30:00+01:00"] == [
        _read("2027-03-28T03:30+02:00"),
        _read("2026-10-25T02:30+01:00"),
    ]


def test_without_a_zone() -> None:
    """Where nobody knows the zone, only a time that needs none is read."""
    assert "2026-11-25T00:01:00+00:00" == _read("in 2 hours", None)
    assert "2026-11-26T22:01:00+00:00" == _read("in 2 days", None)
    assert "2026-12-01T09:00:00+08:00" == _read("2026-12-01 09:00+08:00", None)
    with pytest.raises(InvalidMessageError, match=r"names no time zone.*add --tz Europe/Berlin"):
        _read("2026-12-01 09:00", None)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("Asia/Manilla", "Asia/Manila"), ("Berlin", "Europe/Berlin"), ("", "Asia/Manila")],
)
def test_no_zone(name: str, nearest: str) -> None:
    """A zone that is none is answered with the nearest that is one."""
    with pytest.raises(InvalidMessageError, match=f"write it like {nearest}"):
        to_zone(name)


@pytest.mark.parametrize("name", ["../etc/passwd", "/etc/passwd", "Europe", "\0", "a" * 5000])
def test_hostile_zone(name: str) -> None:
    """A zone's name that leads elsewhere is bad input like any other."""
    with pytest.raises(InvalidMessageError, match="is no time zone"):
        to_zone(name)


def test_words() -> None:
    """A time is told with its zone, by name or by offset."""
    when = datetime(2026, 12, 1, 9, 0, tzinfo=_BERLIN)
    assert "2026-12-01 09:00 (Europe/Berlin)" == words_of(when)
    assert "2026-12-01 08:00 (UTC+00:00)" == words_of(when.astimezone(UTC))


def test_past() -> None:
    """A time that is over is told together with what time it is there."""
    check_future(_NOW.replace(second=31), _NOW, "--at 'x'")
    over = _NOW.astimezone(_BERLIN)
    expected = r"--at 'x' is in the past: it is 2026-11-24 23:00 \(Europe/Berlin\) now"
    with pytest.raises(InvalidMessageError, match=expected):
        check_future(over, _NOW, "--at 'x'")


@pytest.mark.parametrize("given", ["9999-12-31 23:59-08:00", "0001-01-01 00:00+14:00"])
def test_far_away(given: str) -> None:
    """A year that no gateway knows is refused before anything is sent."""
    with pytest.raises(InvalidMessageError, match="out of range; write one of 1970 to 2999"):
        _read(given)
