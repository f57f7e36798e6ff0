"""`iprog-async journal follow`, over the sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.cli.bulk import write_csv
from support.cli.runner import Cli, Ran

from iprog_async import FollowUp, NoAnswerError
from iprog_async.cli._commands import journal_follow
from iprog_async.sandbox import FAILS_DELIVERY, Sandbox


pytestmark = pytest.mark.usefixtures("_no_waiting")

PEOPLE = ("+639170000100", "+639170000101", f"+63917000{FAILS_DELIVERY}")


def _send(cli: Cli, folder: Path, address: str) -> str:
    file = str(folder / "june.db")
    path = write_csv(folder / "june.csv", [(number, "Ann") for number in PEOPLE])
    sender = ("--from", "ACME") if "infopromo" in address else ()
    cli("bulk", path, "--text", "Hi", "--yes", "--journal", file, "--url", address, *sender)
    return file


def _follow(cli: Cli, file: str, address: str, *tokens: str) -> Ran:
    return cli("journal", "follow", file, "--url", address, *tokens)


@pytest.mark.parametrize(("name", "changed"), [("iprog", 3), ("infopromo", 2)])
def test_follow(cli: Cli, sandbox: Sandbox, tmp_path: Path, name: str, changed: int) -> None:
    """Each text comes to its final status, and the journal tells it in all its commands."""
    address = sandbox.address(name)
    file = _send(cli, tmp_path, address)
    ran = _follow(cli, file, address)

    assert (0, f"delivered 2, failed 1; {changed} changed\n") == (ran.code, ran.out)
    shown = cli("journal", "show", file)
    assert "delivery  delivered 2, failed 1" in shown.out
    exported = cli("journal", "export", file, "--failed", "--format", "jsonl").out.splitlines()
    assert [PEOPLE[2]] == [json.loads(line)["number"] for line in exported]
    assert 3 == len(sandbox.inbox)


def test_a_gateway_without_statuses(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """It is said in one line; the exit code says that the delivery is not known."""
    address = sandbox.address("ugsms-v2")
    path = write_csv(tmp_path / "june.csv", [("+256701234567", "Ann")])
    file = str(tmp_path / "june.db")
    cli("bulk", path, "--text", "Hi", "--yes", "--journal", file, "--url", address)
    ran = _follow(cli, file, address)
    told = _follow(cli, file, address, "--json").json

    told_of = "1 can't be followed: ugsms-v2 tells no status, or is not in the address"
    assert (6, ["pending 1; 0 changed", told_of]) == (ran.code, ran.out.splitlines())
    assert ({"ugsms-v2": 1}, 1, None) == (told["no_status"], told["pending"], told["last_error"])


@pytest.mark.parametrize("given", ["soon", "2", "-1h", "0h", "2 years"])
def test_how_long(cli: Cli, sandbox: Sandbox, tmp_path: Path, given: str) -> None:
    """What is no span of time is told as such."""
    file = _send(cli, tmp_path, sandbox.address("iprog"))
    ran = _follow(cli, file, sandbox.address("iprog"), f"--for={given}")
    assert (2, True) == (ran.code, "is not written like 30min, 2h or 90d" in ran.err)


def test_what_else_is_told() -> None:
    """What could not be asked, and what failed, is told in a line each."""
    found = FollowUp(
        pending=3, not_found=1, without_id=2, last_error=NoAnswerError("the gateway is away")
    )
    lines = list(journal_follow._lines(found))  # pyright: ignore[reportPrivateUsage] - a gateway that is away would be waited for
    assert [
        "pending 3; 0 changed",
        "1 are not known to the gateway, which was asked several times",
        "2 got no id from the gateway, so that it can't be asked",
        "a request failed, which says nothing of a text: the gateway is away",
    ] == lines
