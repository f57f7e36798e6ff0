from __future__ import annotations

import shlex
import stat
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import pytest
from support.bulk_cli import people, read_csv, write_csv
from support.cli import Cli, Ran

from iprog_async import Counts
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
    assert told["gateway"] == "iprog on this machine"


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
            ["--max-credits 2 will stop the run before its end: the run needs 3"],
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
    """Many bad rows share a line for each reason, however many rows there are."""
    rows = [("12", "Bo"), ("13", "Bo")] * 15 + [("09170000100", "")]

    ran = bulk(rows, "--dry-run")
    data = bulk(rows, "--dry-run", "--json").json

    assert "lines 2, 3, 4 and 27 more: the phone number '…' is too short" in ran.out
    assert "line 32: there is no 'name' in this row\n" in ran.out
    assert [30, 1] == [reason["count"] for reason in data["invalid_reasons"]]


@pytest.mark.usefixtures("_iprog")
def test_reason_of_all_rows(bulk: Bulk) -> None:
    """What every row meets is said once, and not for five of them and so many more."""
    ran = bulk(people(40), "--dry-run", "--from", "ACME")

    assert 1 == ran.out.count("takes no sender ID")
    assert "lines 2, 3, 4 and 37 more: iprog takes no sender ID" in ran.out
    assert "from         ACME\n" in ran.out


def test_first_text(bulk: Bulk, tmp_path: Path) -> None:
    """The preview shows the first text as it goes out, whom it goes to, and the journal."""
    journal = str(tmp_path / "june.db")
    tokens = ("--dry-run", "--text", "Hi {name},\nyours [bold]", "--journal", journal)

    ran = bulk([("12", "Bo"), *people(2)], *tokens)
    data = bulk([("12", "Bo"), *people(2)], *tokens, "--json").json

    assert "first to     +639170000100 (line 3)\n" in ran.out
    assert "first text   Hi Ann100, ⏎ yours [bold]\n" in ran.out
    assert f"journal      {journal} (new)\n" in ran.out
    first = {"line": 3, "number": "+639170000100", "text": "Hi Ann100,\nyours [bold]"}
    assert (first, journal, True) == (data["first"], data["journal"], data["new_journal"])


def test_first_text_of_a_resumed_run(bulk: Bulk, tmp_path: Path) -> None:
    """What an earlier run settled is not shown as the first, and its journal is not new."""
    journal = ("--journal", str(tmp_path / "june.db"))
    bulk(people(1), "--yes", *journal)

    ran = bulk(people(2), "--dry-run", *journal)
    done = bulk(people(1), "--dry-run", *journal)

    assert "first to     +639170000101 (line 3)\n" in ran.out
    assert f"journal      {journal[1]}\n" in ran.out
    assert "first to" not in done.out


def test_sender_of_the_account(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """A sender in the address is shown like one that is given for the run."""
    path = write_csv(tmp_path / "june.csv", [("+639170000100", "Ann")])
    run = ("bulk", path, *_HI, "--dry-run", "--url", sandbox.address("infopromo"))

    assert "from         Sandbox\n" in cli(*run).out
    assert "from         ACME\n" in cli(*run, "--from", "ACME").out


def test_how_long_it_takes(bulk: Bulk) -> None:
    """With a rate the preview says how long the run takes, unless it is cut short."""
    rate = ("--dry-run", "--rate", "1/min")

    ran = bulk(people(21), *rate)
    cut = bulk(people(21), *rate, "--max-credits", "2")
    data = bulk(people(21), *rate, "--json").json

    assert "requests     21, at most 1/min: that takes about 20 minutes or more\n" in ran.out
    assert "requests     21\n" in cut.out
    assert 1200 == data["least_seconds"]


def test_why_rows_were_not_sent(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """At the end each reason is told once, with the first lines; of unknown rows, too."""
    sandbox.add_fault(Fault(_SEND, "drop_after"))
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
        "  line 7: there is no 'name' in this row",
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

    ran = cli("bulk", path, *_HI, "--yes", "--journal", journal, "--url", address)

    assert f"iprog-async journal unknown {journal} lists them; " in ran.out
    assert asks == (f"iprog-async journal reconcile {journal} asks the gateway" in ran.out)


def test_many_lost_answers(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """A run that lost twenty answers says so, and not that one lost answer stopped it."""
    sandbox.add_fault(Fault(_SEND, "drop_after", times=None))
    journal = ("--journal", str(tmp_path / "june.db"))

    ran = bulk(people(30), "--yes", "--concurrency", "1", *journal)

    assert (6, 20) == (ran.code, len(sandbox.inbox))
    assert ran.err.startswith(
        "iprog-async: the run stopped itself: 20 requests in a row got no trustworthy answer. "
        "The last one: "
    )
    assert "  lines 22, 23, 24 and 7 more: the run stopped before their turn\n" in ran.out
    assert ran.out.splitlines()[-1].startswith("  iprog-async bulk ")


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

    monkeypatch.setattr("iprog_async.cli._asking.ask", ask)

    first = bulk(people(2), "--journal", str(journal), *([] if answer else ["--dry-run"]))
    left = journal.exists()
    second = bulk(people(2), "--journal", str(journal), "--campaign", "june", "--yes")

    assert (130 if answer else 0, False, 0) == (first.code, left, second.code)
    assert [True, True] == [f"journal      {journal} (new)" in ran.out for ran in (first, second)]


def test_a_preview_keeps_unknown_apart(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """What an earlier run may have sent is not called settled: it has a line of its own."""
    tokens = ("--journal", str(tmp_path / "june.db"), "--concurrency", "1")
    sandbox.add_fault(Fault(_SEND, "drop_after", times=2))

    bulk(people(5), *tokens, "--yes")
    shown = bulk(people(5), *tokens, "--dry-run")
    data = bulk(people(5), *tokens, "--dry-run", "--json").json

    assert "settled      3 (by an earlier run; not sent again)\n" in shown.out
    unknown = "unknown      2 (not sent again; see journal unknown, --resend-unknown)\n"
    assert unknown in shown.out
    assert (5, 2) == (data["plan"]["resumed"], data["plan"]["unknown"])


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


def test_resending_says_what_it_risks(
    bulk: Bulk, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Preview and question say how many may get a second text; without the option none does."""
    journal = ("--journal", str(tmp_path / "june.db"))
    sandbox.add_fault(Fault(_SEND, "drop_after", times=2))
    bulk(people(3), "--yes", *journal)
    questions: list[str] = []

    def ask(question: str) -> str:
        questions.append(question)
        return "n"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("iprog_async.cli._asking.ask", ask)

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

    assert (True, []) == (ran.code in (2, 3), _texts(sandbox))
    assert words in ran.err


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (["none.csv", *_HI], "'none.csv' can't be read"),
        (["{june}", "--text", "Hi {name"], "the text can't be read"),
        (["{june}", "--text", "Hi {nam}"], "no column 'nam'"),
        (["{june}", *_HI, "--results", "{june}"], "is there already"),
        (["{june}", *_HI, "--url", "nowhere://"], "nowhere"),
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


def test_dry_run_makes_no_journal(bulk: Bulk, tmp_path: Path) -> None:
    """A dry run leaves no journal behind."""
    journal = tmp_path / "june.db"
    ran = bulk(people(1), "--dry-run", "--journal", str(journal))
    assert (0, False) == (ran.code, journal.exists())


def test_dry_run_lists_what_is_left_out(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """With a dry run the results have each row that would not be sent, and why; no other."""
    journal = ("--journal", str(tmp_path / "june.db"))
    bulk([("09170000500", "Old")], "--yes", *journal)
    out, stop = tmp_path / "out.csv", tmp_path / "stop.txt"
    stop.write_text("+639170000102\n")
    bad = [("=12", "Bo")] * 30
    rows = [*people(3), people(3)[0], ("09170000500", "New"), *bad]
    dry = ("--dry-run", "--suppress", str(stop), "--results", str(out), *journal)

    ran = bulk(rows, *dry)
    again = bulk(rows, *dry, "--json")

    told = [(row["line"], row["number"], row["left_out"]) for row in read_csv(out)]
    assert [
        ("4", "09170000102", "suppressed"),
        ("5", "09170000100", "duplicate"),
        ("6", "09170000500", "conflict"),
        *((str(line), "'=12", "invalid") for line in range(7, 37)),
    ] == sorted(told, key=lambda row: int(row[0]))
    assert (0, 0, 0o600, 1) == (
        ran.code,
        again.code,
        stat.S_IMODE(out.stat().st_mode),
        len(sandbox.inbox),
    )
    assert f"Not to be sent, row by row: {out}\n" in ran.out
    assert str(out) == again.json["results"]
    assert ["the same text for the same number as on line 2"] == [
        row["reason"] for row in read_csv(out) if row["left_out"] == "duplicate"
    ]


def test_dry_run_and_run_write_one_file(bulk: Bulk, tmp_path: Path) -> None:
    """A dry run's list gives way to results; results never give way to such a list."""
    results, journal = ("--results", str(tmp_path / "out.csv")), str(tmp_path / "june.db")

    dry = bulk(people(1), "--dry-run", *results)
    run = bulk(people(1), "--yes", *results, "--journal", journal)
    dry_again = bulk(people(1), "--dry-run", *results, "--journal", journal)

    assert (0, 0, 2) == (dry.code, run.code, dry_again.code)
    assert ["accepted"] == [row["state"] for row in read_csv(tmp_path / "out.csv")]


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
    dry = bulk(people(1), "--dry-run", "--results", str(tmp_path / "dry.csv"))
    assert (1, True) == (dry.code, "can't be written any more: No space left" in dry.err)
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


class _Watcher:
    """Keeps what it was shown."""

    def __init__(self) -> None:
        self.totals: list[int] = []

    def update(self, counts: Counts) -> None:
        """Note how many there are."""
        self.totals.append(counts.total)

    def close(self, counts: Counts) -> None:
        """Note nothing more."""


def test_shown_while_it_waits(
    bulk: Bulk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The progress is shown again while no outcome comes, so that it never stands still."""
    watcher = _Watcher()

    def watched(total: int, **_: object) -> _Watcher:
        return watcher

    monkeypatch.setattr("iprog_async.cli._bulk.open_progress", watched)
    sandbox.add_fault(Fault(_SEND, "delay", delay=0.35))

    ran = bulk(people(1), "--yes")

    assert (0, [0, 0]) == (ran.code, watcher.totals[:2])


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
