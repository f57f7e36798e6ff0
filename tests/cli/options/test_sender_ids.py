"""`--from`: one sender for all, or one for each country."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cli.bulk import write_csv
from support.cli.runner import Cli

from iprog_async import InvalidMessageError, SenderIdSetting
from iprog_async.cli._options.sender_ids import sender_ids_of
from iprog_async.sandbox import Sandbox


_BY_COUNTRY = "PH=ACME,UG=Acme Ltd,Others"
_PEOPLE = {"+639171234567": "ACME", "+256700123456": "Acme Ltd", "+14155552671": "Others"}


@pytest.mark.parametrize(
    ("given", "setting"),
    [
        (None, None),
        ("ACME", "ACME"),
        ("A, B", "A, B"),
        ("PH=ACME", {"PH": "ACME"}),
        (_BY_COUNTRY, {"PH": "ACME", "UG": "Acme Ltd", None: "Others"}),
        (" ph = Acme ", {"PH": " Acme "}),
        ("Shop:3;4", "Shop:3;4"),
        ("Hi:Bob", "Hi:Bob"),
        ("ACME, ph=Acme", {None: "ACME", "PH": "Acme"}),
    ],
)
def test_what_is_meant(given: str | None, setting: SenderIdSetting | None) -> None:
    """As soon as one country is named, each part is the sender of one, or of all others."""
    assert setting == sender_ids_of(given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "--from: the sender ID is empty"),
        ("PH=", "--from: the sender ID is empty"),
        ("longer than eleven", "11 is the most"),
        ("UK=ACME", "--from: no phone number has the region 'UK'; write 'GB'$"),
        ("XX=ACME,Acme", "no phone number has the region 'XX', such as"),
        ("PH=ACME,PH=Acme", "two senders for PH"),
        ("PH=ACME,Acme,Others", "two senders for all other countries"),
    ],
)
def test_what_makes_no_sense(given: str, words: str) -> None:
    """The error names the option."""
    with pytest.raises(InvalidMessageError, match=words):
        sender_ids_of(given)


@pytest.mark.parametrize(
    "given",
    [
        "PHL=ACME",
        "63=ACME",
        "=ACME",
        "a=b",
        "PH=ACME,Phone=Acme",
        "PH=ACME;UG=Acme",
        "PH=A=B",
        "PH=ACME,A;B",
        "PH=ACME,",
        "PH=ACME, ,UG=Acme",
        "PH:ACME",
        "ph: ACME, UG: Acme",
        "PH=ACME,DE:Acme",
    ],
)
def test_what_can_be_misread(given: str) -> None:
    """It is refused with the right form, and never sent as a name."""
    with pytest.raises(InvalidMessageError, match=r"^--from .* write PH=ACME,UG=Acme Ltd,Acme:"):
        sender_ids_of(given)


def _address(sandbox: Sandbox) -> str:
    """Return the address of a gateway that sends nothing without a sender ID, and has none."""
    address = sandbox.address("infopromo")
    assert "sender_id=Sandbox&" in address
    return address.replace("sender_id=Sandbox&", "")


def test_each_country_gets_its_own(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """By `send`, `bulk`, and the trial that a `bulk` begins with; the preview shows all of them."""
    how = ("--from", _BY_COUNTRY, "--url", _address(sandbox))
    codes = [cli("send", to, "Hi", *how).code for to in _PEOPLE]
    file = write_csv(tmp_path / "people.csv", [(to, "Ann") for to in _PEOPLE])
    trial = ("--first-to", "+639181234567", "--yes")
    ran = cli("bulk", file, "--text", "Hello {name}", *trial, *how)

    assert [0, 0, 0, 0] == [*codes, ran.code]
    assert f"from         {_BY_COUNTRY}\n" in ran.out
    seen = [(f"+{text.to}", text.sender_id) for text in sandbox.inbox]
    assert [*_PEOPLE.items(), ("+639181234567", "ACME")] == seen[:4]
    assert sorted(_PEOPLE.items()) == sorted(seen[4:])


def test_a_country_without_one_is_told(cli: Cli, sandbox: Sandbox) -> None:
    """Where the gateway needs a sender, and neither option nor account has one."""
    ran = cli("send", "+14155552671", "Hi", "--from", "PH=ACME", "--url", _address(sandbox))

    assert (2, []) == (ran.code, sandbox.inbox)
    assert "give one with --from" in ran.err
