"""`bulk` from end to end: what is sent, what the end says, and what goes wrong on the way."""

from __future__ import annotations

import shlex
import stat
from pathlib import Path
from typing import TextIO

import pytest
from support.cli.bulk import HI, SEND, Bulk, people, read_csv, texts_of, write_csv
from support.cli.runner import Cli

from iprog_async import Counts
from iprog_async.sandbox import BLOCKED_WORD, Fault, Sandbox


pytestmark = pytest.mark.usefixtures("_iprog", "_no_waiting")


def test_everybody_gets_a_text(bulk: Bulk, sandbox: Sandbox) -> None:
    """Each row's text is its own, and all accepted is code 0."""
    ran = bulk(people(3), "--yes")

    assert (0, "") == (ran.code, ran.err)
    assert [(f"63{to[1:]}", f"Hi {name}") for to, name in people(3)] == texts_of(sandbox)
    assert "3 rows: accepted 3, not sent 0, unknown 0\n" in ran.out


def test_why_rows_were_not_sent(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """At the end each reason is told once, with the first lines; of unknown rows, too."""
    sandbox.add_fault(Fault(SEND, "drop_after"))
    journal = ("--journal", str(tmp_path / "june.db"))
    rows = [*people(2), people(2)[1], ("12", "Bo"), ("13", "Bo"), ("09170000300", "")]

    ran = bulk(rows, "--yes", "--concurrency", "1", *journal)
    data = bulk(rows, "--yes", "--json", *journal).json

    told = ran.out[ran.out.index("6 rows:") :].splitlines()
    assert [
        "6 rows: accepted 1, not sent 4, unknown 1",
        "Not sent:",
        "  lines 5, 6: the phone number '…' is too short (read as one of PH)",
        "  line 4: the same text for the same number as on an earlier line",
        "  line 7: 'name' is empty",
        "Unknown: they may have been sent, and are not repeated:",
    ] == told[:6]
    assert told[6].startswith("  line 2: ")
    assert [2, 1, 1] == [reason["count"] for reason in data["reasons"]["not_sent"]]
    assert [[2]] == [reason["first_lines"] for reason in data["reasons"]["unknown"]]


def test_end_on_a_narrow_terminal(
    bulk: Bulk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is told at the end breaks between words; the command to go on with is one line."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.chdir(tmp_path)
    rows = [*people(3), ("0917 12", "Bo"), ("0917 13", "Bo")]

    ran = bulk(rows, "--yes", "--max-credits", "2", "--journal", "june.db")

    told = ran.out[ran.out.index("5 rows:") :].splitlines()
    assert [
        "  lines 5, 6: the phone number '…' is not a valid phone",
        "  number (read as one of PH)",
    ] == told[2:4]
    assert 60 >= max(map(len, told[:-1]))
    assert (True, True) == (told[-1].startswith("  iprog-async bulk "), len(told[-1]) > 60)


@pytest.mark.parametrize(
    ("gateways", "asks"),
    [(["iprog"], False), (["infopromo"], True), (["iprog", "infopromo"], True)],
    ids=["iprog", "infopromo", "both"],
)
def test_hint_to_reconcile(
    cli: Cli, sandbox: Sandbox, tmp_path: Path, gateways: list[str], asks: bool
) -> None:
    """To ask the gateway is a hint only where one is there that lists its messages."""
    sandbox.add_fault(Fault("POST /*", "drop_after"))
    path = write_csv(tmp_path / "june.csv", [("+639170000100", "Ann")])
    journal = str(tmp_path / "june.db")
    address = " || ".join(map(sandbox.address, gateways))

    ran = cli("bulk", path, *HI, "--yes", "--journal", journal, "--url", address)

    assert f"iprog-async journal unknown {journal} lists them; " in ran.out
    assert asks == (f"iprog-async journal reconcile {journal} asks the gateway" in ran.out)


def test_many_lost_answers(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """A run that lost twenty answers says so, and not that one lost answer stopped it."""
    sandbox.add_fault(Fault(SEND, "drop_after", times=None))
    journal = ("--journal", str(tmp_path / "june.db"))

    ran = bulk(people(30), "--yes", "--concurrency", "1", *journal)

    assert (6, 20) == (ran.code, len(sandbox.inbox))
    assert ran.err.startswith(
        "iprog-async: the run stopped itself: no trustworthy answer came, and 20 texts may have "
        "been sent. The last one: "
    )
    assert "  lines 22, 23, 24 and 7 more: the run stopped before their turn\n" in ran.out
    assert ran.out.splitlines()[-1].startswith("  iprog-async bulk ")


def test_results(bulk: Bulk, tmp_path: Path, sandbox: Sandbox) -> None:
    """The results tell of each line what became of it, and a spreadsheet runs none of it."""
    sandbox.add_fault(Fault(SEND, "drop_after"))
    out = tmp_path / "out.csv"
    rows = [people(1)[0], ("=1+1", "Bo"), people(1)[0], people(2)[1]]

    ran = bulk(rows, "--yes", "--results", str(out), "--concurrency", "1")

    told = {row["line"]: row for row in read_csv(out)}
    assert ["2", "3", "4", "5"] == sorted(told)
    assert ("unknown", "not_sent", "not_sent", "accepted") == tuple(
        told[line]["state"] for line in sorted(told)
    )
    assert "'=1+1" == told["3"]["number"]
    assert "the same text for the same number as on line 2" == told["4"]["error"]
    assert told["5"]["ref"] in {f"iprog:{text.message_id}" for text in sandbox.inbox}
    assert (6, 0o600) == (ran.code, stat.S_IMODE(out.stat().st_mode))
    assert "look at the gateway before you repeat them" in ran.out


@pytest.mark.parametrize(
    ("tokens", "code", "inbox"),
    [
        (["--suppress", "{stop}"], 0, 1),
        (["--max-credits", "1"], 4, 1),
        (["--text", f"win at the {BLOCKED_WORD} {{name}}"], 4, 0),
    ],
    ids=["suppressed", "max-credits", "filter"],
)
def test_exit_codes(
    bulk: Bulk, sandbox: Sandbox, tmp_path: Path, tokens: list[str], code: int, inbox: int
) -> None:
    """What was left out on purpose is fine; what could not be sent is code 4."""
    (tmp_path / "stop.txt").write_text("09170000100\n")
    given = [token.replace("{stop}", str(tmp_path / "stop.txt")) for token in tokens]

    ran = bulk([*people(2), people(2)[1]], "--yes", *given)

    assert (code, inbox) == (ran.code, len(sandbox.inbox))


def test_duplicates_alone_are_fine(bulk: Bulk) -> None:
    """A list with a row twice is sent, and that is code 0."""
    assert 0 == bulk([*people(2), *people(2)], "--yes").code


def test_wrong_credentials(bulk: Bulk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong token halts the run at once: code 3, and the token is not shown."""
    address = sandbox.address("iprog").replace("sandbox-iprog-token", "wrong-iprog-token")
    monkeypatch.setenv("SMS_URL", address)

    ran = bulk(people(30), "--yes", "--concurrency", "2")

    assert (3, False) == (ran.code, "wrong-iprog-token" in ran.out + ran.err)
    assert ran.err.startswith("iprog-async: the run stopped itself: ")
    assert "another run would text everybody again" in ran.out


def test_summary_in_json(bulk: Bulk, tmp_path: Path) -> None:
    """A program learns the counts, why the run ended and how to go on."""
    journal = str(tmp_path / "june.db")

    ran = bulk(people(3), "--yes", "--json", "--max-credits", "2", "--journal", journal)

    data = ran.json
    assert (4, True, 2, 1, "CreditLimitError") == (
        ran.code,
        data["sent"],
        data["counts"]["accepted"],
        data["counts"]["not_sent"],
        data["halted"]["type"],
    )
    assert f"--journal={journal}" in shlex.split(data["resume"])


def test_changed_while_running(
    bulk: Bulk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    """A file that is changed after its check is not sent from, and that is told."""

    def change(question: str) -> str:
        with (tmp_path / "june.csv").open("a") as file:
            file.write("09170000900,Eve\n")
        return "y"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("iprog_async.cli._terminal.confirm.ask", change)

    ran = bulk(people(2))

    assert (1, []) == (ran.code, texts_of(sandbox))
    assert "was changed while it was being read" in ran.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_full_disk(
    bulk: Bulk, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, tmp_path: Path
) -> None:
    """If the results can't be written the run stops, and what was on its way is still counted."""

    def make(*_: object) -> TextIO:
        return open("/dev/full", "w", encoding="utf-8")

    monkeypatch.setattr("iprog_async.cli._bulk.results_file._make", make)

    ran = bulk(people(200), "--yes", "--results", str(tmp_path / "out.csv"), "--concurrency", "2")

    assert 1 == ran.code
    assert "the results can't be written any more: No space left" in ran.err
    dry = bulk(people(1), "--dry-run", "--results", str(tmp_path / "dry.csv"))
    assert (1, True) == (dry.code, "can't be written any more: No space left" in dry.err)
    assert len(sandbox.inbox) < 200
    assert f"accepted {len(sandbox.inbox)}, " in ran.out


@pytest.mark.usefixtures("_iprog")
def test_bug_while_sending(bulk: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody foresaw leaves the texts in doubt: code 6."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("iprog_async._client.client.SmsClient.send_many", fail)

    assert 6 == bulk(people(1), "--yes").code


class _Watcher:
    """Keeps what it was shown."""

    def __init__(self) -> None:
        self.totals: list[int] = []

    def update(self, counts: Counts) -> None:
        """Note how many there are."""
        self.totals.append(counts.total)

    def close(self, counts: Counts) -> None:
        """Note nothing more."""


@pytest.mark.slow
def test_shown_while_it_waits(
    bulk: Bulk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The progress is shown again while no outcome comes, so that it never stands still."""
    watcher = _Watcher()

    def watched(total: int, **_: object) -> _Watcher:
        return watcher

    monkeypatch.setattr("iprog_async.cli._bulk.command.open_progress", watched)
    monkeypatch.setattr("iprog_async.cli._bulk.run._SECONDS_BETWEEN_LOOKS", 0.005)
    sandbox.add_fault(Fault(SEND, "delay", delay=0.5))

    ran = bulk(people(1), "--yes")

    assert (0, [0, 0]) == (ran.code, watcher.totals[:2])
