from __future__ import annotations

import json

import pytest
from support.cli.vendor import PHONE, Vendors, decline

from iprog_async.sandbox import Fault


_KEYS = [
    *("uid", "name", "message", "status", "sms_type", "created_at", "start_at", "delivery_at"),
    "stats",
]


@pytest.fixture
def group(vendors: Vendors) -> str:
    """Give a group of one contact."""
    made = vendors.group()
    vendors.contact(made)
    return made


def test_send(vendors: Vendors, group: str) -> None:
    """A campaign reaches the group's contacts, and is told with the uid to ask by."""
    ran = vendors(
        "campaign", "send", f"{group}, {vendors.group()}", "We open", "--yes", "--from", "ACME"
    )
    (text,) = vendors.sandbox.inbox

    assert (PHONE[1:], "We open", "ACME") == (text.to, text.text, text.sender_id)
    assert ran.out.startswith("Campaign ")
    assert "  text: We open" in ran.out.splitlines()


def test_options(vendors: Vendors, group: str) -> None:
    """`--option` reaches what the gateway alone has for a campaign."""
    options = ["--option", "type=unicode", "--option", "dlt_template_id=0815"]
    ran = vendors("campaign", "send", group, "We open", "--yes", "--json", *options)

    exchange = vendors.sandbox.inbox[0].exchange
    assert (0, "unicode") == (ran.code, ran.json["sms_type"])
    assert exchange is not None
    assert "0815" == json.loads(exchange.body or b"")["dlt_template_id"]


def test_show(vendors: Vendors, group: str) -> None:
    """A campaign is shown with how far its texts have come."""
    uid = vendors.uid("campaign", "send", group, "We open", "--yes")
    words, data = vendors("campaign", "show", uid), vendors("campaign", "show", uid, "--json").json

    assert (f"Campaign {uid}: done", "  texts: 1 delivered") == (
        words.out.splitlines()[0],
        words.out.splitlines()[-1],
    )
    assert _KEYS == list(data)
    assert (1, 0) == (data["stats"]["delivered_count"], data["stats"]["failed_count"])


def test_later(vendors: Vendors, group: str) -> None:
    """`--at` is read on the clock of the account, which the gateway's settings name."""
    ran = vendors(
        "campaign", "send", group, "We open", "--yes", "--at", "2099-01-31 08:00", "--json"
    )
    words = vendors("campaign", "send", group, "We open", "--yes", "--at", "2099-01-31 08:00")
    shown = vendors("campaign", "show", ran.json["uid"], "--json").json

    assert ("scheduled", None) == (ran.json["status"], ran.json["stats"])
    assert "2099-01-31T08:00:00+01:00" == ran.json["schedule_at"]
    assert "  for 2099-01-31 08:00 (Africa/Lagos)" == words.out.splitlines()[-1]
    assert shown["start_at"].startswith("2099-01-31T08:00:00+01:00")


@pytest.mark.parametrize("kind", ["drop_after", "status_after", "garbage"])
def test_unknown(vendors: Vendors, group: str, kind: str) -> None:
    """A lost answer is code 6 and says that the texts may be out; they went out once."""
    vendors.sandbox.add_fault(Fault("POST /infopromo/*", kind))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the table above holds only kinds
    ran = vendors("campaign", "send", group, "We open", "--yes")

    assert (6, 1) == (ran.code, len(vendors.sandbox.inbox))
    assert ran.err.endswith("The texts may have been sent\n")


def test_leading_dash(vendors: Vendors, group: str) -> None:
    """A text that starts with a dash is refused with the way to write it, which works."""
    refused = vendors("campaign", "send", group, "-5 % today")

    assert (2, True) == (refused.code, "campaign send UID -- '-5 % today'" in refused.err)
    assert 0 == vendors("campaign", "send", group, "--yes", "--", "-5 % today").code
    assert ["-5 % today"] == [text.text for text in vendors.sandbox.inbox]


def test_asking(vendors: Vendors, group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole group is texted only after a yes; without a terminal it needs `--yes`."""
    refused = vendors("campaign", "send", group, "We open")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("iprog_async.cli._terminal.confirm.ask", decline)
    declined = vendors("campaign", "send", group, "We open")

    assert (2, True) == (refused.code, refused.err.endswith("add --yes to do it\n"))
    assert (130, []) == (declined.code, list(vendors.sandbox.inbox))
