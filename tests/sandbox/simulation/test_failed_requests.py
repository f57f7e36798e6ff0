"""The list of requests that came to nothing, which the inbox page shows."""

import contextlib
from typing import Any

import httpx
import pytest
from support.sandbox_toy import fetch

from iprog_async.sandbox import BLOCKED_WORD, Fault, FaultKind, Sandbox
from iprog_async.sandbox._inbox.numbers import numbers_in
from iprog_async.sandbox._simulation import failed_requests as refusals
from iprog_async.sandbox._simulation.exchange import Exchange


TO = "639171234567"
TOY = "toy/send"
TOKEN = "sandbox-iprog-token"
IPROG = "iprog/api/v1/sms_messages"


def refused(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return what the page is told of refused requests, the newest first."""
    found: list[dict[str, Any]] = fetch("GET", f"{sandbox.url}/_sandbox/switches").json()["refused"]
    return found


def send(sandbox: Sandbox, path: str, text: str = "hi", token: str = TOKEN) -> None:
    """Send a text in the way of one of the gateways, whatever comes of it."""
    toy, iprog = {"to": TO, "text": text}, {"phone_number": TO, "message": text}
    with contextlib.suppress(httpx.HTTPError):
        fetch("POST", f"{sandbox.url}/{path}", json={**toy, **iprog, "api_token": token})


@pytest.mark.parametrize(
    ("kind", "status", "count"),
    [
        ("status", 503, 1),
        ("drop_before", None, 1),
        ("status_after", 503, 0),
        ("drop_after", None, 0),
        ("garbage", 200, 0),
        ("truncate", 200, 0),
        ("delay", 200, 0),
    ],
)
def test_request_that_met_a_fault_is_told_of(
    sandbox: Sandbox, kind: FaultKind, status: int | None, count: int
) -> None:
    """A fault shows by itself, except where a text came of the request, which tells of it."""
    sandbox.add_fault(Fault("*", kind, delay=0.01 if kind == "delay" else 0))
    send(sandbox, TOY)
    found = refused(sandbox)
    assert [("toy", status, kind)] * count == [
        (each["gateway"], each["status"], each["fault"]) for each in found
    ]
    assert (count == 0) == bool(sandbox.inbox)


@pytest.mark.parametrize(
    ("path", "given", "expected"),
    [
        (IPROG, {"text": f"win at the {BLOCKED_WORD}"}, ("iprog", 200, "content filter")),
        (IPROG, {"token": "wrong"}, ("iprog", 200, "refused")),
        ("iprog/api/v1/nothing", {}, ("iprog", 404, None)),
        ("toy/boom", {}, ("toy", 500, None)),
        ("typo/api/v1/sms_messages", {}, ("typo", 404, None)),
    ],
)
def test_request_that_the_gateway_refused_is_told_of(
    sandbox: Sandbox, path: str, given: dict[str, str], expected: tuple[str, int, str | None]
) -> None:
    """A refusal is told of with its reason, also within an HTTP 200, and where no gateway is."""
    send(sandbox, path, **given)
    (found,) = refused(sandbox)
    assert expected == (found["gateway"], found["status"], found["reason"])


@pytest.mark.parametrize(("path", "status"), [(TOY, 200), (IPROG, 200)])
def test_lack_of_credit_is_told_of(sandbox: Sandbox, path: str, status: int) -> None:
    """What the account can't pay for has that reason, whoever looked at the account."""
    for gateway in ("toy", "iprog"):
        sandbox.set_credit(gateway, 0)
    send(sandbox, path)
    (found,) = refused(sandbox)
    assert ("out of credit", status) == (found["reason"], found["status"])


def test_success_and_curious_browsers_are_not_told_of(sandbox: Sandbox) -> None:
    """Neither a text that was accepted, nor a look for an icon, is a refusal."""
    send(sandbox, TOY)
    fetch("GET", f"{sandbox.url}/favicon.ico")
    fetch("GET", f"{sandbox.url}/toy/stream")
    assert [] == refused(sandbox)


def test_refused_request_is_shown_without_secrets(sandbox: Sandbox) -> None:
    """What travelled can be read, save for credentials, also those that fit no gateway."""
    send(sandbox, "typo/send", text=TOKEN, token="hush")
    serial = refused(sandbox)[0]["serial"]
    answer = fetch("GET", f"{sandbox.url}/_sandbox/refused/{serial}")
    assert ("POST", "/typo/send") == (answer.json()["method"], answer.json()["path"])
    assert 404 == answer.json()["answer"]["status"]
    assert TO in answer.json()["body"]
    assert "hush" not in answer.text
    assert TOKEN not in answer.text


@pytest.mark.parametrize(
    ("query", "body", "expected"),
    [
        (
            b"",
            b'{"phone_number": "+63 917 123 4567", "message": "code 482913"}',
            ["+63 917 123 4567"],
        ),
        (b"", b'{"to": [639171234567, "0918 123 4567"]}', ["639171234567", "0918 123 4567"]),
        (
            b"",
            b"numbers=256701234567%2C256701234567,256702234567&x=1",
            ["256701234567", "256702234567"],
        ),
        (b"to=0917-123-4567&api_token=123456789012", b"", ["0917-123-4567"]),
        (b"", b'{"password": "123456789012", "at": "2026-11-26 09:00"}', []),
        (b"", b'{"to": "1234567890123456"}', []),
        (b"", b"\xff" * 10, []),
        (b"", b"[" * 10_000, []),
        (b"", b'{"to": "639171234567", "text": "' + b"x" * 20_000 + b'"}', []),
    ],
)
def test_numbers_are_told_by_how_they_are_written(
    query: bytes, body: bytes, expected: list[str]
) -> None:
    """A request of any gateway is known by its numbers; secrets, dates and codes are none."""
    assert expected == numbers_in(Exchange("POST", "/x", query, [], body))


def test_refused_request_tells_its_first_number(sandbox: Sandbox) -> None:
    """The list has the number that a request was for, and how many there were."""
    fetch("POST", f"{sandbox.url}/toy/boom", json={"to": [TO, "639181234567"]})
    assert [(TO, 2)] == [(each["to"], each["recipients"]) for each in refused(sandbox)]


def test_clearing_all_texts_clears_the_refused_requests(sandbox: Sandbox) -> None:
    """They go with all texts, and stay where only some go."""
    send(sandbox, "toy/boom")
    sandbox.state.clear("toy")
    sandbox.state.clear(to=TO)
    assert 1 == len(refused(sandbox))
    sandbox.state.clear()
    assert [] == refused(sandbox)


@pytest.mark.parametrize("serial", ["999999", "x", "-1", "9" * 5000])
def test_unknown_refusal_is_not_found(sandbox: Sandbox, serial: str) -> None:
    """What is no number of a refused request is not found."""
    assert 404 == fetch("GET", f"{sandbox.url}/_sandbox/refused/{serial}").status_code


def test_only_the_last_ones_are_kept(sandbox: Sandbox) -> None:
    """Twenty are kept and no more, of a large one the outline, and after a reset none."""
    for n in range(refusals.MOST + 5):
        send(sandbox, "toy/boom", text=f"{n}" if n else "long")
    send(sandbox, "toy/boom", text="x" * 300_000)
    found = refused(sandbox)
    assert refusals.MOST == len(found)
    serials = [each["serial"] for each in found]
    assert sorted(serials, reverse=True) == serials
    large = fetch("GET", f"{sandbox.url}/_sandbox/refused/{serials[0]}").json()
    small = fetch("GET", f"{sandbox.url}/_sandbox/refused/{serials[1]}").json()
    assert (True, False) == (large["forgotten"], small["forgotten"])
    fetch("POST", f"{sandbox.url}/_sandbox/reset")
    assert [] == refused(sandbox)
