from __future__ import annotations

import logging
from urllib.parse import quote, unquote

import pytest
from support.cli.runner import Cli

from iprog_async.cli._errors.veil import veil
from iprog_async.sandbox import Fault, FaultKind, Sandbox


_COMMANDS = (
    ["balance"],
    ["send", "09171234567", "hello"],
    ["send", "09171234567", "hello", "--json", "--wait", "--timeout", "0.1"],
    ["send", "12", "hello"],
    ["status", "iprog:iSms-none"],
    ["doctor", "--check"],
    ["doctor", "--check", "--json"],
    ["send"],
    ["bogus"],
)
_FAULTS: tuple[FaultKind | None, ...] = (None, "drop_after", "garbage", "truncate", "status")


@pytest.mark.parametrize("fault", _FAULTS)
@pytest.mark.parametrize("token", ["sandbox-iprog-token", "wrong|token/with%signs"])
@pytest.mark.usefixtures("_no_waiting")
def test_no_secret_is_shown(
    cli: Cli,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: FaultKind | None,
    token: str,
) -> None:
    """With every logger at DEBUG no token is in any output or record, whatever goes wrong."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(sandbox.state, "delivered_after", 60.0)
    address = sandbox.address("iprog").replace("sandbox-iprog-token", quote(token, safe=""))
    monkeypatch.setenv("SMS_URL", address)
    written = ""
    for tokens in _COMMANDS:
        sandbox.clear_faults()
        if fault is not None:
            sandbox.add_fault(Fault("* /iprog/*", fault, times=None))
        ran = cli.run(tokens)
        written += ran.out + ran.err
    written += "".join(record.getMessage() for record in caplog.records)
    assert token not in unquote(written)


@pytest.mark.parametrize(
    "when",
    [
        "yesterday 9:00",
        "Yesterday at 8:30 pm",
        "in 30000 minutes",
        "1 December 2020, 9:00",
        "2nd Jan",
        "Sept. 3, 2020 9:00",
    ],
)
def test_a_time_is_no_secret(when: str) -> None:
    """Who wrote a time that is over sees which one."""
    line = f"--at '{when}' is in the past"

    assert line == veil(line, ["send", "09171234567", "Hi", "--at", when])


@pytest.mark.parametrize("words", ["mayflower 12345678", "12 marigold 99812", "octopus 1 december"])
def test_a_word_that_begins_like_a_month_may_be_a_secret(words: str) -> None:
    """A month is written out, or as it is shortened."""
    assert words not in veil(f"unknown word '{words}'", ["send", words])
