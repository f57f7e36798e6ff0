"""What protects people and money is documented whole: a program, help, and what is not promised."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from functools import cache

import pytest
from attrs import frozen
from support.docs_pages import ROOT

from iprog_async.cli import main


pytestmark = pytest.mark.skipif(
    not (ROOT / "mkdocs.yml").exists(), reason="runs where the documentation is"
)

_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
# A heading of its own or one within the line, and a sentence below or behind it, in whatever words.
_NOT_PROMISED = re.compile(
    r"^(?:#+ What is not promised\n\n|\*\*What is not promised\.\*\* )[*`]*[A-Z]",
    re.MULTILINE,
)
_PROGRAM = re.compile(r"^```(?:python title=|sh$)", re.MULTILINE)


@frozen
class Feature:
    """Where something is explained.

    Args:
        page: The page, below `docs`.
        heading: Its section; the whole page if empty.
        command: The command that has it.
        words: What its help says, such as an option.
    """

    page: str
    heading: str
    command: str
    words: str


_FEATURES = {
    "follow up": Feature("after-sending.md", "Follow up", "journal follow", "--for"),
    "settle": Feature(
        "after-sending.md", "Settle one text by hand", "journal settle", "--accepted"
    ),
    "prune": Feature("after-sending.md", "", "journal prune", "--older-than"),
    "forget": Feature("after-sending.md", "Forget a person", "journal forget", "NUMBER"),
    "incoming texts": Feature("inbound.md", "", "sandbox", "--push"),
    "who said STOP": Feature("inbound.md", "", "bulk", "--suppressions"),
    "hours": Feature("policies.md", "Hours of the day", "send", "--send-between"),
    "until when": Feature("policies.md", "Until when", "bulk", "--not-after"),
    "limits": Feature("policies.md", "How many texts, and what they cost", "send", "--per-number"),
    "GSM-7": Feature("concepts.md", "Look-alikes", "bulk", "--encoding"),
    "codes": Feature("codes.md", "", "code send", "--journal"),
    "a gateway by a file": Feature("gateways/toml.md", "", "send", "--url"),
    "Semaphore": Feature("gateways/semaphore.md", "", "providers", "--json"),
    "EgoSMS": Feature("gateways/egosms.md", "", "providers", "--json"),
    "Africa's Talking": Feature("gateways/africastalking.md", "", "providers", "--json"),
    "SMSGate": Feature("gateways/smsgate.md", "", "providers", "--json"),
    "templates": Feature("bulk.md", "Fill in a text", "bulk", "--text"),
    "senders": Feature("bulk.md", "Sender IDs by country", "send", "--from"),
    "trials": Feature("bulk.md", "From the command line", "bulk", "--first-to"),
    "a part of a file": Feature("bulk.md", "From the command line", "bulk", "--limit"),
    "for later": Feature("bulk.md", "From the command line", "bulk", "--at"),
    "exchanges": Feature("troubleshooting.md", "The log says too little", "", "--debug"),
}


def _section(page: str, heading: str) -> str:
    """Return a section with all below it, or the whole page."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    if not heading:
        return text
    found = [match for match in _HEADING.finditer(text) if match[2] == heading]
    assert 1 == len(found), f"{page} has no section {heading!r}"
    (begin,) = found
    ends = (
        match.start()
        for match in _HEADING.finditer(text, begin.end())
        if len(match[1]) <= len(begin[1])
    )
    return text[begin.start() : next(ends, len(text))]


@cache
def _help(command: str) -> str:
    """Return what a command says of itself."""
    with redirect_stdout(io.StringIO()) as told:
        main([*command.split(), "--help"])
    return told.getvalue()


@pytest.mark.parametrize("name", _FEATURES)
def test_a_feature_is_documented_whole(name: str) -> None:
    """Its section has a program, which other tests run, and says what is not promised."""
    feature = _FEATURES[name]
    section = _section(feature.page, feature.heading)

    assert (True, True, True) == (
        _PROGRAM.search(section) is not None,
        _NOT_PROMISED.search(section) is not None,
        feature.words in _help(feature.command),
    )
