"""Hours and limits of `bulk`, `send` and `worker`: what the preview says, and what is sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.cli.bulk import Bulk, people, texts_of
from support.cli.runner import Cli

from iprog_async.sandbox import Sandbox


pytestmark = pytest.mark.usefixtures("_iprog", "_no_waiting")

HELLO = ("--text", "Hi {name}")


def later_hours() -> tuple[str, ...]:
    """Return options for hours that begin in more than an hour, and end before now."""
    hour = datetime.now(UTC).hour
    return "--send-between", f"{(hour + 2) % 24:02}:00-{(hour + 4) % 24:02}:00", "--zone", "UTC"


def test_preview_tells_how_many_rows_would_wait(bulk: Bulk) -> None:
    """Before anything is sent, with the time at which they go on."""
    told = bulk(people(3), "--dry-run", *later_hours(), *HELLO).out
    plan = json.loads(bulk(people(3), "--dry-run", "--json", *later_hours(), *HELLO).out)["plan"]

    assert "would wait   3, the first until " in told
    assert 3 == plan["waiting"]
    assert datetime.now(UTC) < datetime.fromisoformat(plan["waits_until"])


def test_preview_says_nothing_where_nothing_waits(bulk: Bulk) -> None:
    """There are hours that are always."""
    assert "would wait" not in bulk(people(1), "--dry-run", *HELLO).out


def test_number_gets_as_many_as_it_may(bulk: Bulk, sandbox: Sandbox) -> None:
    """The rest is not sent, with the reason."""
    rows = [("09170000100", f"Ann{number}") for number in range(3)]
    ended = bulk(rows, "--yes", "--per-number", "2/day", *HELLO)

    assert 2 == len(texts_of(sandbox))
    assert "has had its texts (per_number=2/day), and may get one again at" in ended.out + ended.err


def test_a_day_costs_no_more_than_it_may(bulk: Bulk, sandbox: Sandbox) -> None:
    """The run halts, and says so."""
    ended = bulk(people(3), "--yes", "--credits-per-day", "1", *HELLO)

    assert 1 == len(texts_of(sandbox))
    assert "the 1 credits of 24 hours are taken" in ended.out + ended.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--send-between", "8-20"), "--send-between, --zone: '8-20' are no hours of a day"),
        (("--send-between", "08:00-20:00", "--zone", "Manila"), "'Manila' is no time zone"),
        (("--zone", "Asia/Manila"), "--zone is the clock of --send-between"),
        (("--per-number", "5"), "--per-number: '5' is no rate"),
        (("--per-number-same-text", "1/week"), "--per-number-same-text: '1/week' is no rate"),
    ],
)
def test_options_that_make_no_sense(
    bulk: Bulk, sandbox: Sandbox, options: tuple[str, ...], words: str
) -> None:
    """The error names the option, and nothing is sent."""
    assert words in bulk(people(1), "--yes", *options, *HELLO).err
    assert [] == texts_of(sandbox)


def test_who_loads_says_nothing_of_limits(bulk: Bulk) -> None:
    """They are the workers': the error says where to give them."""
    address = "postgresql://nobody@127.0.0.1:9/nothing"
    ended = bulk(
        people(1), "--enqueue", "--journal", address, "--yes", "--per-number", "5/day", *HELLO
    )

    assert "--per-number is for those that send: give it to iprog-async worker" in ended.err


def test_a_single_text_is_not_sent_outside_of_its_hours(cli: Cli, sandbox: Sandbox) -> None:
    """The error says when it may be."""
    ended = cli("send", "0917 123 4567", "Hi", *later_hours())

    assert "the policy send_between has this text wait until" in ended.err
    assert [] == texts_of(sandbox)


def test_single_texts_are_counted_in_the_journal(
    cli: Cli, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Each command is a process of its own, so that there is nothing to count without one."""
    journal = ("--journal", str(tmp_path / "texts.db"), "--per-number", "2/day")
    codes = [cli("send", "0917 123 4567", f"Hi {n}", *journal).code for n in range(3)]
    without = cli("send", "0917 123 4567", "Hi", "--per-number", "2/day")

    assert [True, True, False] == [code == 0 for code in codes]
    assert 2 == len(texts_of(sandbox))
    assert "count in a --journal" in without.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rate", "5/s"], "put ?rate= into the address"),
        (["--engine", "httpx"], "give it to iprog-async worker"),
        (["--concurrency", "5"], "give it to iprog-async worker"),
        (["--allow-lost-records"], "for a journal in a file"),
    ],
)
def test_loading_takes_nothing_that_only_senders_obey(
    bulk: Bulk, options: list[str], words: str
) -> None:
    """An option that would do nothing is refused, with where it belongs."""
    address = "postgresql://nobody@127.0.0.1:9/none"
    ended = bulk(people(1), "--enqueue", "--journal", address, "--yes", *options, *HELLO)

    assert 2 == ended.code
    assert words in ended.err
    assert "Nothing was loaded" in ended.err
