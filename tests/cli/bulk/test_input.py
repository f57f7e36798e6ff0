"""What `bulk` is given, and what it asks before it sends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.cli.bulk import HI, Bulk, people, texts_of, write_csv
from support.cli.runner import Cli

from iprog_async.sandbox import Sandbox


pytestmark = pytest.mark.usefixtures("_iprog", "_no_waiting")


def test_keys_and_sender(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """A key makes two equal texts two; a row without one is not sent; the sender is shown."""
    rows = [("+639171234567", "1"), ("+639171234567", "2"), ("+639171234567", "")]
    path = write_csv(tmp_path / "orders.csv", rows, ("mobile", "order"))

    ran = cli(
        *("bulk", path, "--text", "Shipped", "--column", "mobile", "--key-column", "order"),
        *("--yes", "--from", "ACME", "--url", sandbox.address("infopromo")),
    )

    assert (4, ["ACME", "ACME"]) == (ran.code, [text.sender_id for text in sandbox.inbox])
    assert "line 4: 'order' is empty" in ran.out


@pytest.mark.parametrize("engine", ["httpx", "asyncio"])
def test_engine_and_rate(bulk: Bulk, sandbox: Sandbox, engine: str) -> None:
    """Both engines send, at a rate that is asked for."""
    ran = bulk(people(2), "--yes", "--engine", engine, "--rate", "100/s")

    assert (0, 2) == (ran.code, len(sandbox.inbox))


@pytest.mark.slow
def test_every_gateway_takes_a_rate(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """The rate can be given for any adapter; of several gateways, each has its own."""
    path = write_csv(tmp_path / "june.csv", [("+256701234567", "Ann"), *people(1)])
    codes = {
        name: cli("bulk", path, *HI, "--dry-run", "--rate", "5/s", "--url", sandbox.address(name))
        for name in sandbox.providers
    }
    both = f"{sandbox.address('infopromo')} || {sandbox.address('ugsms-v2')}"
    several = cli("bulk", path, *HI, "--dry-run", "--rate", "5/s", "--url", both)

    assert dict.fromkeys(codes, 0) == {name: ran.code for name, ran in codes.items()}
    assert (2, True) == (several.code, "give each address its own ?rate=" in several.err)
    data = cli("bulk", path, *HI, "--dry-run", "--json", "--url", both).json
    shown = cli("bulk", path, *HI, "--dry-run", "--url", f"({both})?region=UG").out
    assert (2, ["infopromo", "ugsms-v2"]) == (len(data["balances"]), data["gateway"]["members"])
    gateways = "infopromo on this machine, ugsms-v2 on this machine; national numbers of UG"
    assert f"gateway      failover of {gateways}\n" in shown


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (["--text", "Hi {nam}"], "no column 'nam' for the text; its columns are: phone, name"),
        (["--text", "Hi {name.__class__}"], "{name.__class__} is no plain name"),
        (["--text", "Hi {name"], "write {{ or }}"),
        (["--column", "mobile"], "no column 'mobile' with the phone numbers (--column)"),
        (["--key-column", "id"], "no column 'id' with the keys (--key-column)"),
        (["--price", "0,35"], "--price '0,35' is no price; write it like 0.35"),
        (["--price", "-1"], "--price"),
        (["--currency", "PHP"], "--currency says what a --price is in"),
        (["--price", "1", "--currency", "pesos"], "--currency 'pesos' is no code"),
        (["--campaign", "june"], "--campaign says something about a --journal"),
        (["--resend-unknown"], "--resend-unknown says something about a --journal"),
        (["--rate", "often"], "'often' is no rate"),
        (["--suppress", "/none"], "numbers to suppress can't be read"),
        (["--concurrency", "0"], "--concurrency"),
        (["--results", "/none/out.csv"], "can't be made"),
        (["--results", "/"], "can't be used"),
    ],
)
def test_wrong_order(bulk: Bulk, sandbox: Sandbox, tokens: list[str], words: str) -> None:
    """A mistake on the command line is one line that says what to do; nothing is sent."""
    ran = bulk(people(2), "--yes", *tokens)

    assert (True, []) == (ran.code in (2, 3), texts_of(sandbox))
    assert words in ran.err


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (["none.csv", *HI], "'none.csv' can't be read"),
        (["{june}", "--text", "Hi {name"], "the text can't be read"),
        (["{june}", "--text", "Hi {nam}"], "no column 'nam'"),
        (["{june}", *HI, "--results", "{june}"], "is there already"),
        (["{june}", *HI, "--url", "nowhere://"], "nowhere"),
    ],
    ids=["file", "template", "column", "results", "address"],
)
def test_input_is_checked_before_anybody_is_asked(
    cli: Cli, tmp_path: Path, tokens: list[str], words: str
) -> None:
    """Without a terminal, too, what is wrong with the input is what the line says."""
    path = write_csv(tmp_path / "june.csv", people(1))
    ran = cli("bulk", *(token.replace("{june}", path) for token in tokens))

    assert (True, False) == (words in ran.err, "nobody can be asked" in ran.err)


def test_nobody_asked_no_journal(bulk: Bulk, tmp_path: Path) -> None:
    """Where nobody can be asked no journal is left behind."""
    journal = tmp_path / "june.db"
    assert (2, False) == (bulk(people(1), "--journal", str(journal)).code, journal.exists())


def test_nobody_to_ask(bulk: Bulk, sandbox: Sandbox) -> None:
    """Without a terminal and --yes nothing is sent: code 2, and the line says what to add."""
    ran = bulk(people(2))
    in_json = bulk(people(2), "--json")

    assert (2, 2, []) == (ran.code, in_json.code, texts_of(sandbox))
    assert "add --yes to send, or --dry-run" in ran.err
    assert "(--json)" in in_json.error["message"]


@pytest.mark.parametrize(
    ("answer", "code", "inbox"),
    [
        ("y", 0, 2),
        (" YES ", 0, 2),
        ("n", 130, 0),
        ("", 130, 0),
        (EOFError, 130, 0),
        (KeyboardInterrupt, 130, 0),
    ],
)
def test_question(
    bulk: Bulk,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    answer: Any,
    code: int,
    inbox: int,
) -> None:
    """On a terminal it asks, and only a yes sends."""
    questions: list[str] = []

    def ask(question: str) -> str:
        questions.append(question)
        if isinstance(answer, str):
            return answer
        raise answer

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("iprog_async.cli._terminal.confirm.ask", ask)

    ran = bulk(people(2))

    assert (code, inbox) == (ran.code, len(sandbox.inbox))
    assert ["Send 2 texts now? [y/N] "] == questions


def test_nothing_to_ask_about(bulk: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody would be texted, nobody is asked."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)

    assert 4 == bulk([("12", "Bo")]).code


def test_stdin_is_no_file(cli: Cli) -> None:
    """The file is read twice, so a pipe is refused."""
    ran = cli("bulk", "-", *HI, "--yes")
    assert (2, True) == (ran.code, "save it first" in ran.err)


def test_file_without_rows(bulk: Bulk) -> None:
    """A header alone is bad input."""
    ran = bulk([], "--yes")
    assert (2, True) == (ran.code, "no row below its header" in ran.err)


def test_other_files_are_not_replaced(bulk: Bulk, tmp_path: Path, sandbox: Sandbox) -> None:
    """Results never replace another file, nor, without a journal, those of an earlier run."""
    out = tmp_path / "out.csv"
    out.write_text("my thesis\n")
    journal = ("--journal", str(tmp_path / "june.db"))

    mine = bulk(people(1), "--yes", "--results", str(out), *journal)
    out.write_text("line,number,state,ref,error\n2,0917,accepted,,\n")
    earlier = bulk(people(1), "--yes", "--results", str(out))

    assert (2, 2, []) == (mine.code, earlier.code, texts_of(sandbox))
    assert "2,0917,accepted,,\n" in out.read_text()


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (["--rate", "20"], "--rate: '20' is no rate; write it like 60/min, 10/s or 100/15s"),
        (["--suppress", "none.txt"], "--suppress: the numbers to suppress can't be read"),
        (["--suppress", "stop.txt"], "--suppress: line 1 of stop.txt is no phone number"),
    ],
)
def test_a_bad_option_is_wrong_usage(
    bulk: Bulk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tokens: list[str],
    words: str,
) -> None:
    """A mistake in an option is code 2 as elsewhere, and names the option."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stop.txt").write_text("Ann\n")

    ran = bulk(people(1), "--yes", *tokens)

    assert (2, True) == (ran.code, ran.err.startswith(f"iprog-async: {words}"))
