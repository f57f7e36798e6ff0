"""Runs of `bulk` that go on after others: what is sent again, and what that risks."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from support.cli.bulk import SEND, Bulk, people, read_csv, texts_of

from iprog_async import JournalError
from iprog_async._journal.sqlite.store import SqliteStore
from iprog_async.cli._bulk.options import CommandOptions
from iprog_async.sandbox import Fault, Sandbox


pytestmark = pytest.mark.usefixtures("_iprog", "_no_waiting")


def test_resume_sends_the_rest(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """With a journal the same command sends only what is missing, and says so before."""
    tokens = ("--yes", "--journal", str(tmp_path / "june.db"), "--campaign", "june")
    results = ("--results", str(tmp_path / "out.csv"))

    first = bulk(people(5), *tokens, *results, "--max-credits", "2")
    second = bulk(people(5), *tokens, *results)

    assert (4, 0, 5) == (first.code, second.code, len(sandbox.inbox))
    assert len(set(texts_of(sandbox))) == 5
    assert "settled      2 (by an earlier run; not sent again)" in second.out
    assert "Of these, 2 are of an earlier run and were not sent again." in second.out
    assert ["accepted"] * 5 == [row["state"] for row in read_csv(tmp_path / "out.csv")]


@pytest.mark.parametrize("answer", ["n", None])
def test_no_journal_before_the_yes(
    bulk: Bulk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str | None
) -> None:
    """A no or a dry run leaves no journal behind, which another campaign could not use."""
    journal = tmp_path / "june.db"
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)

    def ask(question: str) -> str | None:
        return answer

    monkeypatch.setattr("iprog_async.cli._terminal.confirm.ask", ask)

    first = bulk(people(2), "--journal", str(journal), *([] if answer else ["--dry-run"]))
    left = journal.exists()
    second = bulk(people(2), "--journal", str(journal), "--campaign", "june", "--yes")

    assert (130 if answer else 0, False, 0) == (first.code, left, second.code)
    assert [True, True] == [f"journal      {journal} (new)" in ran.out for ran in (first, second)]


def test_a_preview_keeps_unknown_apart(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """What an earlier run may have sent is not called settled: it has a line of its own."""
    tokens = ("--journal", str(tmp_path / "june.db"), "--concurrency", "1")
    sandbox.add_fault(Fault(SEND, "drop_after", times=2))

    bulk(people(5), *tokens, "--yes")
    shown = bulk(people(5), *tokens, "--dry-run")
    data = bulk(people(5), *tokens, "--dry-run", "--json").json

    assert "settled      3 (by an earlier run; not sent again)\n" in shown.out
    unknown = "unknown      2 (not sent again; see journal unknown, --resend-unknown)\n"
    assert unknown in shown.out
    assert (5, 2) == (data["plan"]["resumed"], data["plan"]["unknown"])


def test_mended_text_is_a_conflict(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """A typo fixed in the text does not text everybody again, unless that is asked for."""
    journal = ("--yes", "--journal", str(tmp_path / "june.db"))
    bulk(people(2), *journal)

    refused = bulk(people(2), *journal, "--text", "Hello {name}")
    allowed = bulk(people(2), *journal, "--text", "Hello {name}", "--allow-changed-text")

    assert (4, 0, 4) == (refused.code, allowed.code, len(sandbox.inbox))
    assert "conflicts    2 (got another text before; not sent)" in refused.out


def test_unknown_is_not_repeated(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """What may have been sent stays unknown, until it is asked for by name."""
    journal = ("--yes", "--journal", str(tmp_path / "june.db"))
    sandbox.add_fault(Fault(SEND, "drop_after"))
    bulk(people(2), *journal)

    again = bulk(people(2), *journal)
    told = bulk(people(2), *journal, "--resend-unknown")

    assert (6, 0, 3) == (again.code, told.code, len(sandbox.inbox))
    assert "--resend-unknown sends them again" in again.out


def test_what_the_journal_can_not_be_asked_about_is_unknown(
    bulk: Bulk, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code is that of a text in doubt; the same command later finds out, and sends the rest."""
    journal = ("--yes", "--journal", str(tmp_path / "june.db"))
    bulk(people(2), *journal, "--max-credits", "1")
    look_up, looks = SqliteStore.look_up, [count()]

    async def fail_after_the_preview(*asked: Any, **how: Any) -> Any:
        if next(looks[-1]):
            raise JournalError("the disk is gone")
        return await look_up(*asked, **how)

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "look_up", fail_after_the_preview)
        halted = bulk(people(2), *journal, "--json")
        looks.append(count())
        told = bulk(people(2), *journal)
    again = bulk(people(2), *journal)

    assert "The same command repeats nothing, and sends the rest" in told.out
    assert "--resend-unknown" not in told.out
    counts = {key: halted.json["counts"][key] for key in ("accepted", "not_sent", "unknown")}
    (why,) = halted.json["reasons"]["unknown"]
    assert {"accepted": 0, "not_sent": 0, "unknown": 2} == counts
    assert "the journal can't say whether it was sent before: the disk is gone" == why["reason"]
    assert (6, 0, 2) == (halted.code, again.code, len(sandbox.inbox))


def test_resending_says_what_it_risks(
    bulk: Bulk, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Preview and question say how many may get a second text; without the option none does."""
    journal = ("--journal", str(tmp_path / "june.db"))
    sandbox.add_fault(Fault(SEND, "drop_after", times=2))
    bulk(people(3), "--yes", *journal)
    questions: list[str] = []

    def ask(question: str) -> str:
        questions.append(question)
        return "n"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("iprog_async.cli._terminal.confirm.ask", ask)

    ran = bulk(people(5), *journal, "--resend-unknown")
    data = bulk(people(5), *journal, "--resend-unknown", "--dry-run", "--json").json
    without = bulk(people(5), *journal)

    risk = "of these, 2 may have been sent already: they may get a second text"
    assert f"WARNING      --resend-unknown: {risk}\n" in ran.out
    assert (2, True) == (data["plan"]["in_doubt"], risk in data["warnings"][0])
    assert "second text" not in without.out
    assert [
        "Send 4 texts now, 2 of them perhaps for the second time? [y/N] ",
        "Send 2 texts now? [y/N] ",
    ] == questions


def test_resume_command() -> None:
    """The command that goes on has what matters, quoted, and neither address nor answers."""
    order = CommandOptions(
        file="june 1.csv",
        text="-5 % {name}",
        journal="j.db",
        allow_changed_text=True,
        resend_unknown=True,
        yes=True,
        url="iprog://secret@",
    )

    assert (
        "iprog-async bulk 'june 1.csv' '--text=-5 % {name}' --journal=j.db --allow-changed-text"
        == order.resume_command()
    )
