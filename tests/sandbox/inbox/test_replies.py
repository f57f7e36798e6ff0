"""Answering as a phone: what the page's form sends, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest
from support.sandbox_toy import TOY, fetch

from iprog_async import ConfigurationError
from iprog_async.sandbox import ReceivedText, Sandbox
from iprog_async.sandbox._simulation.pushing import Push


def page_of(sandbox: Sandbox) -> str:
    """Return what the page asks for of the last text."""
    return f"{sandbox.url}/_sandbox/texts/{sandbox.inbox[-1].serial}"


def reply(sandbox: Sandbox, body: Any) -> tuple[int, dict[str, Any]]:
    """Send what the form sends; return status and answer."""
    answer = fetch("POST", f"{page_of(sandbox)}/replies", json=body)
    return answer.status_code, dict(answer.json())


def accept(sandbox: Sandbox, gateway: str = "chatty") -> None:
    """Let a text stand in the inbox."""
    sandbox.state.accept(gateway, "639171234567", "Hi", message_id="m-1", sender_id="Shop")


@pytest.fixture(scope="module")
def chatty(only_iprog: None) -> Any:
    """Run a sandbox with a gateway that has incoming texts."""
    from attrs import evolve

    def push(received: ReceivedText) -> dict[str, object]:
        return {"from": received.sender, "words": received.text}

    gateway = evolve(TOY, prefix="chatty", push=push)
    with Sandbox(gateways={"chatty": gateway}) as running:
        yield running


@pytest.fixture
def talking(chatty: Sandbox) -> Sandbox:
    """Return that sandbox as if it had just been started."""
    chatty.clear()
    chatty.push_to(None)
    return chatty


def test_answer_is_kept(talking: Sandbox) -> None:
    """Without an app to push to, the gateway keeps the text, and the page shows it."""
    accept(talking)
    assert (201, {"pushed_to": None, "status": None}) == reply(talking, {"text": "STOP"})
    (received,) = talking.state.received("chatty")
    assert ("639171234567", "Shop", "STOP") == (received.sender, received.to, received.text)
    details = fetch("GET", page_of(talking)).json()
    assert ([("STOP", None)], True) == (
        [(each["text"], each["status"]) for each in details["replies"]],
        details["can_reply"],
    )
    talking.state.clear()
    assert [] == talking.state.received("chatty")


def test_app_that_is_away_is_told(talking: Sandbox) -> None:
    """An app that gives no answer leaves the text at the gateway, and the page says so."""
    accept(talking)
    talking.push_to("http://127.0.0.1:9/sms/a-secret-of-the-path")
    status, told = reply(talking, {"text": "STOP"})
    assert (201, {"pushed_to": "http://127.0.0.1:9/…", "status": None}) == (status, told)
    assert "a-secret" not in fetch("GET", f"{talking.url}/_sandbox/switches").text


def test_app_that_fails_is_told(talking: Sandbox) -> None:
    """The app's answer is shown with the text, and nothing is posted a second time."""
    accept(talking)
    # The sandbox itself stands in for an app that has nothing there.
    talking.push_to(f"{talking.url}/nothing/here")
    assert 201 == reply(talking, {"text": "Hi"})[0]
    assert [404] == [received.status for received in talking.state.received("chatty")]


@pytest.mark.parametrize(
    "body",
    [{"text": " "}, {"text": 1}, {"text": "x" * 1601}, {}, {"text": "Hi", "from": "x"}, []],
)
def test_wrong_answers_are_told(talking: Sandbox, body: Any) -> None:
    """What is no text is an error, and is not kept."""
    accept(talking)
    assert 400 == reply(talking, body)[0]
    assert [] == talking.state.received("chatty")


@pytest.mark.parametrize("serial", ["1000000", "x", "-1"])
def test_text_has_to_be_there(talking: Sandbox, serial: str) -> None:
    """Nobody answers a text that is not there."""
    url = f"{talking.url}/_sandbox/texts/{serial}/replies"
    assert 404 == fetch("POST", url, json={"text": "Hi"}).status_code


def test_gateway_without_incoming_texts(sandbox: Sandbox) -> None:
    """A gateway that has none is said to have none, to the page and to programs."""
    accept(sandbox, "iprog")
    status, told = reply(sandbox, {"text": "STOP"})
    assert (400, True) == (status, "iprog has no incoming texts" in told["error"])
    assert fetch("GET", page_of(sandbox)).json()["can_reply"] is False
    with pytest.raises(ConfigurationError, match="no incoming texts"):
        sandbox.reply(sandbox.inbox[0], "STOP")


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://host/x", "http://", "http://a/\n"])
def test_address_to_push_to(url: str) -> None:
    """What is no address of a server is an error that shows how one is written."""
    with pytest.raises(ConfigurationError, match="written like"):
        Push(url)


def test_secrets_of_the_address_are_not_shown() -> None:
    """Neither user nor path of the address is seen on the page."""
    assert "http://host:1/…" == Push("http://me:pw@host:1/sms/secret?x=1").shown
