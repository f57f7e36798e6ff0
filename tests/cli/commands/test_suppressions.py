"""`iprog-async suppressions`, and the commands that obey a list."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from support.cli.bulk import people, write_csv
from support.cli.runner import Cli

from iprog_async.sandbox import Sandbox


NUMBER = "+639171234567"


@pytest.fixture(params=["stop.txt", "stop.db"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return where a list is begun."""
    return str(tmp_path / request.param)


def test_number_comes_and_goes(cli: Cli, file: str) -> None:
    """What a command did is said in a line, and what it did not need to do as well."""
    ran = [
        cli("suppressions", "add", file, "0917 123 4567", "--region", "PH", "--why", "by phone"),
        cli("suppressions", "add", file, NUMBER),
        cli("suppressions", "remove", file, NUMBER),
        cli("suppressions", "remove", file, NUMBER),
    ]
    assert [
        f"{NUMBER}: added\n",
        f"{NUMBER}: on the list already, and stays as it is\n",
        f"{NUMBER}: removed\n",
        f"{NUMBER}: not on the list\n",
    ] == [each.out for each in ran]
    assert {(0, "")} == {(each.code, each.err) for each in ran}


def test_json(cli: Cli, file: str) -> None:
    """Each command has its answer as JSON."""
    added = cli("suppressions", "add", file, NUMBER, "--why", "STOP", "--json").json
    assert {"number": NUMBER, "changed": True} == added
    (entry,) = cli("suppressions", "list", file, "--json").json
    assert (NUMBER, "STOP") == (entry["number"], entry["why"])
    (change,) = cli("suppressions", "list", file, "--changes", "--json").json
    assert ("added", entry["since"]) == (change["change"], change["at"])
    out = str(Path(file).with_name("out.txt"))
    exported = cli("suppressions", "export", file, "--output", out, "--json").json
    assert {"numbers": 1, "output": out} == exported
    assert {"added": 0, "known": 1} == cli("suppressions", "import", file, out, "--json").json


def test_list_is_shown(cli: Cli, file: str) -> None:
    """A line has the number, since when, and why; the changes begin with their time."""
    cli("suppressions", "add", file, NUMBER, "--why", "STOP")
    number, since, why = cli("suppressions", "list", file).out.strip().split("  ")
    assert (NUMBER, "STOP") == (number, why)
    assert [since, "added", NUMBER, "STOP"] == cli(
        "suppressions", "list", file, "--changes"
    ).out.strip().split("  ")


def test_list_is_copied(cli: Cli, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written out can be read by another list, with its reasons, from a file or stdin."""
    cli("suppressions", "add", file, NUMBER, "--why", "STOP")
    lines = cli("suppressions", "export", file).out
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{lines}+256701234567\n"))
    copy = str(Path(file).with_name("copy.db"))
    assert "added 2 of 2 numbers\n" == cli("suppressions", "import", copy, "-", "--why", "old").out
    whys = [entry["why"] for entry in cli("suppressions", "list", copy, "--json").json]
    assert ["old", "STOP"] == whys


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("add", "{file}", "call me"), 2, "'call me'"),
        (("add", "{file}", NUMBER, "--region", "Philippines"), 3, "two letters"),
        (("list", "{file}"), 3, "No such file"),
        (("remove", "{file}", NUMBER), 3, "No such file"),
        (("export", "{file}"), 3, "No such file"),
        (("export", "{file}", "--json"), 2, "--output"),
        (("import", "{file}", "nowhere.txt"), 2, "nowhere.txt"),
        (("list", ""), 3, "path of the suppressed numbers is empty"),
    ],
)
def test_mistakes(cli: Cli, tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    """What can't be done is told in a line; reading begins no list."""
    path = tmp_path / "stop.db"
    ran = cli("suppressions", *(word.format(file=path) for word in words))
    assert (code, True) == (ran.code, said in ran.err + ran.out)
    assert words[0] == "add" or words[0] == "import" or not path.exists()


def test_bad_line_imports_nothing(cli: Cli, file: str, tmp_path: Path) -> None:
    """One line that is no number is named, and none of the others is taken."""
    source = tmp_path / "numbers.txt"
    source.write_text(f"{NUMBER}\nhello\n")
    ran = cli("suppressions", "import", file, str(source))
    assert (3, True) == (ran.code, "line 2 is no phone number" in ran.err)
    assert [] == cli("suppressions", "list", file, "--json").json


@pytest.mark.usefixtures("_iprog")
def test_send_obeys(cli: Cli, sandbox: Sandbox, file: str) -> None:
    """`send --suppressions` refuses a number on the list, read as the gateway reads numbers."""
    Path(file).with_name("mine.txt").write_text("0917 123 4567\n")
    ran = cli("send", NUMBER, "Hi", "--suppressions", str(Path(file).with_name("mine.txt")))
    assert (2, True, []) == (ran.code, "among the numbers to suppress" in ran.err, sandbox.inbox)
    cli("suppressions", "add", file, "+639187654321")
    assert 0 == cli("send", NUMBER, "Hi", "--suppressions", file).code


@pytest.mark.usefixtures("_iprog")
def test_list_has_to_be_there(cli: Cli, sandbox: Sandbox, file: str) -> None:
    """A list that is not there is an error: nobody would be on it."""
    ran = cli("send", NUMBER, "Hi", "--suppressions", file)
    assert (3, [], False) == (ran.code, sandbox.inbox, Path(file).exists())


@pytest.mark.usefixtures("_iprog")
def test_bulk_obeys(cli: Cli, sandbox: Sandbox, file: str, tmp_path: Path) -> None:
    """`bulk --suppressions` leaves the numbers of the list out, and says why."""
    rows = people(3)
    path = write_csv(tmp_path / "people.csv", rows)
    cli("suppressions", "add", file, rows[1][0], "--region", "PH")
    ran = cli("bulk", path, "--text", "Hi", "--yes", "--json", "--suppressions", file)
    assert 2 == len(sandbox.inbox)
    assert rows[1][0][1:] not in {text.to[2:] for text in sandbox.inbox}
    assert "never to text" in json.dumps(ran.json)


def test_loading_leaves_it_to_the_workers(cli: Cli, file: str, tmp_path: Path) -> None:
    """`--enqueue` sends nothing, so that it is told who has to have the list."""
    path = write_csv(tmp_path / "people.csv", people(1))
    ran = cli(
        *("bulk", path, "--text", "Hi", "--enqueue", "--journal", "postgresql://h/d", "--yes"),
        *("--suppressions", file),
    )
    assert (2, True) == (ran.code, "give it to iprog-async worker" in ran.err)
