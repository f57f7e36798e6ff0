"""What the commands say of texts that a gateway takes and reports as failed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.cli.bulk import HI, people, read_csv, write_csv
from support.cli.runner import Cli

from iprog_async.sandbox import Fault, Sandbox


pytestmark = pytest.mark.usefixtures("_no_waiting")

_TO = "+639171234567"


@pytest.fixture(autouse=True)
def _failing(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction] - pytest uses it
    """Let the gateway take each text and say that it failed."""
    body = json.dumps({"status": "error", "message": "Failed"})
    sandbox.add_fault(Fault("POST /infopromo/*", "status_after", times=None, status=403, body=body))
    monkeypatch.setenv("SMS_URL", sandbox.address("infopromo"))


def _csv(tmp_path: Path, count: int) -> str:
    rows = [(f"+63{to[1:]}", name) for to, name in people(count)]
    return write_csv(tmp_path / "people.csv", rows)


def test_send(cli: Cli) -> None:
    """A single text is told as accepted and failed, with exit code 1."""
    ran = cli("send", _TO, "Hi", "--from", "ACME")
    data = cli("send", _TO, "Hi", "--from", "ACME", "--json")

    assert (1, True) == (ran.code, ran.out.startswith("Accepted by infopromo"))
    assert "accepted, and the gateway reports it as failed: Failed" in ran.err
    assert (1, {"state": "failed", "word": "Failed"}) == (data.code, data.json["status"])


def test_bulk(cli: Cli, tmp_path: Path) -> None:
    """The end says how many failed, the results say which, and the exit code is 1."""
    results, journal = tmp_path / "results.csv", str(tmp_path / "june.db")
    options = ("--yes", "--from", "ACME", "--concurrency", "1", "--journal", journal)
    run = ("bulk", _csv(tmp_path, 5), *HI, *options)

    ran = cli(*run, "--results", str(results))
    rows = read_csv(results)
    again = cli(*run, "--json")

    assert 1 == ran.code
    assert "5 rows: accepted 5, of which failed at the gateway 5, not sent 0, unknown 0" in ran.out
    assert "Failed at the gateway: they were accepted" in ran.out
    assert "lines 2, 3, 4 and 2 more: Failed" in ran.out
    assert {("accepted", "failed")} == {(row["state"], row["status"]) for row in rows}
    assert {"accepted, and the gateway reports it as failed: Failed"} == {
        row["error"] for row in rows
    }
    assert 1 == again.code
    assert (5, 5, 5) == tuple(
        again.json["counts"][kind] for kind in ("accepted", "failed", "resumed")
    )
    assert [("Failed", 5)] == [
        (reason["reason"], reason["count"]) for reason in again.json["reasons"]["failed"]
    ]


def test_bulk_warns(cli: Cli, tmp_path: Path, sandbox: Sandbox) -> None:
    """If the first twenty fail there is one line at once, and the run goes on."""
    ran = cli("bulk", _csv(tmp_path, 30), *HI, "--yes", "--from", "ACME")

    assert (1, 30) == (ran.code, len(sandbox.inbox))
    assert "still sending, but nobody may get it: infopromo: 20 texts in a row" in ran.err


def test_bulk_halts(cli: Cli, tmp_path: Path, sandbox: Sandbox) -> None:
    """With a bound it stops there, says why, and gives the command that goes on."""
    options = ("--halt-after-failed", "3", "--concurrency", "1", "--from", "ACME")
    journal = ("--journal", str(tmp_path / "june.db"))
    ran = cli("bulk", _csv(tmp_path, 30), *HI, "--yes", *options, *journal)

    assert (1, 3) == (ran.code, len(sandbox.inbox))
    assert "the run stopped itself: infopromo: 3 texts in a row were accepted" in ran.err
    assert "--halt-after-failed=3" in ran.out


def test_older_results_are_replaced(cli: Cli, tmp_path: Path) -> None:
    """Results of a release that had no such column are still known as results."""
    results = tmp_path / "results.csv"
    results.write_text("line,number,state,ref,error\n2,x,accepted,,\n")
    journal = ("--journal", str(tmp_path / "june.db"))
    csv = _csv(tmp_path, 1)
    ran = cli(*("bulk", csv, *HI, "--yes", "--from", "ACME", "--results", str(results)), *journal)
    assert (1, "failed") == (ran.code, read_csv(results)[0]["status"])
