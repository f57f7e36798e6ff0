"""`bulk` with a part of the file, a first text to oneself, and a time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.cli.bulk import SEND, Bulk, people, texts_of
from support.cli.runner import Cli

from iprog_async.cli import main
from iprog_async.sandbox import Fault, Sandbox
from iprog_async.sync import Suppressions


pytestmark = pytest.mark.usefixtures("_iprog", "_no_waiting")

_OWN = "09181234567"


def _in_some_hours() -> str:
    """Return an hour of today's or tomorrow's in which it is not now, nor soon."""
    hour = (datetime.now(UTC).hour + 6) % 23
    return f"{hour:02}:00-{hour + 1:02}:00"


def _sent_to(sandbox: Sandbox) -> list[str]:
    return [f"0{text.to[2:]}" for text in sorted(sandbox.inbox, key=lambda text: text.to)]


def test_limit(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """`--limit` reads the first rows; a run without it goes on with the others."""
    journal = ("--journal", str(tmp_path / "june.db"), "--yes")
    first = bulk(people(5), "--limit", "2", *journal)
    assert (0, True) == (first.code, "2 in " in first.out and "--limit 2" in first.out)
    assert [to for to, _ in people(2)] == _sent_to(sandbox)
    bulk(people(5), *journal)
    assert [to for to, _ in people(5)] == _sent_to(sandbox)


def test_the_first_text_goes_to_oneself(
    bulk: Bulk, cli: Cli, sandbox: Sandbox, tmp_path: Path
) -> None:
    """With a journal the trial is sent once, whatever the run does; a new text is tried, too."""
    journal = ("--journal", str(tmp_path / "june.db"), "--first-to", _OWN, "--yes")
    for limit in ("1", "3"):
        ran = bulk(people(3), "--limit", limit, *journal)
        assert (0, True) == (ran.code, "First text: Accepted by iprog, to 639181234567" in ran.out)
    assert [*(to for to, _ in people(3)), _OWN] == _sent_to(sandbox)
    assert ("639181234567", "Hi Ann100") == texts_of(sandbox)[-1]
    again = ("--text", "Hello {name}", "--allow-changed-text", "--limit", "1")
    cli("bulk", str(tmp_path / "june.csv"), *again, *journal)
    assert [_OWN, _OWN] == _sent_to(sandbox)[4:]


def test_a_trial_that_fails_ends_the_run(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """If the trial is not accepted, or is unknown, nobody of the file is sent anything."""
    journal = ("--journal", str(tmp_path / "june.db"), "--first-to", _OWN, "--yes")
    sandbox.add_fault(Fault(SEND, "drop_after"))
    ran = bulk(people(3), *journal)
    assert (6, True) == (ran.code, "nobody of " in ran.err and "was sent anything" in ran.err)
    assert ["639181234567"] == [text.to for text in sandbox.inbox]
    again = bulk(people(3), *journal)
    assert (6, 1) == (again.code, len(sandbox.inbox))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--suppressions", "stop.db"], "among the numbers to suppress"),
        (["--per-number", "1/day"], "1/day"),
        (["--send-between", _in_some_hours(), "--zone", "UTC"], "the policy send_between"),
    ],
)
def test_a_trial_obeys_what_the_run_obeys(
    bulk: Bulk,
    cli: Cli,
    sandbox: Sandbox,
    tmp_path: Path,
    words: list[str],
    why: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A number of one's own is texted no sooner, no more often and no less willingly."""
    monkeypatch.chdir(tmp_path)
    with Suppressions.open("stop.db") as listed:
        listed.add(f"+63{_OWN[1:]}")
    cli("send", _OWN, "Hi", "--key", "1", "--journal", "june.db", "--per-number", "1/day")
    before = list(sandbox.inbox)
    ran = bulk(people(3), "--first-to", _OWN, "--journal", "june.db", "--yes", *words)
    assert (True, True) == (why in ran.err, "nobody of " in ran.err), ran.err
    assert (True, before) == (ran.code != 0, sandbox.inbox)


def test_oneself_in_the_file(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """Whoever tries it on a number of the file gets that text once."""
    journal = ("--journal", str(tmp_path / "june.db"), "--yes")
    ran = bulk(people(2), "--first-to", people(1)[0][0], *journal)
    assert [to for to, _ in people(2)] == _sent_to(sandbox)
    assert (0, "") == (ran.code, ran.err), ran.out
    for words in ("--first-to", "0917 0000100"), ():
        again = bulk(people(3), *words, *journal)
        assert (0, True) == (again.code, "not sent 0" in again.out), again.out
    assert [to for to, _ in people(3)] == _sent_to(sandbox)


def test_oneself_further_down_in_the_file(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """A number of the file is sent the text of its own row, before all others."""
    journal = ("--journal", str(tmp_path / "june.db"), "--yes", "--key-column", "name")
    ran = bulk(people(4), "--first-to", people(4)[2][0], *journal)
    first, *others = sorted(sandbox.inbox, key=lambda text: text.serial)
    assert ("Hi Ann102", 3) == (first.text, len(others))
    assert (0, True) == (ran.code, "not sent 0" in ran.out)


def test_oneself_in_the_file_may_be_unknown(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """Then nobody else of the file is sent anything."""
    sandbox.add_fault(Fault(SEND, "drop_after"))
    journal = ("--journal", str(tmp_path / "june.db"), "--yes")
    ran = bulk(people(3), "--first-to", people(2)[1][0], *journal)
    assert (6, True) == (ran.code, "nobody of " in ran.err), ran.err
    assert ["639170000101"] == [text.to for text in sandbox.inbox]


@pytest.mark.parametrize(
    ("words", "code"), [(["--first-to", "12"], 2), (["--first-to", _OWN, "--dry-run"], 0)]
)
def test_no_trial(bulk: Bulk, sandbox: Sandbox, words: list[str], code: int) -> None:
    """A number that is none is refused before anything is asked, and a dry run sends nothing."""
    assert code == bulk(people(2), *words, *([] if code == 0 else ["--yes"])).code
    assert [] == sandbox.inbox


def test_at(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """Where the gateway schedules, all texts wait there for their time, and a run goes on."""
    journal = ("--journal", str(tmp_path / "june.db"), "--yes", "--concurrency", "1")
    broken = bulk(people(3), "--at", "2030-12-24 08:00", "--max-credits", "1", *journal)
    assert "'--at=2030-12-24 08:00:00+08:00'" in broken.out
    ran = bulk(people(3), "--at", "2030-12-24 08:00:00+08:00", *journal)
    assert (0, 3) == (ran.code, len(sandbox.inbox))
    assert {"2030-12-24T00:00:00+00:00"} == {text.due_at.isoformat() for text in sandbox.inbox}


def test_not_after(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """The preview shows the very time, which the command that goes on repeats."""
    journal = ("--journal", str(tmp_path / "june.db"), "--yes", "--concurrency", "1")
    broken = bulk(people(3), "--not-after", "2030-12-24 08:00", "--max-credits", "1", *journal)
    assert "not after    2030-12-24 08:00:00+08:00; after that nothing more is sent" in broken.out
    assert "'--not-after=2030-12-24 08:00:00+08:00'" in broken.out
    ran = bulk(people(3), "--not-after", "in 3 days", "--first-to", _OWN, *journal)
    assert (0, 4) == (ran.code, len(sandbox.inbox))
    over = bulk(people(3), "--not-after", "2001-12-24 08:00", *journal)
    assert (2, True) == (over.code, "--not-after '2001-12-24 08:00' is in the past" in over.err)


def test_a_gateway_without_a_zone(bulk: Bulk, sandbox: Sandbox) -> None:
    """What is advised for a time is something that `bulk` has."""
    address = sandbox.address("infopromo").replace("&timezone=Africa/Lagos", "")
    ran = bulk(people(2), "--not-after", "today 23:59", "--yes", "--url", address)
    assert (2, True) == (ran.code, "add an offset: 2027-01-31T08:00+08:00" in ran.err)
    assert ("--tz" in ran.err, sandbox.inbox) == (False, [])


def test_at_where_nothing_is_scheduled(bulk: Bulk, sandbox: Sandbox) -> None:
    """A gateway without scheduling is refused before the first text."""
    ran = bulk(people(2), "--at", "tomorrow 8:00", "--yes", "--url", sandbox.address("ugsms-v1"))
    assert (2, True, []) == (ran.code, "no scheduling" in ran.err, sandbox.inbox)


def test_debug(capsys: pytest.CaptureFixture[str]) -> None:
    """`--debug` shows request and answer on stderr, with the text and without the token."""
    assert 0 == main(["send", _OWN, "hello there", "--debug"])
    shown = capsys.readouterr().err
    assert [True] * 3 == [words in shown for words in ("> POST ", "hello there", "< HTTP 200 ")]
    assert "sandbox-iprog-token" not in shown
    assert 0 == main(["send", _OWN, "hello there"])
    assert "" == capsys.readouterr().err
