"""What is said of a command line that no command takes."""

from __future__ import annotations

import pytest
from support.cli.runner import Cli


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "send 0917 123 4567 hi",
            "iprog-async send does not expect 4567 hi; put the number and the text each in "
            "quotes: iprog-async send '0917 123 4567' 'Hi there'",
        ),
        (
            "reminder create 0917 123 4567 --at tomorrow",
            "iprog-async reminder create does not expect 4567; put the number and the text each",
        ),
        ("count hello there", "iprog-async count does not expect there; put the text in quotes: "),
        ("providers extra", "iprog-async providers does not expect extra; see iprog-async provid"),
        ("bulk a.csv b.csv --text Hi", "iprog-async bulk does not expect b.csv; see iprog-async b"),
    ],
)
def test_too_many_words(cli: Cli, line: str, words: str) -> None:
    """Words that are left over are told in plain words, with what was most likely forgotten."""
    ran = cli(*line.split())

    assert (2, True) == (ran.code, ran.err.startswith(f"iprog-async: {words}"))


def test_left_over_words_may_be_secret(cli: Cli) -> None:
    """An address among them is masked."""
    ran = cli("providers", "iprog://sandbox-hidden@", "-")

    assert (2, False, True) == (ran.code, "sandbox-hidden" in ran.err, "iprog://***" in ran.err)


@pytest.mark.parametrize("given", ["--phone +2348012345678", "--phone=+2348012345678"])
def test_what_has_a_place_is_no_option(cli: Cli, given: str) -> None:
    """A dashed name of what is given by its place is told as that, and no other is guessed."""
    ran = cli(*["contacts", "update", "66d6", "77e7"], *given.split())

    assert (
        2,
        [
            "iprog-async: --phone is no option: it is given by its place, without the dashes",
            "write iprog-async contacts update GROUP CONTACT PHONE\n",
        ],
    ) == (ran.code, ran.err.split("; "))
