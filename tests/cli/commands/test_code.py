"""`iprog-async code`: what a script does with one-time codes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from support.cli.vendor import MOBILE, Vendors
from support.codes import another, code_in

from iprog_async.sandbox import Fault


@pytest.fixture
def journal(tmp_path: Path) -> str:
    """Return where the codes are kept."""
    return str(tmp_path / "logins.db")


def test_a_code_that_was_sent_is_verified_once(
    vendors: Vendors, journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right code ends with exit code 0, whatever is wrong with 1; no output has the code."""
    sent = vendors("code", "send", MOBILE, "--journal", journal)
    code = code_in(vendors.sandbox.inbox[-1].text)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{code}\n"))
    wrong = vendors("code", "verify", MOBILE, another(code), "--journal", journal)
    right = vendors("code", "verify", MOBILE, "-", "--journal", journal)
    used = vendors("code", "verify", MOBILE, code, "--journal", journal, "--json")

    assert (0, "Sent a code to +639171234567\n") == (sent.code, sent.out)
    assert (1, "not verified: wrong\n") == (wrong.code, wrong.out)
    assert (0, "verified\n") == (right.code, right.out)
    assert (1, {"verified": False, "reason": "no code", "tries_left": 0}) == (used.code, used.json)


def test_the_next_code_waits(vendors: Vendors, journal: str) -> None:
    """Asked again at once it sends nothing, says when it will, and ends with exit code 4."""
    first = vendors("code", "send", MOBILE, "--journal", journal, "--json")
    second = vendors("code", "send", MOBILE, "--journal", journal)

    assert (0, "+639171234567", "login", None) == (
        first.code,
        first.json["to"],
        first.json["purpose"],
        first.json["unknown"],
    )
    assert 4 == second.code
    assert "Nothing was sent" in second.err
    assert 1 == len(vendors.sandbox.inbox)


def test_an_unknown_code_may_be_the_right_one(vendors: Vendors, journal: str) -> None:
    """A lost answer ends with exit code 6, and the code that arrived is verified."""
    vendors.sandbox.add_fault(Fault("POST /iprog/*", "drop_after"))
    sent = vendors("code", "send", MOBILE, "--journal", journal)
    code = code_in(vendors.sandbox.inbox[-1].text)

    assert 6 == sent.code
    assert "may have been sent" in sent.out
    assert code not in sent.out + sent.err
    assert 0 == vendors("code", "verify", MOBILE, code, "--journal", journal).code
