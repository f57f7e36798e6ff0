from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from iprog_async import SmsClient, SmsError
from iprog_async._http.exchange_log import exchanges_shown
from iprog_async.testing import RawGateway, Reply
from iprog_async_providers import IprogProvider, UgsmsV1Provider


CODE = "482915"
KEY = "ug_live_8Kd93jfLs02kd"
OTP_ANSWER = {
    "status": "success",
    "message": f"OTP {CODE} was sent",
    "data": {"otp_code": CODE, "message": f"Your code is {CODE}.", "confirmed": False},
}


async def _otp(base_url: str) -> None:
    async with SmsClient(IprogProvider("a-secret-token", base_url=base_url)) as sms:
        await sms.provider.otp.send("09171234567")


async def _key(base_url: str) -> None:
    async with SmsClient(UgsmsV1Provider("shop", "a-password", base_url=base_url)) as sms:
        await sms.provider.keys.generate()


@pytest.mark.parametrize(
    ("ask", "answer", "shown"),
    [
        pytest.param(_otp, Reply.of_json(OTP_ANSWER), '"confirmed": false', id="code"),
        pytest.param(
            _key,
            Reply.of_json({"success": True, "data": {"key": KEY, "expires_at": "2027-01-01"}}),
            '"success": true',
            id="key",
        ),
    ],
)
async def test_a_code_or_a_key_is_not_shown(
    ask: Callable[[str], Awaitable[None]], answer: Reply, shown: str
) -> None:
    """Of an answer that may hold one, the names are shown, and no value that could be it."""
    lines: list[str] = []
    async with RawGateway(answer) as gateway:
        with exchanges_shown(lines.append):
            await ask(gateway.base_url)

    said = "\n".join(lines)
    assert (True, True) == (shown in said, "values are not shown" in said)
    assert [] == [each for each in (CODE, KEY, "a-secret-token", "a-password") if each in said]


async def test_a_secret_that_an_answer_has_for_a_name_is_not_shown() -> None:
    """Names are masked as everything else is."""
    lines: list[str] = []
    answer = Reply.of_json({"status": "success", "data": {"a-secret-token": CODE}})
    async with RawGateway(answer) as gateway:
        with exchanges_shown(lines.append), suppress(SmsError):
            await _otp(gateway.base_url)

    assert lines
    assert "a-secret-token" not in "\n".join(lines)


async def test_a_body_that_is_no_json_is_not_shown_either() -> None:
    """A page may quote the code, too."""
    lines: list[str] = []
    async with RawGateway(Reply(500, body=f"<p>{CODE}</p>".encode())) as gateway:
        with exchanges_shown(lines.append), pytest.raises(SmsError):
            await _otp(gateway.base_url)

    assert lines
    assert CODE not in "\n".join(lines)
