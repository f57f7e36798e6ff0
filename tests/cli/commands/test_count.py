from __future__ import annotations

import io
from pathlib import Path

import pytest
from support.cli.runner import Cli


def _stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hi", "GSM-7, 1 segment: 2 septets used, 158 left\n"),
        ("", "the text is empty: nothing to bill, and nothing that send would take\n"),
        ("x", "GSM-7, 1 segment: 1 septet used, 159 left\n"),
        ("€" * 81, "GSM-7, 2 segments: 162 septets used, 143 left\n"),
    ],
)
def test_words(cli: Cli, text: str, words: str) -> None:
    """A GSM-7 text is told in one line."""
    ran = cli("count", text)
    assert (0, words, "") == (ran.code, ran.out, ran.err)


def test_culprits_in_words(cli: Cli) -> None:
    """The characters that forced UCS-2 are named, each once, and the unprintable ones left out."""
    ran = cli("count", "“ok” “ok” \u200b")
    assert ran.out.splitlines() == [
        "UCS-2, 1 segment: 11 code units used, 59 left",
        "Not in GSM-7, so that the whole text travels as UCS-2:",
        "  “  U+201C  LEFT DOUBLE QUOTATION MARK",
        "  ”  U+201D  RIGHT DOUBLE QUOTATION MARK",
        "     U+200B  ZERO WIDTH SPACE",
    ]


def test_what_the_text_would_cost_without_them(cli: Cli) -> None:
    """If a character costs credits, the command says how many segments there would be."""
    ran = cli("count", "It\u2019s " + "a" * 100)
    assert [
        "UCS-2, 2 segments: 105 code units used, 29 left",
        "Not in GSM-7, so that the whole text travels as UCS-2:",
        "  \u2019  U+2019  RIGHT SINGLE QUOTATION MARK",
        "Without them it has 1 segment.",
    ] == ran.out.splitlines()


def test_json(cli: Cli) -> None:
    """The JSON has the numbers and the characters' code points and names."""
    expected = {
        "encoding": "UCS-2",
        "segments": 1,
        "units": 4,
        "left": 66,
        "segments_without": 1,
        "forced_by": [
            {"character": "😀", "code_point": "U+1F600", "name": "GRINNING FACE"},
            {"character": "\x01", "code_point": "U+0001", "name": "no name"},
        ],
    }
    assert expected == cli("count", "😀\x01!", "--json").json


def test_half_a_character(cli: Cli) -> None:
    """An argument that is no valid text is counted without failing on the output."""
    ran = cli("count", "a\udcff")
    assert (ran.code, "U+DCFF" in ran.out) == (0, True)


@pytest.mark.parametrize("tokens", [["-"], ["--file", "-"], ["--json", "-"]])
def test_stdin(cli: Cli, monkeypatch: pytest.MonkeyPatch, tokens: list[str]) -> None:
    """A dash reads stdin, without the last line end that every tool adds."""
    _stdin(monkeypatch, "héllo\r\n".encode())
    ran = cli("count", *tokens)
    assert (ran.code, "5" in ran.out) == (0, True)


def test_file(cli: Cli, tmp_path: Path) -> None:
    """A file is read as UTF-8, without its last line end."""
    file = tmp_path / "text.txt"
    file.write_text("two\nlines\n", encoding="utf-8")
    assert cli("count", "--file", str(file), "--json").json["units"] == 9


def test_missing_file(cli: Cli, tmp_path: Path) -> None:
    """A file that can't be read is bad input, with the system's reason."""
    ran = cli("count", "--file", str(tmp_path / "none"))
    assert (ran.code, "No such file" in ran.err) == (2, True)


def test_not_utf_8(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are no UTF-8 are bad input."""
    _stdin(monkeypatch, b"caf\xe9")
    ran = cli("count", "-")
    assert (ran.code, ran.err) == (2, "iprog-async: stdin is no UTF-8 text (byte 3)\n")


@pytest.mark.parametrize("tokens", [[], ["text", "--file", "-"]])
def test_text_or_file(cli: Cli, tokens: list[str]) -> None:
    """Exactly one of text and file is taken."""
    ran = cli("count", *tokens)
    assert (ran.code, "either a text or --file" in ran.err) == (2, True)


def test_leading_dash(cli: Cli) -> None:
    """A text that starts with a dash is refused with the way to write it, which works."""
    refused = cli("count", "-5% today")
    assert (refused.code, "iprog-async count -- '-5 % today'" in refused.err) == (2, True)
    assert cli("count", "--json", "--", "-5% today").json["units"] == 9


def test_lone_dash_after_the_delimiter(cli: Cli) -> None:
    """Behind -- a dash is a text like any other."""
    assert cli("count", "--json", "--", "-").json["units"] == 1
