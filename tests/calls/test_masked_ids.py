"""An id of a text comes back as the gateway says it; what is shown of the answer has masks."""

from __future__ import annotations

import httpx
import pytest
import respx

from iprog_async import Message, Outcome, SmsClient
from iprog_async.adapter import MASK, is_object
from iprog_async_providers import EgoSmsProvider


HOST = "https://ego.example"


async def sent(respx_mock: respx.MockRouter, password: str, code: object) -> Outcome:
    """Send a text with a password; the gateway answers with a code, or what stands for one."""
    answer = {"Status": "OK", "Cost": 35, "MsgFollowUpUniqueCode": code}
    return await answered(respx_mock, password, httpx.Response(200, json=answer))


async def answered(respx_mock: respx.MockRouter, password: str, answer: httpx.Response) -> Outcome:
    """Send a text with a password; return what an answer makes of it."""
    respx_mock.route(host="ego.example").mock(return_value=answer)
    async with SmsClient(EgoSmsProvider("shop", password, base_url=HOST)) as sms:
        (outcome,) = await sms.provider.submit([sms.provider.prepare(Message("0701234567", "Hi"))])
    return outcome


@pytest.mark.parametrize(
    ("password", "code", "expected", "shown"),
    [
        ("2024", "MSG20240611001", "MSG20240611001", "MSG20240611001"),
        ("2024", 20240611, "20240611", 20240611),
        ("2024", "MSG-2024-0611", "MSG-2024-0611", f"MSG-{MASK}-0611"),
        ("acme", " acme-77 ", "acme-77", f" {MASK}-77 "),
        ("a-long-password", "1-a-long-password", f"1-{MASK}", f"1-{MASK}"),
        ("a!b?", "1-a!b?-2", f"1-{MASK}-2", f"1-{MASK}-2"),
    ],
)
async def test_an_id_is_what_the_gateway_says(
    respx_mock: respx.MockRouter, password: str, code: object, expected: str, shown: object
) -> None:
    """A weak password is also a part of ids; a strong one is shown in none."""
    outcome = await sent(respx_mock, password, code)

    assert outcome.state == "accepted"
    assert expected == outcome.receipt.message_id
    raw = outcome.receipt.raw
    assert is_object(raw)
    assert shown == raw["MsgFollowUpUniqueCode"]


@pytest.mark.parametrize("code", ["2024", 2024])
async def test_a_password_is_no_id(respx_mock: respx.MockRouter, code: object) -> None:
    """An id that would be the password and nothing else leaves the text unknown."""
    outcome = await sent(respx_mock, "2024", code)

    assert outcome.state == "unknown"
    assert "2024" not in str(outcome.error)


@pytest.mark.parametrize("password", ["queued", "another"])
async def test_a_mask_hides_no_sign_of_acceptance(
    respx_mock: respx.MockRouter, password: str
) -> None:
    """A password that is a word of state makes no refusal of an answer that has the word."""
    answer = httpx.Response(429, json={"status": "queued"})

    assert "unknown" == (await answered(respx_mock, password, answer)).state
