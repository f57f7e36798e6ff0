"""What `bulk` shows before it asks: rows, texts, cost, and what is left out."""

from __future__ import annotations

import stat
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.cli.bulk import HI, Bulk, people, read_csv, texts_of, write_csv
from support.cli.runner import Cli

from iprog_async.sandbox import Fault, Sandbox


pytestmark = pytest.mark.usefixtures("_iprog", "_no_waiting")


def test_preview(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """A dry run says what would be sent, left out and paid, by lines of the file; sends nothing."""
    stop = tmp_path / "stop.txt"
    stop.write_text("+639170000102\n")
    rows = [*people(3), people(3)[0], ("12", "Bo"), ("09170000200", ""), ("", "Cy")]

    ran = bulk(rows, "--dry-run", "--suppress", str(stop))

    assert (0, []) == (ran.code, texts_of(sandbox))
    lines = [line.split(maxsplit=1) for line in ran.out.splitlines()]
    told = dict(lines)
    assert ("2 (2 in GSM-7)", "1 (sent once)", "1 (not sent)", "3 (not sent)") == (
        told["to"].removeprefix("send").strip(),
        told["duplicates"],
        told["suppressed"],
        told["invalid"],
    )
    assert "line 6: the phone number '12' is too short" in ran.out
    assert "line 7: 'name' is empty" in ran.out
    assert "line 8: 'phone' is empty" in ran.out
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
    monkeypatch.setattr("iprog_async.cli._terminal.confirm.ask", ask)
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
    run = ("bulk", path, *HI, "--dry-run", "--json", "--url", sandbox.address("ugsms-v2"))
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
    assert "line 32: 'name' is empty\n" in ran.out
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
    run = ("bulk", path, *HI, "--dry-run", "--url", sandbox.address("infopromo"))

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


def test_balance_that_is_not_told(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """A gateway without a balance, or one that does not answer, is no obstacle."""
    path = write_csv(tmp_path / "june.csv", [("+256701234567", "Ann"), *people(1)])
    sandbox.add_fault(Fault("GET /iprog/*", "garbage", times=None))

    untold = cli("bulk", path, *HI, "--dry-run", "--url", sandbox.address("ugsms-v1"))
    unclear = cli("bulk", path, *HI, "--dry-run")

    assert "balance      ugsms-v1 does not tell it\n" in untold.out
    assert "balance      not known: " in unclear.out
    assert (0, 0) == (untold.code, unclear.code)


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


def test_preview_knows_people(bulk: Bulk) -> None:
    """Who stands in the file under three names gets three texts, and the preview says so."""
    rows = [("09171234567", "Ana"), ("0917 123 4567", "ANA"), ("+639171234567", "Ana Cruz")]
    every = bulk([*rows, *people(1)], "--dry-run")
    one = bulk([*rows, *people(1)], "--dry-run", "--one-per-number")
    data = bulk([*rows, *people(1)], "--dry-run", "--json").json

    told = "1 number gets 3 texts (lines 2, 3, 4)"
    assert f"numbers      2; {told}\n" in every.out
    assert f"WARNING      {told}; --one-per-number sends each the first one\n" in every.out
    assert "repeated     2 (their number gets an earlier one; --one-per-number)\n" in one.out
    assert told not in one.out
    assert [{"number": "+639171234567", "texts": 3, "lines": [2, 3, 4]}] == data["plan"][
        "several_texts"
    ]
    assert (2, 1) == (data["plan"]["numbers"], data["plan"]["several"])


def test_several_people_with_several_texts(bulk: Bulk) -> None:
    """Of many only the first are shown, and the others counted."""
    rows = [(number, f"{name} {place}") for place in range(12) for number, name in people(5)]
    ran = bulk(rows, "--dry-run")

    assert "numbers      5; 5 numbers get several texts: 12 texts (lines 2, 7, " in ran.out
    assert " and 2 more); 12 texts (lines 3, " in ran.out
    assert "; and 2 more\n" in ran.out


def test_two_orders_of_one_customer_are_no_warning(cli: Cli, tmp_path: Path) -> None:
    """Where rows have keys, several texts are meant: they are told, and not warned of."""
    path = write_csv(
        tmp_path / "june.csv",
        [("09171234567", "Ana", "1"), ("09171234567", "Ana", "2")],
        ("phone", "name", "order"),
    )
    ran = cli("bulk", path, *HI, "--dry-run", "--key-column", "order")

    assert "1 number gets 2 texts (lines 2, 3)" in ran.out
    assert "--one-per-number" not in ran.out


def test_one_per_number(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """The first text of each number goes out, and the others are left out as asked for."""
    results = tmp_path / "results.csv"
    rows = [("09171234567", "Ana"), ("0917 123 4567", "ANA"), *people(1)]
    ran = bulk(rows, "--yes", "--one-per-number", "--results", str(results))

    assert (0, ["Hi Ann100", "Hi Ana"]) == (ran.code, [text for _, text in texts_of(sandbox)])
    assert "the number gets the text of an earlier line (--one-per-number)" in ran.out
    repeated = [row for row in read_csv(results) if row["state"] == "not_sent"]
    assert ["3"] == [row["line"] for row in repeated]
    assert "this number gets the text of line 2" in repeated[0]["error"]


def test_preview_names_what_costs(bulk: Bulk) -> None:
    """A character that triples the bill is there by its name, with what it costs."""
    ran = bulk([("09171234567", "a" * 100 + "\u2019"), *people(1)], "--dry-run")

    words = "\u2019 (U+2019 RIGHT SINGLE QUOTATION MARK) in 1 text"
    assert f"UCS-2        {words}: 2 segments instead of 1, +1 credit\n" in ran.out


def test_preview_tells_countries_and_landlines(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """Digits that nobody gave a country to are told with the country they would go to."""
    address = sandbox.address("infopromo")
    path = write_csv(tmp_path / "june.csv", [("2015550123", "Ann"), ("201001234567", "Bo")])
    plain = cli("bulk", path, *HI, "--dry-run", "--url", address)
    read = cli("bulk", path, *HI, "--dry-run", "--url", f"{address}&region=US")
    path = write_csv(tmp_path / "july.csv", [("2015550123", "Ann"), ("+201001234567", "Bo")])
    marked = cli("bulk", path, *HI, "--dry-run", "--url", address)

    warning = "WARNING      no number has a plus sign, and no region is set"
    assert [True, False, False] == [warning in ran.out for ran in (plain, read, marked)]
    assert "countries    EG 2\n" in plain.out
    assert "landlines    1, charged, and most can't show a text\n" in plain.out
    assert "countries    US 1\n" in read.out


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([("12", "Bo")] * 5, 4),
        ([("12", "Bo"), *people(1)], 0),
        ([*people(1), *people(1)], 0),
    ],
)
def test_dry_run_of_which_nothing_can_be_sent(
    bulk: Bulk, rows: list[tuple[str, str]], code: int
) -> None:
    """A script hears by the exit code that no row can be sent, as it would after the run."""
    assert code == bulk(rows, "--dry-run").code
    assert code == bulk(rows, "--dry-run", "--json").code
