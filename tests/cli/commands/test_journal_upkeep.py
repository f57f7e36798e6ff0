"""`iprog-async journal settle`, `prune` and `forget`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from support.cli.runner import Cli
from support.core.fakes import NUMBER, FakeProvider, lose
from support.journal.ageing import age
from support.journal.journaling import run_over

from iprog_async import Journal, Message, SmsClient


OTHER = "+639187654321"


@pytest.fixture
def june(tmp_path: Path) -> str:
    """Give a journal with an accepted text, and an unknown one with a key."""
    file = tmp_path / "june.db"

    async def make() -> None:
        with Journal.open(file, campaign="june") as journal:
            await run_over(SmsClient(FakeProvider()), [Message(NUMBER, "Hi")], journal=journal)
            unknown = [Message(OTHER, "Hi", key="order-42")]
            await run_over(SmsClient(FakeProvider(send=lose)), unknown, journal=journal)

    asyncio.run(make())
    return str(file)


def _counts(cli: Cli, june: str) -> dict[str, int]:
    counts: dict[str, int] = cli("journal", "show", june, "--json").json["counts"]
    return {state: count for state, count in counts.items() if count}


@pytest.mark.parametrize(
    ("option", "state", "words"),
    [
        ("--accepted", "accepted", "was unknown, and is accepted now: it is not sent again"),
        ("--not-sent", "waiting", "and is waiting now: it is sent by the next run or send"),
    ],
)
def test_settle(cli: Cli, june: str, option: str, state: str, words: str) -> None:
    """It tells what it has changed, and the counts say it, too."""
    ran = cli("journal", "settle", june, "0918 765 4321", "--region", "PH", option)
    assert (0, True, True) == (ran.code, "key 'order-42'" in ran.out, words in ran.out)
    expected = {"accepted": 1, "waiting": 1} if state == "waiting" else {"accepted": 2}
    assert expected == _counts(cli, june)


@pytest.mark.parametrize(
    ("tokens", "code", "words"),
    [
        ([OTHER], 2, "say what became of it: --accepted or --not-sent"),
        ([OTHER, "--accepted", "--not-sent"], 2, "say what became of it"),
        ([NUMBER, "--accepted"], 3, "is not unknown, but accepted"),
        ([OTHER, "--accepted", "--key", "x"], 3, "has no key 'x' in this journal, but 'order-42'"),
        (["+639170000000", "--not-sent"], 3, "is not in this journal"),
    ],
)
def test_settle_refused(cli: Cli, june: str, tokens: list[str], code: int, words: str) -> None:
    """What is not unknown, or not there, stays as it is."""
    ran = cli("journal", "settle", june, *tokens)
    assert (code, True) == (ran.code, words in ran.err)
    assert {"accepted": 1, "unknown": 1} == _counts(cli, june)


def test_prune(cli: Cli, june: str) -> None:
    """What is old loses its people, and the counts stay."""
    assert 0 == cli("journal", "prune", june, "--older-than", "90d", "--json").json["pruned"]
    age(Path(june), 91)
    ran = cli("journal", "prune", june, "--older-than", "90d")
    assert (0, True) == (ran.code, ran.out.startswith("pruned 2: "))
    assert {"accepted": 1, "unknown": 1} == _counts(cli, june)
    assert NUMBER not in cli("journal", "export", june).out
    ran = cli("journal", "prune", june, "--older-than", "47h")
    assert (3, True) == (ran.code, "a day or more, in whole days" in ran.err)


def test_forget(cli: Cli, june: str) -> None:
    """Who is forgotten is in no file any more."""
    ran = cli("journal", "forget", june, "0917 123 4567", "--region", "PH")
    again = cli("journal", "forget", june, NUMBER, "--json")
    assert (0, True) == (ran.code, ran.out.startswith("forgot 1: "))
    assert {"file": june, "forgotten": 0, "still_in": []} == again.json
    assert NUMBER[3:].encode() not in Path(june).read_bytes()


def test_a_log_that_was_set_aside(cli: Cli, june: str) -> None:
    """A file beside the journal that still has the number is told: exit code 1."""
    aside = Path(f"{june}-wal-set-aside-1")
    aside.write_bytes(b"x" * (1 << 20) + NUMBER.encode())
    ran = cli("journal", "forget", june, NUMBER)
    assert (1, True) == (ran.code, f"the number is still in {aside}" in ran.out)


def test_through_a_link(cli: Cli, june: str, tmp_path: Path) -> None:
    """What is beside the journal that a link leads to is told, too."""
    aside = Path(f"{june}-wal-set-aside-1")
    aside.write_text(NUMBER)
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.db"
    link.symlink_to(june)
    ran = cli("journal", "forget", str(link), NUMBER, "--json")
    assert (1, [str(aside.resolve())]) == (ran.code, ran.json["still_in"])
