"""What a client sees of each fault, and what the inbox holds afterwards."""

import asyncio
import time

import httpx
import pytest
from support.sandbox_toy import CONTEXT, fetch
from support.waiting import LONG

from iprog_async import (
    Accepted,
    HttpPool,
    Message,
    OutcomeUnknownError,
    SmsClient,
    provider_from_url,
)
from iprog_async.sandbox import Fault, Sandbox
from iprog_async.testing import InstantClock
from iprog_async.testing._loop_time import jumping_time


SEND = "POST /toy/send"
TEXT = {"to": "639171234567", "text": "hi"}


def post(sandbox: Sandbox) -> httpx.Response:
    """Send a text through the toy gateway."""
    return fetch("POST", f"{sandbox.url}/toy/send", json=TEXT)


@pytest.mark.parametrize(
    ("fault", "status", "accepted"),
    [
        (Fault(SEND, "status"), 503, 0),
        (Fault(SEND, "status", status=204), 204, 0),
        (Fault(SEND, "status_after", status=502), 502, 1),
        (Fault(SEND, "status", status=599), 599, 0),
        (Fault(SEND, "garbage"), 200, 1),
        (Fault(SEND, "delay", delay=0.01), 200, 1),
    ],
)
def test_fault_with_an_answer(sandbox: Sandbox, fault: Fault, status: int, accepted: int) -> None:
    """The client gets the fault's status; the text is in the inbox only if it was accepted."""
    sandbox.add_fault(fault)
    assert status == post(sandbox).status_code
    assert accepted == len(sandbox.inbox)
    assert sandbox.faults == []


@pytest.mark.parametrize(
    ("fault", "error", "accepted"),
    [
        (Fault(SEND, "drop_before"), "disconnected without sending a response", 0),
        (Fault(SEND, "drop_after"), "disconnected without sending a response", 1),
        (Fault(SEND, "truncate"), "without sending complete message body", 1),
    ],
)
def test_fault_that_breaks_the_connection(
    sandbox: Sandbox, fault: Fault, error: str, accepted: int
) -> None:
    """The client sees the connection end; the next request is served on a new one."""
    sandbox.add_fault(fault)
    with httpx.Client(verify=CONTEXT, timeout=LONG) as client:
        with pytest.raises(httpx.RemoteProtocolError, match=error):
            client.post(f"{sandbox.url}/toy/send", json=TEXT)
        assert accepted == len(sandbox.inbox)
        assert client.post(f"{sandbox.url}/toy/send", json=TEXT).status_code == 200
    assert accepted + 1 == len(sandbox.inbox)


@pytest.mark.parametrize(
    ("kind", "accepted"),
    [
        ("status", 0),
        ("status_after", 1),
        ("drop_before", 0),
        ("drop_after", 1),
        ("garbage", 1),
        ("truncate", 1),
    ],
)
async def test_client_can_not_know_the_outcome(sandbox: Sandbox, kind: str, accepted: int) -> None:
    """Each fault leaves a send unknown, and the send is not repeated by itself."""
    sandbox.add_fault(Fault(route="POST /iprog/*", kind=kind))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # parametrised text
    async with SmsClient(provider_from_url(sandbox.address("iprog"))) as sms:
        with pytest.raises(OutcomeUnknownError):
            await sms.send("09171234567", "hi")
    assert accepted == len(sandbox.inbox)


async def test_delay_beyond_the_timeout_leaves_an_accepted_text(sandbox: Sandbox) -> None:
    """A client that gives up waiting finds the text in the inbox at once."""
    sandbox.add_fault(Fault("POST /iprog/*", "delay", delay=60))
    provider = provider_from_url(sandbox.address("iprog"))
    with jumping_time() as jump:
        async with SmsClient(provider, timeout=30) as sms:
            sending = asyncio.create_task(sms.send("09171234567", "hi"))
            while not sandbox.inbox:  # noqa: ASYNC110 - another thread fills it
                await asyncio.sleep(0.005)
            jump(30)
            with pytest.raises(OutcomeUnknownError, match="no answer within"):
                await sending
    assert [text.to for text in sandbox.inbox] == ["639171234567"]


def test_delay_holds_the_real_answer_back(sandbox: Sandbox) -> None:
    """A delayed answer is the real one, and comes no sooner than told."""
    sandbox.add_fault(Fault(SEND, "delay", delay=0.1))
    started = time.perf_counter()
    answer = post(sandbox)
    assert time.perf_counter() - started >= 0.1
    assert sandbox.inbox[0].message_id == answer.json()["id"]


async def test_rate_limit_is_waited_for(sandbox: Sandbox) -> None:
    """A 429 with Retry-After is waited for as long as it says, and then the send succeeds."""
    sandbox.add_fault(Fault("POST *", "status", status=429, headers={"Retry-After": "7"}))
    clock = InstantClock()
    async with (
        HttpPool(clock=clock) as pool,
        SmsClient(provider_from_url(sandbox.address("iprog")), pool=pool) as sms,
    ):
        await sms.send("09171234567", "hi")
    assert round(clock.monotonic()) == 7
    assert len(sandbox.inbox) == 1


@pytest.mark.parametrize(
    ("body", "headers", "content_type"),
    [
        (None, {}, "text/html; charset=utf-8"),
        ('{"message": "Too Many Attempts."}', {}, "application/json"),
        ("[]", {}, "application/json"),
        ("[]", {"Content-Type": "text/plain"}, "text/plain"),
        ("", {}, "text/html; charset=utf-8"),
    ],
)
def test_body_and_headers_of_a_fault(
    sandbox: Sandbox, body: str | None, headers: dict[str, str], content_type: str
) -> None:
    """The body can be given; its type is seen from it unless a header names one."""
    sandbox.add_fault(Fault(SEND, "status", body=body, headers={"X-Cache": "MISS", **headers}))
    answer = post(sandbox)
    assert content_type == answer.headers["content-type"]
    assert answer.headers["x-cache"] == "MISS"
    assert body in (None, answer.text)


def test_garbage_can_be_told(sandbox: Sandbox) -> None:
    """The garbage is an HTML page unless a body is given."""
    sandbox.add_fault(Fault(SEND, "garbage"))
    sandbox.add_fault(Fault(SEND, "garbage", body="%$"))
    assert "<title>Bad Gateway</title>" in post(sandbox).text
    assert post(sandbox).text == "%$"


@pytest.mark.parametrize("kind", ["truncate", "delay"])
def test_streamed_answers_can_meet_faults(sandbox: Sandbox, kind: str) -> None:
    """An answer that is made in pieces is delayed or cut as one with a length is."""
    delay = 0.01 if kind == "delay" else 0.0
    sandbox.add_fault(Fault(route="GET *", kind=kind, delay=delay))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # parametrised text
    url = f"{sandbox.url}/toy/stream"
    if kind == "truncate":
        with pytest.raises(httpx.RemoteProtocolError, match="received 7 bytes, expected 15"):
            fetch("GET", url)
    else:
        assert fetch("GET", url).text == "one, two, three"
    assert fetch("GET", url).text == "one, two, three"


def test_cleared_faults_do_not_come(sandbox: Sandbox) -> None:
    """A fault without end comes until the faults are cleared."""
    sandbox.add_fault(Fault("*", "status", times=None))
    assert [post(sandbox).status_code for _ in range(3)] == [503, 503, 503]
    sandbox.clear_faults()
    assert post(sandbox).status_code == 200


async def test_fault_meets_one_of_many(sandbox: Sandbox) -> None:
    """A fault for one request leaves the others of a run alone."""
    sandbox.add_fault(Fault("POST /iprog/*", "drop_after"))
    messages = [Message(f"0917123456{digit}", f"text {digit}") for digit in range(5)]
    async with (
        SmsClient(provider_from_url(sandbox.address("iprog"))) as sms,
        sms.send_many(messages) as run,
    ):
        outcomes = [outcome async for outcome in run]
    assert sum(isinstance(outcome, Accepted) for outcome in outcomes) == 4
    assert 5 == len(outcomes) == len(sandbox.inbox)
