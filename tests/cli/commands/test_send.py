from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from support.cli.runner import Cli

from iprog_async import Receipt
from iprog_async.cli._terminal import show
from iprog_async.sandbox import BLOCKED_WORD, FAILS_DELIVERY, Fault, Sandbox


_TO = "0917 123 4567"
_SEND = "POST /iprog/*"


def _texts(sandbox: Sandbox) -> list[str]:
    return [text.text for text in sandbox.inbox]


@pytest.mark.usefixtures("_iprog")
def test_words(cli: Cli, sandbox: Sandbox) -> None:
    """A text that was accepted is told in one line that ends with its reference."""
    ran = cli("send", _TO, "hello")
    (text,) = sandbox.inbox
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Accepted by iprog, to 639171234567, 1 segment, ")
    assert ran.out.endswith(f": iprog:{text.message_id}\n")
    assert text.text == "hello"


@pytest.mark.usefixtures("_iprog")
def test_json(cli: Cli, sandbox: Sandbox) -> None:
    """The JSON is the receipt, as it can be stored, with its reference."""
    ran = cli("send", _TO, "hello", "--json")
    data = ran.json
    assert (0, f"iprog:{sandbox.inbox[0].message_id}") == (ran.code, data.pop("ref"))
    assert data == Receipt.from_dict(data).to_dict()


def test_sender(cli: Cli, sandbox: Sandbox) -> None:
    """`--from` is the sender that the phone shows."""
    ran = cli(
        "send", "+639171234567", "hello", "--from", "ACME", "--url", sandbox.address("infopromo")
    )
    assert (ran.code, [text.sender_id for text in sandbox.inbox]) == (0, ["ACME"])


@pytest.mark.usefixtures("_iprog")
def test_an_end(cli: Cli, sandbox: Sandbox) -> None:
    """`--not-after` lets a text out that is in time, and is a time to come itself."""
    assert 0 == cli("send", _TO, "hello", "--not-after", "in 2 hours").code
    over = cli("send", _TO, "late", "--not-after", "2001-01-31T08:00+08:00")
    before = ["--at", "2099-01-31T08:00+08:00", "--not-after", "2099-01-31T07:00+08:00"]
    never = cli("send", _TO, "never", *before)

    assert (2, 2, ["hello"]) == (over.code, never.code, _texts(sandbox))
    assert "--not-after '2001-01-31T08:00+08:00' is in the past" in over.err
    assert "--at is later than --not-after" in never.err


@pytest.mark.usefixtures("_iprog")
def test_a_key(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """With `--key` and `--journal` a text is sent once, however often the command is run."""
    send = ["send", _TO, "hello", "--key", "order-42", "--journal", str(tmp_path / "texts.db")]
    first, again = cli(*send), cli(*send)
    assert (0, 0, first.out) == (first.code, again.code, again.out)
    assert ["hello"] == _texts(sandbox)


@pytest.mark.usefixtures("_iprog")
@pytest.mark.parametrize("words", [["--key", "a"], ["--journal", "texts.db"]])
def test_a_key_needs_a_journal(cli: Cli, sandbox: Sandbox, words: list[str]) -> None:
    """One without the other could not keep a text from going out twice, and is refused."""
    ran = cli("send", _TO, "hello", *words)
    assert (2, True, []) == (ran.code, "--key and --journal belong" in ran.err, _texts(sandbox))


@pytest.mark.usefixtures("_iprog")
def test_a_journal_in_a_folder_that_is_not_there(cli: Cli, sandbox: Sandbox) -> None:
    """The error says that nothing was sent."""
    ran = cli("send", _TO, "hello", "--key", "a", "--journal", "/none/texts.db")
    assert (3, True, []) == (ran.code, "Nothing was sent" in ran.err, _texts(sandbox))


@pytest.mark.parametrize(
    ("gateway", "given", "expected"),
    [
        ("infopromo", {"type": "unicode", "dlt_template_id": "0815"}, {"type": "unicode"}),
        ("infopromo", {"dlt_template_id": "0815"}, {"dlt_template_id": "0815"}),
        ("iprog", {"sms_provider": "2"}, {"sms_provider": 2}),
    ],
)
def test_options(
    cli: Cli, sandbox: Sandbox, gateway: str, given: dict[str, str], expected: dict[str, object]
) -> None:
    """`--option` sets what this gateway alone has, as the type that its adapter wants."""
    options = [word for name, text in given.items() for word in ("--option", f"{name}={text}")]
    url = ["--url", sandbox.address(gateway)]
    assert 0 == cli("send", "+639171234567", "hello", *options, *url).code

    exchange = sandbox.inbox[0].exchange
    assert exchange is not None
    body = json.loads(exchange.body or b"")
    assert expected == {name: body[name] for name in expected}


def test_options_of_a_member(cli: Cli, sandbox: Sandbox) -> None:
    """Of several gateways, `--option` goes to the one that has it."""
    both = f"{sandbox.address('infopromo')} || {sandbox.address('iprog')}"
    send = ["send", "+639171234567", "hello", "--url", both]

    assert 0 == cli(*send, "--option", "type=unicode").code
    assert "it has: type, dlt_template_id, sms_provider" in cli(*send, "--option", "x=1").err


@pytest.mark.usefixtures("_iprog")
def test_later(cli: Cli) -> None:
    """`--at` sends later, and the words say so."""
    ran = cli("send", _TO, "hello", "--at", "2099-01-31T08:00+08:00")
    assert (ran.code, ran.out.startswith("Scheduled by iprog")) == (0, True)


@pytest.mark.usefixtures("_iprog")
@pytest.mark.parametrize("when", ["2020-01-31T08:00", "tomorrow", "1700000000"])
def test_bad_time(cli: Cli, sandbox: Sandbox, when: str) -> None:
    """A time that is over, or none at all, is bad input and sends nothing."""
    ran = cli("send", _TO, "hello", "--at", when)
    assert (ran.code, _texts(sandbox)) == (2, [])
    assert ran.err.startswith(f"iprog-async: --at {when!r} is ")


@pytest.mark.usefixtures("_iprog")
def test_stdin(cli: Cli, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash as the text reads it from stdin."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"two\nlines\n"), "utf-8"))
    ran = cli("send", _TO, "-")
    assert (ran.code, _texts(sandbox)) == (0, ["two\nlines"])


@pytest.mark.usefixtures("_iprog")
def test_leading_dash(cli: Cli, sandbox: Sandbox) -> None:
    """A text that starts with a dash is refused with the way to write it, which works."""
    refused = cli("send", _TO, "-hello")
    assert (refused.code, _texts(sandbox)) == (2, [])
    assert "iprog-async send 0917… -- '-5 % today'" in refused.err
    assert cli("send", _TO, "--", "-hello").code == 0
    assert _texts(sandbox) == ["-hello"]


@pytest.mark.usefixtures("_iprog")
def test_json_behind_the_delimiter(cli: Cli, sandbox: Sandbox) -> None:
    """Behind -- even `--json` is a text, and the output is words."""
    ran = cli("send", _TO, "--", "--json")
    assert (_texts(sandbox), ran.out.startswith("Accepted")) == (["--json"], True)


@pytest.mark.usefixtures("_iprog")
def test_wait(cli: Cli) -> None:
    """`--wait` tells acceptance first and the delivery when it is final."""
    ran = cli("send", _TO, "hello", "--wait")
    accepted, delivered = ran.out.splitlines()
    assert (ran.code, delivered) == (0, "delivered (completed)")
    assert accepted.startswith("Accepted")


@pytest.mark.usefixtures("_iprog")
def test_wait_in_json(cli: Cli) -> None:
    """With `--json` the receipt has the last status."""
    ran = cli("send", _TO, "hello", "--wait", "--json")
    expected = {"state": "delivered", "word": "completed", "final": True}
    assert (0, expected) == (ran.code, ran.json["status"])


@pytest.mark.usefixtures("_iprog")
def test_wait_for_a_failure(cli: Cli) -> None:
    """A delivery that failed ends with code 1."""
    assert cli("send", f"0917123{FAILS_DELIVERY}", "hello", "--wait").code == 1


@pytest.mark.usefixtures("_iprog")
def test_wait_in_vain(cli: Cli, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A delivery that is not final in time is code 6: accepted, not to be sent again."""
    monkeypatch.setattr(sandbox.state, "delivered_after", 60.0)
    ran = cli("send", _TO, "hello", "--wait", "--timeout", "0.05")
    ref = f"iprog:{sandbox.inbox[0].message_id}"
    assert (ran.code, ran.out.startswith("Accepted")) == (6, True)
    assert "accepted (do not send it again)" in ran.err
    assert f"iprog-async status {ref} --wait" in ran.err


@pytest.mark.usefixtures("_iprog")
def test_wait_without_an_answer(
    cli: Cli, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the status can't be asked, the receipt is still there and nobody is told "not sent"."""
    monkeypatch.setattr(sandbox.state, "delivered_after", 60.0)
    sandbox.add_fault(Fault("GET /iprog/*", "status", status=404, times=None))
    ran = cli("send", _TO, "hello", "--wait", "--json")
    assert (6, f"iprog:{sandbox.inbox[0].message_id}") == (ran.code, ran.json["ref"])
    assert True is ran.error["may_have_been_sent"]
    assert ran.error["type"] == "NotFoundError"


def test_no_reference_no_advice() -> None:
    """A receipt without an id has no reference to ask with."""
    assert None is show.receipt_data(Receipt("p", None, "639", 1))["ref"]


@pytest.mark.parametrize(
    ("name", "options"),
    [("iprog", ["--at", "2099-01-31T08:00+08:00"]), ("ugsms-v1", [])],
    ids=["scheduled", "no status"],
)
def test_wait_makes_no_sense(cli: Cli, sandbox: Sandbox, name: str, options: list[str]) -> None:
    """Waiting for what can't be seen is refused before anything is sent."""
    ran = cli("send", "+256701234567", "hello", "--wait", *options, "--url", sandbox.address(name))
    assert (ran.code, _texts(sandbox)) == (2, [])
    assert ran.err.endswith("Not sent\n")


@pytest.mark.usefixtures("_iprog")
@pytest.mark.parametrize("kind", ["drop_after", "garbage", "truncate", "status_after"])
def test_unknown(cli: Cli, sandbox: Sandbox, kind: str) -> None:
    """A lost answer is code 6; the line says that the text may be out, and it went out once."""
    sandbox.add_fault(Fault(_SEND, kind))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the table above holds only kinds
    ran = cli("send", _TO, "hello")
    assert (ran.code, _texts(sandbox)) == (6, ["hello"])
    advice = "Check at the gateway before you repeat it"
    assert ran.err.endswith(f". {advice}. The text may have been sent\n")
    assert "It may have" not in ran.err


@pytest.mark.usefixtures("_iprog")
def test_unknown_in_json(cli: Cli, sandbox: Sandbox) -> None:
    """The JSON error has exactly the four facts a program needs."""
    sandbox.add_fault(Fault(_SEND, "drop_after"))
    ran = cli("send", _TO, "hello", "--json")
    message = ran.error.pop("message")
    assert (ran.code, ran.err) == (6, "")
    assert "The text may have been sent" in message
    facts = {"type": "OutcomeUnknownError", "may_have_been_sent": True, "healable": False}
    assert facts | {"message": message} == ran.error


@pytest.mark.usefixtures("_iprog")
@pytest.mark.parametrize(
    ("to", "text", "code"),
    [
        ("12", "hello", 2),
        (_TO, " ", 2),
        (_TO, "half a \udcff", 2),
        (_TO, f"win at the {BLOCKED_WORD}", 4),
    ],
    ids=["number", "empty", "surrogate", "filter"],
)
def test_not_sent(cli: Cli, sandbox: Sandbox, to: str, text: str, code: int) -> None:
    """Bad input and refusals end with their own codes, and the line says that nothing was sent."""
    ran = cli("send", to, text)
    assert (code, []) == (ran.code, _texts(sandbox))
    assert ran.err.startswith("iprog-async: ")
    assert ran.err.endswith("Not sent\n")


def test_wrong_credentials(cli: Cli, sandbox: Sandbox) -> None:
    """A wrong token is code 3, and is not shown."""
    address = sandbox.address("iprog").replace("sandbox-iprog-token", "wrong-iprog-token")
    ran = cli("send", _TO, "hello", "--url", address)
    assert (ran.code, "wrong-iprog-token" in ran.err) == (3, False)
    assert ran.err.endswith("Not sent\n")


@pytest.mark.usefixtures("_no_waiting")
def test_unreachable(cli: Cli) -> None:
    """A gateway that is not there is code 5, and certainly nothing was sent."""
    ran = cli("send", _TO, "hello", "--url", "iprog://sandbox-token@?base_url=http://127.0.0.1:1")
    assert ran.code == 5
    assert ran.err.endswith("Not sent\n")


def test_not_configured(cli: Cli) -> None:
    """Without a gateway the line names the variables to set."""
    ran = cli("send", _TO, "hello")
    assert (ran.code, "SMS_URL" in ran.err and "IPROG_SMS_API_TOKEN" in ran.err) == (3, True)


def test_several_configured(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of several gateways are a question that SMS_URL answers."""
    monkeypatch.setenv("IPROG_SMS_API_TOKEN", "sandbox-one")
    monkeypatch.setenv("UGSMS_API_KEY", "sandbox-two")
    ran = cli("send", _TO, "hello", "--json")
    assert (ran.code, ran.error["type"]) == (3, "ConfigurationError")
    assert "SMS_URL" in ran.error["message"]
