from __future__ import annotations

import asyncio
import logging
import re
from pathlib import Path

import httpx
import pytest
from support.shop import PHONE, open_shop, order

from iprog_async.sandbox import Fault, Sandbox
from iprog_async.testing import InstantClock


def fault(kind: str, status: int = 503, **headers: str) -> Fault:
    """Return a fault of the next text; a time is given as `Retry_After`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    match kind:
        case "wrong credentials":
            words = '{"status": 500, "message": "Invalid Token"}'
            return Fault("POST /iprog/*", "status", status=200, body=words)
        case "status":
            return Fault("POST /iprog/*", "status", status=status, headers=named)
        case _:
            return Fault("POST /iprog/*", "drop_after")


async def test_an_order_that_is_repeated_is_one_text(sandbox: Sandbox, tmp_path: Path) -> None:
    """Ten requests at once, and one after a restart, get one answer, and the phone one text."""
    async with open_shop(tmp_path) as client:
        requests = [client.post("/orders", json=order()) for _ in range(10)]
        answers = await asyncio.gather(*requests)
    async with open_shop(tmp_path) as client:
        answers.append(await client.post("/orders", json=order()))

    assert {201} == {answer.status_code for answer in answers}
    assert 1 == len({answer.json()["ref"] for answer in answers})
    assert ["Thank you! A lamp (order 42) leaves today."] == [text.text for text in sandbox.inbox]


async def test_the_way_of_a_text_can_be_asked_for(sandbox: Sandbox, tmp_path: Path) -> None:
    """The reference of an order's text leads to its status."""
    async with open_shop(tmp_path) as client:
        ref = (await client.post("/orders", json=order())).json()["ref"]
        answer = await client.get(f"/texts/{ref}")

    assert {"state": "delivered", "final": True} == answer.json()
    assert 1 == len(sandbox.inbox)


async def test_a_reminder_is_scheduled_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """A text for later is with the gateway, for the time that was asked for, and only once."""
    reminder = {"phone": PHONE, "at": "2040-01-01T09:00:00+08:00"}
    async with open_shop(tmp_path) as client:
        first = await client.put("/orders/42/reminder", json=reminder)
        again = await client.put("/orders/42/reminder", json=reminder)
        status = await client.get(f"/texts/{first.json()['ref']}")

    assert first.json() == again.json()
    assert first.json()["scheduled"]
    assert "pending" == status.json()["state"]
    assert ["2040-01-01T01:00:00+00:00"] == [text.due_at.isoformat() for text in sandbox.inbox]


REFUSED: list[tuple[str, Fault | None, dict[str, str], int, str | None]] = [
    ("a wrong number", None, {"phone": "12"}, 422, None),
    ("a blocked word", None, {"item": "casino"}, 422, None),
    ("a rate limit", fault("status", 429, Retry_After="40"), {}, 429, "40"),
    ("wrong credentials", fault("wrong credentials"), {}, 503, "30"),
]


@pytest.mark.parametrize(
    ("trouble", "changes", "status", "retry_after"),
    [row[1:] for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
async def test_a_refusal_says_that_nothing_was_sent(  # noqa: PLR0913, RUF100
    sandbox: Sandbox,
    tmp_path: Path,
    trouble: Fault | None,
    changes: dict[str, str],
    status: int,
    retry_after: str | None,
) -> None:
    """Each refusal has its status; the answer names neither the gateway nor its words."""
    if trouble is not None:
        sandbox.add_fault(trouble)
    async with open_shop(tmp_path) as client:
        answer = await client.post("/orders", json=order(**changes))

    assert status == answer.status_code
    assert "not sent" == answer.json()["text"]
    assert retry_after == answer.headers.get("retry-after")
    assert "application/problem+json" == answer.headers["content-type"]
    assert not re.search(r"iprog|token|html|inappropriate", answer.text, re.IGNORECASE)
    assert [] == sandbox.inbox


async def test_an_empty_account_is_our_trouble_until_it_is_filled(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Callers hear "later", the log says why, and the same order goes out afterwards."""
    sandbox.set_credit("iprog", 0)
    async with open_shop(tmp_path) as client:
        refused = await client.post("/orders", json=order())
        sandbox.set_credit("iprog", 10)
        sent = await client.post("/orders", json=order())

    assert (503, 201) == (refused.status_code, sent.status_code)
    assert "credit" not in refused.text
    (record,) = [record for record in caplog.records if record.name == "shop.problems"]
    assert (logging.ERROR, True) == (record.levelno, "credit" in record.getMessage())


async def test_a_gateway_that_is_down_is_our_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sms_clock: InstantClock
) -> None:
    """A connection that can't be made is a 503: nothing was sent."""
    monkeypatch.setenv("SMS_URL", "iprog://token@?base_url=http%3A%2F%2F127.0.0.1%3A9")
    async with open_shop(tmp_path) as client:
        answer = await client.post("/orders", json=order())

    assert (503, "not sent") == (answer.status_code, answer.json()["text"])


async def test_a_lost_answer_is_unknown_and_nobody_is_texted_again(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The caller is told that the text may be out; a repetition is told the same."""
    sandbox.add_fault(fault("drop_after"))
    async with open_shop(tmp_path) as client:
        first = await client.post("/orders", json=order())
        again = await client.post("/orders", json=order())

    assert (202, "unknown") == (first.status_code, first.json()["text"])
    assert first.json() == again.json()
    assert 1 == len(sandbox.inbox)


@pytest.mark.parametrize(
    ("path", "trouble", "status"),
    [
        ("/texts/iprog:nobodys", None, 404),
        ("/texts/nonsense", None, 422),
        ("/texts/iprog:1", Fault("GET /iprog/*", "status", times=None), 504),
    ],
)
async def test_questions_about_texts_have_errors_too(  # noqa: PLR0913, RUF100
    sandbox: Sandbox,
    tmp_path: Path,
    sms_clock: InstantClock,
    path: str,
    trouble: Fault | None,
    status: int,
) -> None:
    """What can't be told is told in the shop's words."""
    if trouble is not None:
        sandbox.add_fault(trouble)
    async with open_shop(tmp_path) as client:
        answer = await client.get(path)

    assert (status, "not sent") == (answer.status_code, answer.json()["text"])


async def test_a_gateway_without_ids_leaves_a_text_without_reference(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UGSMS tells no status and has no later: texts, and the shop's codes, go out all the same."""
    monkeypatch.setenv("SMS_URL", sandbox.address("ugsms-v1"))
    ugandan = order(phone="0701 234567")
    async with open_shop(tmp_path) as client:
        sent = await client.post("/orders", json=ugandan)
        code = await client.post("/login/code", json={"phone": "0701 234567"})
        status = await client.get("/texts/ugsms-v1:1")

    assert (201, 202, 501) == (sent.status_code, code.status_code, status.status_code)
    assert 2 == len(sandbox.inbox)


async def _code(client: httpx.AsyncClient, sandbox: Sandbox) -> str:
    answer = await client.post("/login/code", json={"phone": PHONE})
    assert 202 == answer.status_code
    code = sandbox.inbox[-1].text.rpartition(" ")[2]
    assert code.isdecimal()
    assert code not in answer.text
    return code


async def test_the_right_code_logs_in_once(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong code is refused, the right one taken, a used one refused; none is logged."""
    caplog.set_level(logging.DEBUG)
    async with open_shop(tmp_path) as client:
        code = await _code(client, sandbox)
        wrong = "9" + code[1:] if code[0] != "9" else "8" + code[1:]
        tried = [
            await client.post("/login", json={"phone": PHONE, "code": typed})
            for typed in (wrong, code, code)
        ]

    assert [401, 204, 401] == [answer.status_code for answer in tried]
    assert caplog.text
    assert code not in caplog.text
    assert wrong not in caplog.text


@pytest.mark.parametrize(
    ("kind", "status", "state"),
    [("drop_after", 202, "unknown"), ("wrong credentials", 503, "not sent")],
)
async def test_a_code_that_is_not_sent_is_told_apart_from_one_that_may_be(
    sandbox: Sandbox, tmp_path: Path, kind: str, status: int, state: str
) -> None:
    """A lost answer may be a code on its way; a refusal is none."""
    sandbox.add_fault(fault(kind))
    async with open_shop(tmp_path) as client:
        answer = await client.post("/login/code", json={"phone": PHONE})

    assert (status, state) == (answer.status_code, answer.json()["text"])
