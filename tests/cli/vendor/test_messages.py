from __future__ import annotations

import pytest
from support.cli.vendor import PHONE, Vendors


_KEYS = [
    *("uid", "to", "sender_id", "message", "status", "sms_type", "direction", "sms_count"),
    *("cost", "sent_at"),
]


def _uids(vendors: Vendors, *options: str) -> list[str]:
    return [entry["uid"] for entry in vendors("messages", "list", *options, "--json").json]


def test_list(vendors: Vendors) -> None:
    """The list has the messages that were sent."""
    sent = vendors.message()
    words = vendors("messages", "list")
    (data,) = vendors("messages", "list", "--json").json

    assert [sent, "2348012345678", "Sandbox", "Delivered"] == words.out.splitlines()[-1].split()[:4]
    assert (_KEYS, sent, "hello") == (list(data), data["uid"], data["message"])


def test_empty(vendors: Vendors) -> None:
    """An empty list is words and an empty array."""
    assert "no messages\n" == vendors("messages", "list").out
    assert [] == vendors("messages", "list", "--json").json


def test_filters(vendors: Vendors) -> None:
    """Times, type and direction leave out what does not fit."""
    sent = vendors.message()

    assert [sent] == _uids(vendors, "--start", "today 00:00", "--end", "in 1 hour")
    assert [] == _uids(vendors, "--end", "2020-01-01 00:00", "--tz", "Asia/Manila")
    assert [sent] == _uids(vendors, "--sms-type", "plain", "--direction", "outgoing")
    assert [] == _uids(vendors, "--direction", "incoming")
    assert [sent] == _uids(vendors, "--start", "today", "--end", "today")
    assert [] == _uids(vendors, "--end", "yesterday")


def test_limit(vendors: Vendors) -> None:
    """A list is cut at the limit, which stderr says; a limit of 0 cuts nothing."""
    sent = [vendors.message() for _ in range(3)]
    cut = vendors("messages", "list", "--limit", "2", "--json")
    whole = vendors("messages", "list", "--limit", "0", "--json")
    one = vendors("messages", "list", "--limit", "1")
    just = vendors("messages", "list", "--limit", "3")

    assert (0, 2) == (cut.code, len(cut.json))
    assert "iprog-async: only the first 2 are shown; --limit 0 shows all\n" == cut.err
    assert (sorted(sent), "") == (sorted(entry["uid"] for entry in whole.json), whole.err)
    assert "iprog-async: only the first is shown; --limit 0 shows all\n" == one.err
    assert "" == just.err


def test_show(vendors: Vendors) -> None:
    """One message is shown with all its facts."""
    sent = vendors.message()
    words, data = vendors("messages", "show", sent), vendors("messages", "show", sent, "--json")

    assert [f"uid       {sent}", f"to        {PHONE[1:]}"] == words.out.splitlines()[:2]
    assert (_KEYS, "1") == (list(data.json), data.json["cost"])


def test_by_the_ref(vendors: Vendors) -> None:
    """The ref that `send` printed shows the same message as the bare id."""
    sent = vendors.message()
    assert vendors("messages", "show", sent).out == (
        vendors("messages", "show", f"infopromo:{sent}").out
    )


@pytest.mark.parametrize("name", ["infopromo", "infopromo-http"])
def test_both_interfaces(vendors: Vendors, name: str) -> None:
    """Every adapter with the operation serves the command."""
    sent = vendors.message()
    assert 0 == vendors("messages", "show", sent, gateway=name).code
