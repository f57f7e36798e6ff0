"""The inbox page's files and data, as a program sees them."""

import json
import re
import time
from importlib.resources import files
from typing import Any

import httpx
import pytest
from support.sandbox_page import TO, details, events, texts
from support.sandbox_toy import fetch

from iprog_async.sandbox import Fault, Sandbox


FILES = [file.name for file in files("iprog_async.sandbox._inbox").joinpath("page").iterdir()]


@pytest.mark.parametrize("name", sorted(FILES))
def test_files_are_served_under_a_strict_policy(sandbox: Sandbox, name: str) -> None:
    """Each file is there, under a policy that lets nothing else in and nothing inline run."""
    answer = fetch("GET", f"{sandbox.url}/_sandbox/page/{name}")
    policy = answer.headers["content-security-policy"]
    assert 200 == answer.status_code
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert "unsafe" not in policy
    assert "nosniff" == answer.headers["x-content-type-options"]
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", answer.text)
    others = re.findall(r"https?://[^\"'\s)]+", answer.text)
    assert set(others) <= {"http://www.w3.org/2000/svg"}


def test_address_of_the_sandbox_is_the_page(sandbox: Sandbox) -> None:
    """The sandbox's own address shows the page, whatever faults there are."""
    sandbox.add_fault(Fault("*", "drop_before", times=None))
    answer = fetch("GET", sandbox.page)
    assert (200, "text/html; charset=utf-8") == (
        answer.status_code,
        answer.headers["content-type"],
    )
    assert not re.search(r"<script(?![^>]*src=)|<style| style=| on\w+=", answer.text)


@pytest.mark.parametrize(
    "name",
    ["nothing.js", "..%2f_page.py", "_page.py", "inbox", ".", "a" * 5000, "%00", "inbox.html%00"],
)
def test_nothing_else_is_served(sandbox: Sandbox, name: str) -> None:
    """What is no file of the page is not found."""
    assert 404 == fetch("GET", f"{sandbox.url}/_sandbox/page/{name}").status_code


@pytest.mark.parametrize(
    ("fault", "confined"),
    [
        (Fault("*", "status", body="<script>alert(1)</script>"), True),
        (Fault("*", "status", headers=(("content-type", "text/html"),), body='{"a": 1}'), True),
        (Fault("*", "status", headers=(("Content-Type", "image/svg+xml"),), body="<svg/>"), True),
        (
            Fault("*", "status", headers=(("content-security-policy", "default-src *"),), body="<"),
            True,
        ),
        (Fault("*", "garbage"), True),
        (Fault("*", "status", body='{"a": 1}'), False),
        (None, True),
    ],
)
def test_page_that_a_gateway_answers_runs_nothing_in_a_browser(
    sandbox: Sandbox, fault: Fault | None, confined: bool
) -> None:
    """Whatever is no JSON comes with a policy: it has the address of the inbox page."""
    if fault is not None:
        sandbox.add_fault(fault)
    answer = fetch("GET", f"{sandbox.url}/iprog/nothing")
    policy = answer.headers.get("content-security-policy", "")

    assert confined == ("default-src 'none'; sandbox" in policy)
    assert confined == (answer.headers.get("x-content-type-options") == "nosniff")


@pytest.mark.slow
def test_a_full_inbox_is_shown_as_fast_as_a_small_one(sandbox: Sandbox) -> None:
    """A page of the list, or one text, costs the same among a hundred times as many texts."""

    def fill(count: int) -> None:
        for _ in range(count):
            sandbox.state.accept("toy", TO, "Hi", message_id="1")

    def took() -> float:
        best = 1e9
        for query in ({}, {"gateway": "toy", "upto": "100"}, {"offset": "100"}) * 3:
            # Of the processor: what else the machine does costs this process nothing.
            started = time.process_time()
            assert texts(sandbox, limit=5, **query)["texts"]
            best = min(best, time.process_time() - started)
        return best

    sandbox.state.set_credit("toy", 1_000_000)
    fill(500)
    small = took()
    fill(50_000)

    assert took() < 10 * small


def test_list_is_newest_first_and_in_parts(sandbox: Sandbox) -> None:
    """A part of the list has the rows asked for, and tells where others are."""
    for n in range(30):
        sandbox.state.accept("toy", TO, f"text {n}", message_id=f"m{n}")
    serial = texts(sandbox, limit=1, offset=9)["texts"][0]["serial"]
    found = texts(sandbox, offset=5, limit=2, place=f"{serial},999999")
    assert (30, ["text 24", "text 23"]) == (
        found["total"],
        [row["preview"] for row in found["texts"]],
    )
    assert {str(serial): 9, "999999": 0} == found["places"]


def test_list_up_to_a_text_stays_the_same(sandbox: Sandbox) -> None:
    """What came in after the text that a list is asked up to is counted, and moves no row."""
    for n in range(5):
        sandbox.state.accept("toy", TO, f"text {n}", message_id=f"m{n}")
    before = texts(sandbox, offset=1, limit=2)
    for n in range(3):
        sandbox.state.accept("toy", TO, f"late {n}", message_id=f"l{n}")
    serial = before["texts"][0]["serial"]
    after = texts(sandbox, offset=1, limit=2, upto=before["newest"], place=serial)
    assert (before["texts"], 8, 3) == (after["texts"], after["total"], after["newer"])
    assert {str(serial): 1} == after["places"]
    assert before["newest"] + 3 == after["newest"]
    found = texts(sandbox, q="late", upto=before["newest"])
    assert ([], 3, 3) == (found["texts"], found["total"], found["newer"])


def test_text_without_a_sender_is_found(sandbox: Sandbox) -> None:
    """A plug-in that knows of no sender at all keeps nobody from searching."""
    sender: Any = None
    sandbox.state.accept("toy", TO, "parcel", message_id="1", sender_id=sender)
    assert ["parcel"] == [row["preview"] for row in texts(sandbox, q="parcel")["texts"]]
    assert [] == texts(sandbox, q="bill")["texts"]


def test_credit_is_written_in_digits(sandbox: Sandbox) -> None:
    """Credit that was given as a power of ten is shown as a plain number."""
    fetch("PUT", f"{sandbox.url}/_sandbox/credit", json={"toy": "1e5"})
    answer = fetch("GET", f"{sandbox.url}/_sandbox/credit")
    assert "100000" == answer.json()["toy"]
    assert "100000" == events(sandbox, 1)[0]["gateways"][1]["credit"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "PARCEL"}, ["parcel"]),
        ({"q": "0917 123"}, ["parcel"]),
        ({"q": "+63 (918)"}, ["bill"]),
        ({"q": "shop"}, ["bill"]),
        ({"q": "id-2"}, ["bill"]),
        ({"q": "12"}, ["parcel"]),
        ({"gateway": "iprog"}, ["bill"]),
        ({"stage": "scheduled"}, []),
        ({"stage": "failed"}, ["bill"]),
        ({"stage": "delivered", "gateway": "iprog"}, []),
        ({}, ["bill", "parcel"]),
    ],
)
def test_texts_are_found(query: dict[str, str], expected: list[str], sandbox: Sandbox) -> None:
    """Texts are found by words, number in any spelling, sender, id, gateway and status."""
    sandbox.state.delivered_after = 0
    sandbox.state.accept("toy", "+639171234567", "parcel", message_id="id-1")
    sandbox.state.accept("iprog", "639185550000", "bill", message_id="id-2", sender_id="Shop")
    sandbox.state.delivered_after = 1
    assert expected == [row["preview"] for row in texts(sandbox, **query)["texts"]]


QUERIES = [
    "offset=-1",
    "limit=x",
    "stage=lost",
    "gateway=x",
    "a=b",
    "place=x",
    "upto=x",
    f"place={'9' * 5000}",
]


@pytest.mark.parametrize("query", QUERIES)
def test_bad_query_is_explained(sandbox: Sandbox, query: str) -> None:
    """A query that makes no sense gets HTTP 400 and a line that says why."""
    answer = fetch("GET", f"{sandbox.url}/_sandbox/texts?{query}")
    assert (400, ["error"]) == (answer.status_code, list(answer.json()))


def test_text_tells_its_exchange_without_secrets(sandbox: Sandbox) -> None:
    """Request and answer are shown; credentials and codes in them are not."""
    fields = {
        "api_token": "sandbox-iprog-token",
        "phone_number": TO,
        "message": "Code :otp, my token is sandbox-iprog-token",
        "extra": {"Password": "hunter22", "list": [{"secret": 98989898}]},
    }
    headers = {"Authorization": "Basic dXNlcjpwYXNzd29yZA==", "X-Other": "hunter22"}
    url = f"{sandbox.url}/iprog/api/v1/otp/send_otp?access_token=tell-no-one&plain=seen"
    fetch("POST", url, json=fields, headers=headers)
    row = texts(sandbox)["texts"][0]
    shown = details(sandbox, row["serial"])
    code = re.findall(r"Code (\d+)", shown["text"])[0]
    raw = json.dumps(shown["exchange"])
    for secret in ("sandbox-iprog-token", "hunter22", "98989898", "tell-no-one", "dXNlcjpw", code):
        assert secret not in raw
    assert shown["exchange"]["path"].endswith("?access_token=***&plain=seen")
    assert 200 == shown["exchange"]["answer"]["status"]
    assert TO in shown["exchange"]["body"]


def test_form_and_half_an_answer_are_masked(sandbox: Sandbox) -> None:
    """Credentials in a form, and in an answer that breaks off, are masked too."""
    sandbox.add_fault(Fault("*", "truncate"))
    form = {"api_token": "sandbox-iprog-token", "phone_number": TO, "message": "hi"}
    with pytest.raises(httpx.RemoteProtocolError):
        fetch("POST", f"{sandbox.url}/iprog/api/v1/otp/send_otp", data=form)
    serial = texts(sandbox)["texts"][0]["serial"]
    shown = details(sandbox, serial)["exchange"]
    assert "api_token=***&\n" in shown["body"]
    assert "truncate" == shown["fault"]
    assert not re.search(r"otp_code\W+\d", shown["answer"]["body"])


def test_texts_without_an_exchange_or_gone(sandbox: Sandbox) -> None:
    """A text that came without HTTP has no exchange; one that was cleared is not found."""
    text = sandbox.state.accept("toy", TO, "hi", message_id="1")
    assert details(sandbox, text.serial)["exchange"] is None
    sandbox.state.clear()
    answer = fetch("GET", f"{sandbox.url}/_sandbox/texts/{text.serial}")
    assert 404 == answer.status_code


@pytest.mark.parametrize("serial", ["9" * 5000, "-1", "x", "1.0", "%D9%A1"])
def test_odd_serial_is_not_found(sandbox: Sandbox, serial: str) -> None:
    """What is no number of a text is not found, however long it is."""
    answer = fetch("GET", f"{sandbox.url}/_sandbox/texts/{serial}")
    assert (404, ["error"]) == (answer.status_code, list(answer.json()))


def test_earlier_texts_to_the_phone_are_in_its_thread(sandbox: Sandbox) -> None:
    """A text comes with those that its sender sent to its number before it, in full."""
    long = "one " * 100
    for to, words in [(TO, long), ("1", "other"), (TO, "two"), (TO, "three")]:
        last = sandbox.state.accept("toy", to, words, message_id=words)
    shown = details(sandbox, last.serial - 1)
    assert ([long], "two") == ([each["text"] for each in shown["thread"]], shown["text"])


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"switch": "off", "on": True}, "there is no switch 'off'; there is slow, 503"),
        ({"switch": "slow"}, "switch is text, and on is true or false"),
        ({"switch": "slow", "on": True, "gateway": "x"}, "there is no gateway 'x'"),
        ({"switch": "filter", "on": True, "gateway": "toy"}, "there is no switch 'filter'"),
    ],
)
def test_bad_switch_is_explained(sandbox: Sandbox, body: dict[str, Any], error: str) -> None:
    """A switch that is none is refused in one line, and turns nothing."""
    answer = fetch("PUT", f"{sandbox.url}/_sandbox/switches", json=body)
    assert 400 == answer.status_code
    assert error in answer.json()["error"]
    assert [] == sandbox.faults


def test_switches_come_and_go(sandbox: Sandbox) -> None:
    """Of the faults of requests a gateway has one; out of credit gives back what was there."""
    url = f"{sandbox.url}/_sandbox/switches"

    def turn(switch: str, on: bool, gateway: str | None = "toy") -> list[list[str]]:
        body = {"switch": switch, "on": on, "gateway": gateway}
        return [each["on"] for each in fetch("PUT", url, json=body).json()["gateways"]]

    sandbox.set_credit("toy", 5)
    assert [[], ["503"]] == turn("503", True)
    assert [["429"], ["429"]] == turn("429", True, None)
    assert [["429"], ["429", "no-credit"]] == turn("no-credit", True)
    assert 0 == sandbox.state.credit_of("toy")
    assert [["429", "filter"], ["429", "no-credit"]] == turn("filter", True, None)
    answer = fetch("DELETE", url)
    assert [[], []] == [each["on"] for each in answer.json()["gateways"]]
    assert sandbox.faults == []
    assert 5 == sandbox.state.credit_of("toy")
