"""`--encoding` and `--replace`: what the preview says of them, and what is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cli.bulk import Bulk, people, texts_of
from support.cli.runner import Cli

from iprog_async.sandbox import Sandbox


pytestmark = pytest.mark.usefixtures("_iprog", "_no_waiting")

CURLY = "Hi {name}, it\u2019s " + "a" * 90
STRAIGHT = "Hi Ann100, it's " + "a" * 90
GSM7 = ("--encoding", "gsm-7")
_QUOTE = '\u2019 (U+2019 RIGHT SINGLE QUOTATION MARK) becomes "\'" in 2 texts'


def test_preview_tells_what_could_be_saved(bulk: Bulk, sandbox: Sandbox) -> None:
    """Before anything is sent it says what --encoding gsm-7 would change, and what that costs."""
    told = bulk(people(2), "--dry-run", "--price", "0.5", "--currency", "php", "--text", CURLY).out

    assert "segments     4, a credit each\n" in told
    assert (
        "GSM-7        --encoding gsm-7 would change 2 texts: "
        "2 segments instead of 4 (1.0 PHP instead of 2.0 PHP)\n"
    ) in told
    assert f"             {_QUOTE}\n" in told


def test_preview_tells_what_is_saved(bulk: Bulk, sandbox: Sandbox) -> None:
    """With --encoding gsm-7 its figures are those of the texts that travel."""
    told = bulk(people(2), "--dry-run", *GSM7, "--text", CURLY).out

    assert "segments     2, a credit each\n" in told
    assert "GSM-7        --encoding gsm-7 changes 2 texts: 2 segments instead of 4\n" in told
    assert f"             {_QUOTE}\n" in told
    assert f"first text   {STRAIGHT}\n" in told


def test_preview_names_few_of_many_changes(bulk: Bulk, sandbox: Sandbox) -> None:
    """What shows nothing and what has no name are told in words, and not too many."""
    text = "\u200b\u2026e\u0301\u2018\u201c\u2013\u00a0" + "a" * 100
    told = bulk(people(1), "--dry-run", "--text", text).out

    assert "U+200B ZERO WIDTH SPACE is left out in 1 text\n" in told
    assert "e\u0301 (U+0065 U+0301) becomes '\u00e9' in 1 text\n" in told
    assert "             and 2 more\n" in told


def test_preview_says_nothing_where_nothing_is_saved(bulk: Bulk, sandbox: Sandbox) -> None:
    """A quote in a short text costs nothing."""
    assert "GSM-7  " not in bulk(people(1), "--dry-run", "--text", "It\u2019s {name}").out


def test_run_sends_the_changed_texts(bulk: Bulk, sandbox: Sandbox) -> None:
    """What the preview says is what is sent; the JSON says it, too."""
    ran = bulk(people(1), "--yes", "--json", *GSM7, "--text", CURLY)

    assert (0, [STRAIGHT]) == (ran.code, [text for _, text in texts_of(sandbox)])
    assert (1, 1) == (ran.json["plan"]["saved"]["texts"], ran.json["plan"]["saved"]["segments"])


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ([], "\u20b15 it\u2019s " + "a" * 90),
        (GSM7, "\u20b15 it\u2019s " + "a" * 90),
        ([*GSM7, "--replace", "\u20b1=PHP "], "PHP 5 it's " + "a" * 90),
        ([*GSM7, "--replace=\u20b1=P", "--replace", "\U0001f642=:)"], "P5 it's " + "a" * 90),
    ],
)
def test_send(cli: Cli, sandbox: Sandbox, tokens: list[str], text: str) -> None:
    """One text is sent in the same way; the sign of a currency is replaced by choice."""
    ran = cli("send", "09171234567", "\u20b15 it\u2019s " + "a" * 90, *tokens)

    assert (0, [text]) == (ran.code, [text for _, text in texts_of(sandbox)])


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (["--replace", "\u20b1=PHP"], "--encoding gsm-7; give both"),
        ([*GSM7, "--replace", "a=b"], "--replace: 'a' is in GSM-7"),
        ([*GSM7, "--replace", "peso"], "--replace 'peso' is not written like"),
        (["--encoding", "ucs-2"], "--encoding"),
    ],
)
def test_options_that_make_no_sense(
    cli: Cli, bulk: Bulk, sandbox: Sandbox, tokens: list[str], words: str
) -> None:
    """They are told before anything is sent."""
    ran = [cli("send", "09171234567", "Hi", *tokens), bulk(people(1), "--yes", *tokens)]

    assert [(2, True)] * 2 == [(each.code, words in each.err) for each in ran]
    assert [] == texts_of(sandbox)


def test_command_that_resumes_has_the_setting(bulk: Bulk, sandbox: Sandbox, tmp_path: Path) -> None:
    """It would find conflicts without: its texts would be others."""
    journal = str(tmp_path / "j.db")
    ran = bulk(
        people(3),
        "--yes",
        "--journal",
        journal,
        "--max-credits",
        "1",
        *GSM7,
        "--replace",
        "\u20b1=PHP ",
        "--text",
        CURLY,
    )

    assert "--encoding=gsm-7 '--replace=\u20b1=PHP '" in ran.out
