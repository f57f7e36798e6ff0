from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import pytest
from support.bulk_cli import people, read_csv, write_csv
from support.cli import Cli, Ran

from iprog_async.cli._bulk_order import Order
from iprog_async.sandbox import BLOCKED_WORD, Fault, Sandbox


pytestmark = pytest.mark.usefixtures("_iprog", "_no_waiting")

_SEND = "POST /iprog/*"
_HI = ("--text", "Hi {name}")


@pytest.fixture
def bulk(cli: Cli, tmp_path: Path) -> Callable[..., Ran]:
    """Give what writes rows to a file and runs the command over it."""

    def run(rows: list[tuple[str, str]], *tokens: str) -> Ran:
        path = write_csv(tmp_path / "june.csv", rows)
        return cli("bulk", path, *(tokens if "--text" in tokens else (*_HI, *tokens)))

    return run


Bulk = Callable[..., Ran]


def _texts(sandbox: Sandbox) -> list[tuple[str, str]]:
    return sorted((text.to, text.text) for text in sandbox.inbox)


def test_everybody_gets_a_text(bulk: Bulk, sandbox: Sandbox) -> None:
    """Each row's text is its own, and all accepted is code 0."""
    ran = bulk(people(3), "--yes")

    assert (0, "") == (ran.code, ran.err)
    assert [(f"63{to[1:]}", f"Hi {name}") for to, name in people(3)] == _texts(sandbox)
    assert "3 rows: accepted 3, not sent 0, unknown 0\n" in ran.out


def test_preview(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """A dry run says what would be sent, left out and paid, by lines of the file; sends nothing."""
    stop = tmp_path / "stop.txt"
    stop.write_text("+639170000102\n")
    rows = [*people(3), people(3)[0], ("12", "Bo"), ("09170000200", ""), ("", "Cy")]

    ran = bulk(rows, "--dry-run", "--suppress", str(stop))

    assert (0, []) == (ran.code, _texts(sandbox))
    lines = [line.split(maxsplit=1) for line in ran.out.splitlines()]
    told = dict(lines)
    assert ("2 (2 in GSM-7)", "1 (sent once)", "1 (not sent)", "3 (not sent)") == (
        told["to"].removeprefix("send").strip(),
        told["duplicates"],
        told["suppressed"],
        told["invalid"],
    )
    assert "line 6: the phone number '12' is too short" in ran.out
    assert "line 7: there is no 'name' in this row" in ran.out
    assert "line 8: there is no 'phone' in this row" in ran.out
    assert told["balance"] == "iprog: 1000 credits; this run takes 2"
    assert told["gateway"] == "iprog"


def test_preview_in_json(bulk: Bulk) -> None:
    """The preview is one document, with the lines of bad rows and the balance."""
    ran = bulk([("12", "Bo"), *people(2)], "--dry-run", "--json")

    data = ran.json
    assert (False, True, 2, 2) == (
        data["sent"],
        data["enough_credits"],
        data["plan"]["recipients"],
        data["plan"]["invalid_rows"][0]["line"],
    )
    assert {"provider": "iprog", "amount": "1000", "unit": "credits", "text": "1000 credits"} == {
        **data["balances"][0]
    }


def test_too_little_credit(bulk: Bulk, sandbox: Sandbox) -> None:
    """A balance that does not pay for everything is a warning before anything is sent."""
    sandbox.state.set_credit("iprog", 1)

    ran = bulk(people(2), "--dry-run")
    capped = bulk(people(2), "--dry-run", "--json", "--max-credits", "1")

    assert "WARNING      iprog: too little for 2 credits\n" in ran.out
    assert True is capped.json["enough_credits"]


@pytest.mark.parametrize(
    ("tokens", "warnings"),
    [
        (["--journal", "{journal}"], []),
        ([], ["no --journal: if this run ends early, nothing tells whom it has texted, and"]),
        (
            ["--journal", "{journal}", "--max-credits", "2"],
            ["--max-credits 2 will stop the run before its end, which takes 3"],
        ),
        (["--journal", "{journal}", "--max-credits", "3"], []),
    ],
    ids=["journal", "no-journal", "too-few-credits", "enough-credits"],
)
def test_warnings(
    bulk: Bulk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tokens: list[str], warnings: Any
) -> None:
    """What can go wrong with a run is told before it is asked for, and to programs, too."""
    given = [token.replace("{journal}", str(tmp_path / "june.db")) for token in tokens]
    shown: list[str] = []

    def ask(question: str) -> str:
        shown.append(question)
        return "n"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("iprog_async.cli._asking.ask", ask)
    ran = bulk(people(3), *given)
    data = bulk(people(3), "--dry-run", "--json", *given).json

    told = [line.split(maxsplit=1)[1] for line in ran.out.splitlines() if "WARNING" in line]
    assert 1 == len(shown)
    assert told == data["warnings"]
    assert len(warnings) == len(told)
    assert all(line.startswith(words) for line, words in zip(told, warnings, strict=True))


@pytest.mark.parametrize(
    ("tokens", "words", "cost"),
    [
        (["--price", "0.35"], "1.05 (3 at 0.35)", "1.05"),
        (["--price", "0.10", "--currency", "php"], "0.30 PHP (3 at 0.10 PHP)", "0.30"),
        (["--price", "0.000000001"], "0.000000003 (3 at 0.000000001)", "3E-9"),
        (
            ["--price", "2", "--currency", "UGX", "--max-credits", "2"],
            "6 UGX (3 at 2 UGX); up to --max-credits 4 UGX",
            "6",
        ),
    ],
)
def test_cost(bulk: Bulk, tokens: list[str], words: str, cost: str) -> None:
    """With the price of a segment the preview says what the run costs, to the last digit."""
    ran = bulk(people(3), "--dry-run", *tokens)
    data = bulk(people(3), "--dry-run", "--json", *tokens).json

    assert f"cost         {words}\n" in ran.out
    assert Decimal(cost) == Decimal(data["plan"]["cost"])


def test_cost_against_a_balance_of_money(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """A balance in the price's own currency is compared with the cost; another one is not."""
    sandbox.state.set_credit("ugsms", 10)
    path = write_csv(tmp_path / "june.csv", [("+256701234567", "Ann")])
    run = ("bulk", path, *_HI, "--dry-run", "--json", "--url", sandbox.address("ugsms-v2"))
    unit = cli(*run).json["balances"][0]["unit"]

    left = Decimal(cli(*run).json["balances"][0]["amount"])
    dear = cli(*run, "--price", str(left + 1), "--currency", unit).json
    cheap = cli(*run, "--price", str(left), "--currency", unit).json
    foreign = cli(*run, "--price", str(left + 1), "--currency", "PHP").json

    assert [False, True, None] == [one["enough_credits"] for one in (dear, cheap, foreign)]


def test_many_bad_rows(bulk: Bulk) -> None:
    """Of many bad rows some are shown, and how many more there are."""
    assert "and 25 more\n" in bulk([("12", "Bo")] * 30, "--dry-run").out


def test_balance_that_is_not_told(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """A gateway without a balance, or one that does not answer, is no obstacle."""
    path = write_csv(tmp_path / "june.csv", [("+256701234567", "Ann")])
    sandbox.add_fault(Fault("GET /iprog/*", "garbage", times=None))

    untold = cli("bulk", path, *_HI, "--dry-run", "--url", sandbox.address("ugsms-v1"))
    unclear = cli("bulk", path, *_HI, "--dry-run")

    assert "balance      ugsms-v1 does not tell it\n" in untold.out
    assert "balance      not known: " in unclear.out
    assert (0, 0) == (untold.code, unclear.code)


def test_results(bulk: Bulk, tmp_path: Path, sandbox: Sandbox) -> None:
    """The results tell of each line what became of it, and a spreadsheet runs none of it."""
    sandbox.add_fault(Fault(_SEND, "drop_after"))
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


def test_resume_sends_the_rest(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """With a journal the same command sends only what is missing, and says so before."""
    tokens = ("--yes", "--journal", str(tmp_path / "june.db"), "--campaign", "june")
    results = ("--results", str(tmp_path / "out.csv"))

    first = bulk(people(5), *tokens, *results, "--max-credits", "2")
    second = bulk(people(5), *tokens, *results)

    assert (4, 0, 5) == (first.code, second.code, len(sandbox.inbox))
    assert len(set(_texts(sandbox))) == 5
    assert "settled      2 (by an earlier run; not sent again)" in second.out
    assert "Of these, 2 were settled by an earlier run." in second.out
    assert ["accepted"] * 5 == [row["state"] for row in read_csv(tmp_path / "out.csv")]


def test_mended_text_is_a_conflict(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """A typo mended in the text does not text everybody again, unless that is asked for."""
    journal = ("--yes", "--journal", str(tmp_path / "june.db"))
    bulk(people(2), *journal)

    refused = bulk(people(2), *journal, "--text", "Hello {name}")
    allowed = bulk(people(2), *journal, "--text", "Hello {name}", "--allow-changed-text")

    assert (4, 0, 4) == (refused.code, allowed.code, len(sandbox.inbox))
    assert "conflicts    2 (got another text before; not sent)" in refused.out


def test_unknown_is_not_repeated(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """What may have been sent stays unknown, until it is asked for by name."""
    journal = ("--yes", "--journal", str(tmp_path / "june.db"))
    sandbox.add_fault(Fault(_SEND, "drop_after"))
    bulk(people(2), *journal)

    again = bulk(people(2), *journal)
    told = bulk(people(2), *journal, "--resend-unknown")

    assert (6, 0, 3) == (again.code, told.code, len(sandbox.inbox))
    assert "--resend-unknown sends them again" in again.out


def test_keys_and_sender(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """A key makes two equal texts two; a row without one is not sent; the sender is shown."""
    rows = [("+639171234567", "1"), ("+639171234567", "2"), ("+639171234567", "")]
    path = write_csv(tmp_path / "orders.csv", rows, ("mobile", "order"))

    ran = cli(
        *("bulk", path, "--text", "Shipped", "--column", "mobile", "--key-column", "order"),
        *("--yes", "--from", "ACME", "--url", sandbox.address("infopromo")),
    )

    assert (4, ["ACME", "ACME"]) == (ran.code, [text.sender_id for text in sandbox.inbox])
    assert "line 4: there is no 'order' in this row" in ran.out


@pytest.mark.parametrize("engine", ["httpx", "asyncio"])
def test_engine_and_rate(bulk: Bulk, sandbox: Sandbox, engine: str) -> None:
    """Both engines send, at a rate that is asked for."""
    ran = bulk(people(2), "--yes", "--engine", engine, "--rate", "100/s")

    assert (0, 2) == (ran.code, len(sandbox.inbox))


def test_every_gateway_takes_a_rate(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """The rate can be given for any adapter; of several gateways, each has its own."""
    path = write_csv(tmp_path / "june.csv", [("+256701234567", "Ann")])
    codes = {
        name: cli("bulk", path, *_HI, "--dry-run", "--rate", "5/s", "--url", sandbox.address(name))
        for name in sandbox.providers
    }
    both = f"{sandbox.address('infopromo')} || {sandbox.address('ugsms-v2')}"
    several = cli("bulk", path, *_HI, "--dry-run", "--rate", "5/s", "--url", both)

    assert dict.fromkeys(codes, 0) == {name: ran.code for name, ran in codes.items()}
    assert (2, True) == (several.code, "give each address its own ?rate=" in several.err)
    data = cli("bulk", path, *_HI, "--dry-run", "--json", "--url", both).json
    shown = cli("bulk", path, *_HI, "--dry-run", "--url", f"({both})?region=UG").out
    assert (2, ["infopromo", "ugsms-v2"]) == (len(data["balances"]), data["gateway"]["members"])
    assert "gateway      failover of infopromo, ugsms-v2; national numbers of UG\n" in shown


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

    assert (True, []) == (ran.code in (2, 3), _texts(sandbox))
    assert words in ran.err


def test_nobody_to_ask(bulk: Bulk, sandbox: Sandbox) -> None:
    """Without a terminal and --yes nothing is sent: code 2, and the line says what to add."""
    ran = bulk(people(2))
    in_json = bulk(people(2), "--json")

    assert (2, 2, []) == (ran.code, in_json.code, _texts(sandbox))
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
    monkeypatch.setattr("iprog_async.cli._asking.ask", ask)

    ran = bulk(people(2))

    assert (code, inbox) == (ran.code, len(sandbox.inbox))
    assert ["Send 2 texts now? [y/N] "] == questions


def test_nothing_to_ask_about(bulk: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody would be texted, nobody is asked."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)

    assert 4 == bulk([("12", "Bo")]).code


def test_stdin_is_no_file(cli: Cli) -> None:
    """The file is read twice, so a pipe is refused."""
    ran = cli("bulk", "-", *_HI, "--yes")
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

    assert (2, 2, []) == (mine.code, earlier.code, _texts(sandbox))
    assert "2,0917,accepted,,\n" in out.read_text()


def test_dry_run_makes_no_file(bulk: Bulk, tmp_path: Path) -> None:
    """A dry run leaves neither a journal nor results behind."""
    names = ("june.db", "out.csv")
    paths = [str(tmp_path / name) for name in names]

    ran = bulk(people(1), "--dry-run", "--journal", paths[0], "--results", paths[1])

    assert (0, [False, False]) == (ran.code, [os.path.exists(path) for path in paths])


def test_changed_while_running(
    bulk: Bulk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    """A file that is changed after its check is not sent from, and that is told."""

    def change(question: str) -> str:
        with (tmp_path / "june.csv").open("a") as file:
            file.write("09170000900,Eve\n")
        return "y"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("iprog_async.cli._asking.ask", change)

    ran = bulk(people(2))

    assert (1, []) == (ran.code, _texts(sandbox))
    assert "was changed while it was being read" in ran.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_full_disk(
    bulk: Bulk, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, tmp_path: Path
) -> None:
    """If the results can't be written the run stops, and what was on its way is still counted."""

    def make(*_: object) -> TextIO:
        return open("/dev/full", "w", encoding="utf-8")

    monkeypatch.setattr("iprog_async.cli._results._make", make)

    ran = bulk(people(200), "--yes", "--results", str(tmp_path / "out.csv"), "--concurrency", "2")

    assert 1 == ran.code
    assert "the results can't be written any more: No space left" in ran.err
    assert len(sandbox.inbox) < 200
    assert f"accepted {len(sandbox.inbox)}, " in ran.out


@pytest.mark.usefixtures("_iprog")
def test_bug_while_sending(bulk: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody foresaw leaves the texts in doubt: code 6."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("iprog_async._client.SmsClient.send_many", fail)

    assert 6 == bulk(people(1), "--yes").code


def test_resume_command() -> None:
    """The command that goes on has what matters, quoted, and neither address nor answers."""
    order = Order(
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
