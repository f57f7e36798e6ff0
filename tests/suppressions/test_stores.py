"""What a list promises, wherever it is kept."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.waiting import LONG

from iprog_async import (
    Inbound,
    InvalidMessageError,
    StopWords,
    Suppression,
    SuppressionChange,
    Suppressions,
    SuppressionsError,
)


NUMBER = "+639171234567"
OTHER = "+256701234567"


async def numbers_of(suppressions: Suppressions) -> list[str]:
    """Return the numbers on a list, in its order."""
    return [entry.number async for entry in suppressions.list()]


async def changes_of(suppressions: Suppressions) -> list[tuple[str, str, str]]:
    """Return the changes of a list, without their times."""
    return [(each.number, each.change, each.why) async for each in suppressions.changes()]


async def test_number_is_on_the_list_until_it_is_taken_off(suppressions: Suppressions) -> None:
    """A number is found however it is written, and twice on the list is once."""
    assert [True, False] == [await suppressions.add(n) for n in ("0917 123 4567", NUMBER)]
    assert [True, True] == [await suppressions.contains(n) for n in (NUMBER, "(0917) 123-4567")]
    assert not await suppressions.contains(OTHER)
    assert 1 == await suppressions.count()
    assert [True, False] == [await suppressions.remove(NUMBER) for _ in range(2)]
    assert (False, 0) == (await suppressions.contains(NUMBER), await suppressions.count())


async def test_entry_says_since_when_and_why(suppressions: Suppressions) -> None:
    """The list tells when a number came on it and why; a second time changes nothing."""
    before = datetime.now(UTC)
    await suppressions.add(NUMBER, why="  STOP\n# now ")
    await suppressions.add(NUMBER, why="again")
    (entry,) = [entry async for entry in suppressions.list()]
    assert (NUMBER, "STOP # now") == (entry.number, entry.why)
    assert entry.since is not None
    assert before <= entry.since <= datetime.now(UTC)


async def test_changes_are_kept(suppressions: Suppressions) -> None:
    """What was put on and taken off stays on record, with the reasons."""
    await suppressions.add(NUMBER, why="STOP")
    await suppressions.remove(NUMBER, why="START")
    await suppressions.add(NUMBER, why="asked by phone")
    assert [
        (NUMBER, "added", "STOP"),
        (NUMBER, "removed", "START"),
        (NUMBER, "added", "asked by phone"),
    ] == await changes_of(suppressions)
    assert all([isinstance(each.at, datetime) async for each in suppressions.changes()])


async def test_others_see_a_change_at_once(place: Path | str, suppressions: Suppressions) -> None:
    """Whoever else has the list open, as another process has, sees what was written."""
    with Suppressions.open(place) as other:
        assert not await other.contains(NUMBER)
        await suppressions.add(NUMBER)
        assert await other.contains(NUMBER)
        await other.remove(NUMBER)
        assert not await suppressions.contains(NUMBER)


async def test_writers_do_not_undo_each_other(
    place: Path | str, suppressions: Suppressions
) -> None:
    """Lists that are written at once hold what each of them added."""
    numbers = [f"+6391712345{n:02}" for n in range(24)]
    with Suppressions.open(place) as other:
        adding = [(suppressions, other)[n % 2].add(number) for n, number in enumerate(numbers)]
        assert [True] * 24 == await asyncio.gather(*adding)
    assert numbers == await numbers_of(suppressions)


async def test_many_are_looked_up_together(suppressions: Suppressions) -> None:
    """Of many numbers those on the list are found, by many tasks at once, each its own."""
    numbers = [f"+6391712345{n:02}" for n in range(40)]
    await suppressions.import_lines(numbers[:20])
    found = await asyncio.gather(*(suppressions.among(numbers[n : n + 5]) for n in range(35)))
    assert [set(numbers[n : n + 5]) & set(numbers[:20]) for n in range(35)] == found
    assert set() == await suppressions.among([])


async def test_list_is_read_in_pages(
    suppressions: Suppressions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long list comes whole, in the order of its numbers, and so do its changes."""
    monkeypatch.setattr("iprog_async._suppressions.suppressions._PAGE", 3)
    numbers = [f"+6391712345{n:02}" for n in range(10)]
    imported = await suppressions.import_lines(reversed(numbers))
    assert (10, 0) == (imported.added, imported.known)
    assert numbers == await numbers_of(suppressions)
    assert 10 == len(await changes_of(suppressions))


async def test_export_can_be_imported(suppressions: Suppressions, tmp_path: Path) -> None:
    """What is written out keeps times and reasons in another list, and comes once."""
    await suppressions.add(NUMBER, why="STOP")
    await suppressions.import_lines([f"{OTHER} # complained", "", "# a comment"], why="by hand")
    stream = io.StringIO()
    assert 2 == await suppressions.export(stream)
    lines = stream.getvalue().splitlines()
    with Suppressions.open(tmp_path / "copy.db") as copy:
        assert (2, 0) == tuple(_counts(await copy.import_lines(lines)))
        assert (0, 2) == tuple(_counts(await copy.import_lines(lines)))
        expected = [entry async for entry in suppressions.list()]
        assert expected == [entry async for entry in copy.list()]
    assert ["complained", "STOP"] == [entry.why for entry in expected]


def _counts(imported: object) -> list[int]:
    return [getattr(imported, name) for name in ("added", "known")]


async def test_bad_line_imports_nothing(suppressions: Suppressions) -> None:
    """A line that is no number is an error that names it, and none of the others is taken."""
    with pytest.raises(SuppressionsError, match="line 2 is no phone number") as caught:
        await suppressions.import_lines([NUMBER, "0917", OTHER])
    assert "'0917'" in str(caught.value)
    assert [] == await numbers_of(suppressions)


@pytest.mark.parametrize("method", ["add", "remove", "contains"])
async def test_bad_number_is_refused(suppressions: Suppressions, method: str) -> None:
    """What is no phone number is an error, and never a number that nobody has."""
    with pytest.raises(InvalidMessageError):
        await getattr(suppressions, method)("call me")


@pytest.mark.parametrize(
    ("text", "wish", "is_on"),
    [
        ("Stop.", "stop", True),
        ("ARRÊT", "stop", True),
        ("please stop", None, False),
        ("start", "start", False),
    ],
)
async def test_text_is_heard(
    suppressions: Suppressions, text: str, wish: str | None, is_on: bool
) -> None:
    """A stop word puts its sender on the list with the text as reason; others change nothing."""
    assert wish == await suppressions.hear(Inbound(NUMBER, text))
    assert is_on == await suppressions.contains(NUMBER)
    assert [text] * is_on == [entry.why async for entry in suppressions.list()]


async def test_start_takes_off(suppressions: Suppressions) -> None:
    """A start word undoes a stop word, and both are on record."""
    for text in ("STOP", "Start"):
        await suppressions.hear(Inbound(NUMBER, text))
    assert not await suppressions.contains(NUMBER)
    assert [(NUMBER, "added", "STOP"), (NUMBER, "removed", "Start")] == await changes_of(
        suppressions
    )


async def test_sender_without_a_number_is_not_listed(
    suppressions: Suppressions, caplog: pytest.LogCaptureFixture
) -> None:
    """A short code can't be texted, so its STOP is a line in the log, without the sender."""
    for text in ("STOP", "Hi"):
        assert await suppressions.hear(Inbound("8080", text)) is None
    assert 0 == await suppressions.count()
    (line,) = caplog.messages
    assert "a STOP through a gateway changed nothing" in line
    assert "8080" not in line


async def test_national_sender_is_heard(suppressions: Suppressions) -> None:
    """A sender without a country code is read with the list's region."""
    assert "stop" == await suppressions.hear(Inbound("0917 123 4567", "STOP"))
    assert await suppressions.contains("+639171234567")
    assert "start" == await suppressions.hear(Inbound("09171234567", "START"))
    assert 0 == await suppressions.count()


async def test_words_can_be_others(place: Path | str) -> None:
    """With words of one's own, those count and no others."""
    words = StopWords(stop=["Wag na po"])
    with Suppressions.open(place, words=words) as suppressions:
        assert "stop" == await suppressions.hear(Inbound(NUMBER, "wag na po!!"))
        assert await suppressions.hear(Inbound(OTHER, "STOP")) is None
        assert [NUMBER] == await numbers_of(suppressions)


async def test_list_is_there_again(place: Path | str, suppressions: Suppressions) -> None:
    """A closed list can be opened again, and is used on if somebody closed it too early."""
    await suppressions.add(NUMBER)
    suppressions.close()
    suppressions.close()
    assert await suppressions.contains(NUMBER)
    with Suppressions.open(place, create=False) as again:
        assert [NUMBER] == await numbers_of(again)


_IN_A_FORK = """
import asyncio, os, sys, warnings
# The threads that waited for the disk go on in the parent alone.
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
from iprog_async import Suppressions

NUMBERS = ["+639171234567", "+256701234567", "+2348012345678"]
suppressions = Suppressions.open(sys.argv[1])
asyncio.run(suppressions.add(NUMBERS[0]))
if os.fork() == 0:
    assert {NUMBERS[0]} == asyncio.run(suppressions.among(NUMBERS))
    asyncio.run(suppressions.add(NUMBERS[1]))
    suppressions.close()
    os._exit(0)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
asyncio.run(suppressions.add(NUMBERS[2]))
assert set(NUMBERS) == asyncio.run(suppressions.among(NUMBERS))
suppressions.close()
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_child_of_a_fork_has_the_list(place: Path | str) -> None:
    """A process that was forked off has the list, and what it adds its parent sees."""
    child = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-W", "error::ResourceWarning", "-c", _IN_A_FORK, str(place)],
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert (0, "") == (child.returncode, child.stderr)


def test_values_say_what_they_are() -> None:
    """A reason is one line, and not endless."""
    when = datetime(2026, 11, 29, tzinfo=UTC) + timedelta(hours=1)
    assert "a b" == Suppression(NUMBER, when, " a\n\tb ").why
    assert 200 == len(SuppressionChange(NUMBER, "added", when, "x" * 1000).why)
