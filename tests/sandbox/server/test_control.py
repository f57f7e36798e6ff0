import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from support.sandbox_toy import CONTEXT, fetch
from support.waiting import LONG

from iprog_async.sandbox import Fault, Sandbox


@pytest.fixture
def control(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """Return a client of the control API, with three texts in the inbox."""
    for to, text in [("+639171111111", "a"), ("639172222222", "b")]:
        sandbox.state.accept("toy", to, text, message_id=text)
    sandbox.state.accept("iprog", "639171111111", "c", message_id="c", sender_id="Shop")
    with httpx.Client(base_url=f"{sandbox.url}/_sandbox", verify=CONTEXT, timeout=LONG) as client:
        yield client


def test_health_names_the_gateways(control: httpx.Client) -> None:
    """Health says which gateways are played."""
    assert control.get("/health").json() == {"status": "ok", "gateways": ["iprog", "toy"]}


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ({}, ["a", "b", "c"]),
        ({"gateway": "toy"}, ["a", "b"]),
        ({"to": "639171111111"}, ["a", "c"]),
        ({"to": "+63 917 111 1111"}, ["a", "c"]),
        ({"to": "00639171111111", "gateway": "iprog"}, ["c"]),
        ({"to": "1"}, []),
    ],
)
def test_inbox_is_filtered(control: httpx.Client, query: dict[str, str], texts: list[str]) -> None:
    """The inbox lists, and DELETE removes, what the filters leave."""
    found = control.get("/inbox", params=query).json()["texts"]
    assert texts == [text["text"] for text in found]
    assert {"removed": len(texts)} == control.delete("/inbox", params=query).json()
    assert 3 - len(texts) == len(control.get("/inbox").json()["texts"])


def test_inbox_tells_all_about_a_text(control: httpx.Client) -> None:
    """A text in the inbox has its recipient, sender, segments, encoding and state."""
    text = control.get("/inbox", params={"gateway": "iprog"}).json()["texts"][0]
    times = {"accepted_at": text.pop("accepted_at"), "due_at": text.pop("due_at")}
    assert times["accepted_at"] == times["due_at"]
    assert text == {
        "gateway": "iprog",
        "to": "639171111111",
        "text": "c",
        "sender_id": "Shop",
        "message_id": "c",
        "state": "pending",
        "segments": 1,
        "encoding": "GSM-7",
    }


def test_inbox_shows_texts_that_utf8_has_no_bytes_for(
    sandbox: Sandbox, control: httpx.Client
) -> None:
    """Half a surrogate pair in a text does not make the inbox unreadable."""
    sandbox.state.accept("toy", "1", "\ud83d", message_id="x")
    body = control.get("/inbox", params={"to": "1"}).text
    assert '"text": "\\ud83d"' in body


def test_faults_come_and_go(sandbox: Sandbox, control: httpx.Client) -> None:
    """A fault added through the control API works, is listed and can be cleared."""
    fault = {"route": "POST /toy/*", "kind": "status", "status": 429, "times": None}
    added = control.post("/faults", json={**fault, "headers": {"Retry-After": "3"}, "body": {}})
    assert added.status_code == 201
    answer = fetch("POST", f"{sandbox.url}/toy/send")
    assert (answer.status_code, answer.headers["retry-after"], answer.json()) == (429, "3", {})
    assert {"faults": [added.json()]} == control.get("/faults").json()
    assert control.delete("/faults").json() == {"removed": 1}
    assert sandbox.faults == []


def test_control_meets_no_fault(sandbox: Sandbox, control: httpx.Client) -> None:
    """A fault for every request does not lock the control API."""
    sandbox.add_fault(Fault("*", "drop_before", times=None))
    assert control.get("/health").status_code == 200


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ([], "the body must be a JSON object"),
        ({}, "the fault has no route"),
        ({"route": "*"}, "the fault has no kind"),
        ({"route": "*", "kind": "status", "often": 1}, "there is no field 'often'; there is route"),
        ({"route": 1, "kind": "status"}, "route is text"),
        ({"route": "*", "kind": ["status"]}, "kind is text"),
        ({"route": "*", "kind": "status", "times": True}, "times is a whole number or null"),
        ({"route": "*", "kind": "status", "times": 1.5}, "times is a whole number or null"),
        ({"route": "*", "kind": "status", "status": "503"}, "status is a whole number"),
        ({"route": "*", "kind": "delay", "delay": "1"}, "delay is a number of seconds"),
        ({"route": "*", "kind": "status", "headers": []}, "headers is an object of texts"),
        ({"route": "*", "kind": "status", "headers": {"A": 1}}, "headers is an object of texts"),
        ({"route": "*", "kind": "status", "body": 1}, "body is text or JSON"),
        ({"route": "*", "kind": "explode"}, "kind 'explode' is none of status"),
        ({"route": "\ud83d", "kind": "status"}, "is no 'METHOD /path'"),
    ],
)
def test_bad_fault_is_explained(control: httpx.Client, body: object, error: str) -> None:
    """A fault that makes no sense gets HTTP 400 and one line that says why."""
    answer = control.post("/faults", content=json.dumps(body))
    assert answer.status_code == 400
    assert error in answer.json()["error"]
    assert "\n" not in answer.json()["error"]
    assert control.get("/faults").json() == {"faults": []}


def test_credit_is_set(sandbox: Sandbox, control: httpx.Client) -> None:
    """PUT sets the credit of the gateways it names, and GET shows that of all."""
    assert control.get("/credit").json() == {"iprog": "999", "toy": "998"}
    assert control.put("/credit", json={"iprog": 0}).json() == {"iprog": "0", "toy": "998"}
    assert (control.put("/credit", json={"iprog": "2.5", "toy": 7}).json()) == {
        "iprog": "2.5",
        "toy": "7",
    }
    assert sandbox.state.credit_of("toy") == 7


ENDLESS = f"0.{'1' * 1_000_000}"


@pytest.mark.parametrize(
    "amount",
    [
        -1,
        True,
        None,
        "many",
        "NaN",
        "Infinity",
        10**13,
        [1],
        {},
        pytest.param(ENDLESS, id="endless"),
    ],
)
def test_bad_credit_changes_nothing(control: httpx.Client, amount: Any) -> None:
    """One amount that makes no sense refuses the whole request."""
    answer = control.put("/credit", json={"iprog": 1, "toy": amount})
    assert answer.status_code == 400
    assert answer.json()["error"] == (
        "the credit of toy is a number without separators, 0 to 1,000,000,000,000"
    )
    assert control.get("/credit").json() == {"iprog": "999", "toy": "998"}


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/inbox?gateway=nexmo", 400, "there is no gateway 'nexmo'; there is iprog, toy"),
        ("DELETE", "/inbox?from=1", 400, "there is no filter 'from'; there is gateway, to"),
        ("PUT", "/credit", 400, "the body must be a JSON object"),
        ("GET", "/nothing", 404, "there is no GET /_sandbox/nothing"),
        ("GET", "/health/", 404, "there is no GET /_sandbox/health/"),
        ("PATCH", "/health", 405, "there is no PATCH /_sandbox/health"),
    ],
)
def test_mistakes_are_explained(
    control: httpx.Client, method: str, path: str, status: int, error: str
) -> None:
    """What can't be understood is answered with one line of JSON."""
    answer = control.request(method, path)
    assert (status, {"error": error}) == (answer.status_code, answer.json())


def test_unknown_gateway_gets_no_credit(control: httpx.Client) -> None:
    """Credit for a gateway that is not played is refused."""
    answer = control.put("/credit", json={"nexmo": 1})
    assert answer.json()["error"] == "there is no gateway 'nexmo'; there is iprog, toy"


def test_reset_starts_over(sandbox: Sandbox, control: httpx.Client) -> None:
    """Reset forgets texts, faults, spent credit and what a gateway's routes remember."""
    sandbox.add_fault(Fault("GET /nowhere", "status"))
    fetch("POST", f"{sandbox.url}/toy/words/one")
    assert control.post("/reset").json() == {"status": "ok"}
    assert fetch("POST", f"{sandbox.url}/toy/words/two").json() == ["two"]
    assert (sandbox.inbox, sandbox.faults) == ([], [])
    assert control.get("/credit").json() == {"iprog": "1000", "toy": "1000"}
