from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from support.cli.bulk import people, read_csv, start, write_csv
from support.cli.runner import Cli
from support.waiting import LONG

from iprog_async import Journal, JournalEntry
from iprog_async.cli._commands import journal
from iprog_async.sandbox import Fault, Sandbox


pytestmark = pytest.mark.usefixtures("_no_waiting")


@pytest.fixture
def june(cli: Cli, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give a journal of a campaign, with two accepted texts and an unknown one of Infopromo."""
    monkeypatch.setenv("SMS_URL", sandbox.address("infopromo"))
    sandbox.add_fault(Fault("POST /infopromo/*", "drop_after"))
    path = write_csv(tmp_path / "june.csv", [(f"+63{to[1:]}", name) for to, name in people(3)])
    file = str(tmp_path / "june.db")
    cli(
        *("bulk", path, "--text", "Hi {name}", "--yes", "--concurrency", "1"),
        *("--journal", file, "--campaign", "june", "--from", "ACME"),
    )
    return file


def test_show(cli: Cli, june: str) -> None:
    """The counts are told without naming the campaign."""
    ran = cli("journal", "show", june)
    lines = ["accepted  2", "not sent  0", "unknown   1", "waiting   0", "delivery  sent 2"]
    assert (0, lines) == (ran.code, ran.out.splitlines())
    counts = {"accepted": 2, "failed": 0, "not_sent": 0, "unknown": 1, "waiting": 0}
    deliveries = {"delivered": 0, "sent": 2, "failed": 0, "pending": 0, "unclear": 0}
    expected = {"file": june, "counts": counts, "deliveries": deliveries}
    assert expected == cli("journal", "show", june, "--json").json


def test_show_failed(cli: Cli, tmp_path: Path, sandbox: Sandbox, june: str) -> None:
    """Those that the gateway took and reports as failed are told beside the accepted ones."""
    body = json.dumps({"status": "error", "message": "Failed"})
    sandbox.add_fault(Fault("POST /infopromo/*", "status_after", status=403, body=body))
    path = write_csv(tmp_path / "july.csv", [("+639170000999", "Ann")])
    cli("bulk", path, "--text", "Hi {name}", "--yes", "--journal", june, "--campaign", "june")

    assert "accepted  3, of which failed at the gateway 1" in cli("journal", "show", june).out
    assert 1 == cli("journal", "show", june, "--json").json["counts"]["failed"]
    entry = json.loads(cli("journal", "export", june, "--format", "jsonl").out.splitlines()[-1])
    assert ("accepted", "failed", "Failed") == (entry["state"], entry["status"], entry["detail"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    ["show", *(pytest.param(word, marks=pytest.mark.slow) for word in ("unknown", "export"))],
)
def test_reading_while_a_run_goes_on(cli: Cli, june: str, command: str) -> None:
    """What only reads works beside a run, also from another process; what changes rows does not."""
    expected = cli("journal", command, june)
    with Journal.open(june, campaign="june") as journal, asyncio.Runner() as runner:
        runner.run(journal.begin_run())
        beside = cli("journal", command, june)
        process = start("journal", command, june)
        out, _ = process.communicate(timeout=LONG)
        settling = cli("journal", "reconcile", june)
    assert (0, expected.out) == (beside.code, beside.out)
    assert (0, expected.out.splitlines()) == (process.returncode, out.splitlines())
    assert (3, True) == (settling.code, "in use by a run of another process" in settling.err)


@pytest.mark.slow
def test_a_journal_that_lost_its_log(cli: Cli, june: str, tmp_path: Path) -> None:
    """It is refused with what happened and the option that goes on; with it, the run goes on."""
    with Journal.open(june, campaign="june"):
        copy = str(shutil.copy(june, tmp_path / "copy.db"))
    path = write_csv(tmp_path / "july.csv", [("+639170000999", "Ann")])
    run = ("bulk", path, "--text", "Hi", "--yes", "--from", "ACME", "--journal", copy)

    shown = cli("journal", "show", copy)
    refused = cli(*run, "--campaign", "june")
    gone_on = cli(*run, "--campaign", "june", "--allow-lost-records")

    assert (3, 3, 0) == (shown.code, refused.code, gone_on.code)
    assert "may lack records of texts that were sent" in shown.err
    assert "bulk with --allow-lost-records goes on" in refused.err


def test_unknown(cli: Cli, june: str) -> None:
    """The unknown messages are listed with what is known of them."""
    ran = cli("journal", "unknown", june)
    (entry,) = cli("journal", "unknown", june, "--json").json

    assert (0, True, True) == (ran.code, "+639170000100" in ran.out, "infopromo" in ran.out)
    assert ("+639170000100", "unknown") == (entry["number"], entry["state"])


def test_nothing_unknown(cli: Cli, tmp_path: Path) -> None:
    """A journal without unknown messages says so."""
    with Journal.open(tmp_path / "new.db"):
        pass
    ran = cli("journal", "unknown", str(tmp_path / "new.db"))
    assert (0, True) == (ran.code, ran.out.startswith("none: "))


def test_claimed_message_has_words() -> None:
    """A message whose run was killed has no words of its own, and is explained."""
    entry = JournalEntry("+639170000100", None, "unknown", "", None, "")
    cells = journal._cells(entry)  # pyright: ignore[reportPrivateUsage] - a process that is killed leaves no better way
    assert ("+639170000100", "-", "-", "the run ended while it was on its way") == cells


def test_export(cli: Cli, june: str, tmp_path: Path) -> None:
    """Every message is written, to stdout or to a file that nobody else reads."""
    out = tmp_path / "out.csv"

    to_stdout = cli("journal", "export", june, "--format", "jsonl")
    to_file = cli("journal", "export", june, "-o", str(out), "--json")

    numbers = [json.loads(line)["number"] for line in to_stdout.out.splitlines()]
    assert [f"+63{to[1:]}" for to, _ in people(3)] == numbers
    assert numbers == [row["number"] for row in read_csv(out)]
    assert {"messages": 3, "format": "csv", "output": str(out)} == to_file.json
    assert 0o600 == stat.S_IMODE(out.stat().st_mode)


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (["--json"], "say with --output where it goes"),
        (["--output", "/none/out.csv"], "can't be made"),
        (["--format", "xml"], "--format"),
    ],
)
def test_export_goes_nowhere(cli: Cli, june: str, tokens: list[str], words: str) -> None:
    """An export that can't be written is bad input."""
    ran = cli("journal", "export", june, *tokens)
    said = ran.err or ran.error["message"]
    assert (2, True) == (ran.code, words in said)


def test_export_replaces_nothing(cli: Cli, june: str) -> None:
    """A file that is there stays as it is, the journal itself above all."""
    assert 2 == cli("journal", "export", june, "--output", june).code
    assert 0 == cli("journal", "show", june).code


def test_reconcile(cli: Cli, june: str, sandbox: Sandbox) -> None:
    """What the gateway lists is settled, and then nothing is unknown."""
    ran = cli("journal", "reconcile", june)
    again = cli("journal", "reconcile", june, "--json")

    assert (0, 3) == (ran.code, len(sandbox.inbox))
    assert ran.out.startswith("settled 1 as accepted, still unknown 0; ")
    assert (0, 0) == (again.json["settled"], again.json["unknown"])
    assert 3 == cli("journal", "show", june, "--json").json["counts"]["accepted"]


def test_reconcile_in_vain(cli: Cli, june: str) -> None:
    """What the gateway does not list stays unknown: code 6."""
    ran = cli("journal", "reconcile", june, "--since", "2099-01-31T08:00+08:00")
    assert (6, True) == (ran.code, "still unknown 1" in ran.out)


@pytest.mark.parametrize("address", ["{iprog} || {infopromo}", "({infopromo} || {iprog})?name=in"])
def test_reconcile_several_gateways(cli: Cli, june: str, sandbox: Sandbox, address: str) -> None:
    """Of several gateways those are asked that list messages, and the others are no obstacle."""
    for name in ("iprog", "infopromo"):
        address = address.replace(f"{{{name}}}", sandbox.address(name))
    ran = cli("journal", "reconcile", june, "--json", "--url", address)

    assert (0, 1, 0, True) == (
        ran.code,
        ran.json["settled"],
        ran.json["unknown"],
        ran.json["listed"] > 0,
    )


def test_reconcile_adds_up(cli: Cli, june: str, sandbox: Sandbox) -> None:
    """Two accounts that list messages are both asked, and what is left is counted once."""
    first, second = sandbox.address("infopromo"), sandbox.address("infopromo")
    address = f"{first}&name=other || {second}"
    ran = cli("journal", "reconcile", june, "--json", "--url", address)

    assert (0, 1, 0) == (ran.code, ran.json["settled"], ran.json["unknown"])


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (["--since", "soon"], "--since 'soon' is no time"),
        (["--url", "{iprog}"], "iprog lists no messages"),
        (["--url", "{iprog} || {ugsms-v2}"], "iprog, ugsms-v2 list no messages"),
    ],
)
def test_reconcile_refused(
    cli: Cli, june: str, sandbox: Sandbox, tokens: list[str], words: str
) -> None:
    """A gateway without a list, and a time that is none, are bad input."""
    names = ("iprog", "ugsms-v2")
    for name in names:
        address = sandbox.address(name)
        tokens = [token.replace(f"{{{name}}}", address) for token in tokens]
    ran = cli("journal", "reconcile", june, *tokens)
    assert (2, True) == (ran.code, words in ran.err)


@pytest.mark.parametrize("command", ["show", "unknown", "export", "reconcile", "follow"])
def test_no_journal(cli: Cli, tmp_path: Path, command: str) -> None:
    """A journal that is not there is not made, and a file that is none is told."""
    missing = tmp_path / "july.db"
    other = tmp_path / "other.db"
    other.write_text("no journal, but longer than the head of a database" * 10)

    ran = [cli("journal", command, str(path)) for path in (missing, other)]

    assert ([2, 2], False) == ([one.code for one in ran], missing.exists())
    assert f"there is no file '{missing}'; give the file that was the --journal" in ran[0].err
    assert f"'{other}' is another kind of file and no journal; give" in ran[1].err
    assert {other} == set(tmp_path.iterdir())


def test_no_journal_at_all(cli: Cli, tmp_path: Path) -> None:
    """Whatever is there is told for what it is, and stays as it is."""
    empty, database = tmp_path / "empty.db", tmp_path / "other.db"
    empty.touch()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE people (name)")

    told = {str(path): cli("journal", "show", str(path)) for path in (empty, database, tmp_path)}

    assert [2, 3, 2] == [ran.code for ran in told.values()]
    words = ("is empty and no journal", "another SQLite database", "is a directory and no journal")
    assert [] == [
        word for word, ran in zip(words, told.values(), strict=True) if word not in ran.err
    ]
    assert 0 == empty.stat().st_size


def test_journal_in_use(cli: Cli, june: str) -> None:
    """A journal that a run has open is told as such."""
    with Journal.open(june, campaign="june") as journal, asyncio.Runner() as runner:
        runner.run(journal.begin_run())
        ran = cli("journal", "reconcile", june)
    assert (3, "iprog-async: ") == (ran.code, ran.err[:13])


def test_help(cli: Cli) -> None:
    """The group lists its commands, and each takes `--json`."""
    listed = cli("journal", "--help").out
    names = ("show", "unknown", "export", "reconcile", "follow")
    assert [] == [name for name in names if name not in listed]
    assert [] == [name for name in names if "--json" not in cli("journal", name, "--help").out]
