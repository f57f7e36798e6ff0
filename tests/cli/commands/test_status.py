from __future__ import annotations

import pytest
from support.cli.runner import Cli

from iprog_async import DeliveryStatus, Receipt
from iprog_async.cli._terminal import show
from iprog_async.sandbox import FAILS_DELIVERY, Sandbox


pytestmark = pytest.mark.usefixtures("_iprog")


def _sent(cli: Cli, to: str = "09171234567") -> str:
    return str(cli("send", to, "hello", "--json").json["ref"])


@pytest.mark.parametrize("options", [[], ["--wait"]])
def test_words(cli: Cli, options: list[str]) -> None:
    """A delivered text is told in our word and the gateway's."""
    ran = cli("status", _sent(cli), *options)
    assert (ran.code, ran.out) == (0, "delivered (completed)\n")


def test_json(cli: Cli) -> None:
    """The JSON has the reference, both words and whether it is final."""
    ref = _sent(cli)
    expected = {"ref": ref, "state": "delivered", "word": "completed", "final": True}
    assert expected == cli("status", ref, "--json").json


def test_failed(cli: Cli) -> None:
    """A failed delivery ends with code 1, so that a script notices."""
    ran = cli("status", _sent(cli, f"0917123{FAILS_DELIVERY}"))
    assert (ran.code, ran.out.startswith("failed")) == (1, True)


def test_not_final_in_time(cli: Cli, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting in vain ends with code 6 and the advice not to send again."""
    monkeypatch.setattr(sandbox.state, "delivered_after", 60.0)
    ran = cli("status", _sent(cli), "--wait", "--timeout", "0.05")
    assert (ran.code, "do not send it again" in ran.err) == (6, True)


@pytest.mark.parametrize("ref", ["nonsense", "ugsms-v1:5"])
def test_bad_reference(cli: Cli, ref: str) -> None:
    """A reference that is none, or another gateway's, is bad input."""
    assert cli("status", ref).code == 2


def test_unknown_reference(cli: Cli) -> None:
    """A text that the gateway does not know is a refusal."""
    ran = cli("status", "iprog:iSms-none", "--json")
    assert (ran.code, ran.error["may_have_been_sent"]) == (4, False)


def test_timeout_is_positive(cli: Cli) -> None:
    """A timeout of zero is wrong usage."""
    assert cli("status", "iprog:1", "--wait", "--timeout", "0").code == 2


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (DeliveryStatus("pending"), "pending"),
        (DeliveryStatus("delivered", "Delivered"), "delivered"),
        (DeliveryStatus("unknown", "Odd"), "unknown (Odd)"),
    ],
)
def test_status_words(status: DeliveryStatus, words: str) -> None:
    """The gateway's word is shown where it says more than ours."""
    assert words == show.status_words(status)


def test_receipt_without_id() -> None:
    """A receipt without an id says so."""
    receipt = Receipt("p", None, "639", 2, scheduled=True)
    assert show.receipt_words(receipt) == "Scheduled by p, to 639, 2 segments: no id"
    assert None is show.receipt_data(receipt)["ref"]
