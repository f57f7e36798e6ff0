from __future__ import annotations

import logging
import traceback

import httpx
import pytest
import respx
from support.iprog.wire import OPERATIONS, TOKEN, connect

from iprog_async import SmsError


CODE = "978895"
TICKET = {
    "otp_code": CODE,
    "otp_code_expires_at": "2025-03-09T20:04:45.176+08:00",
    "phone_number": "639171234567",
    "message": f"Your OTP code is {CODE}.",
}
REFUSED = {
    "status": 500,
    "message": [f"No credit for {CODE}, {TOKEN}"],
    "data": {**TICKET, "errors": [CODE], "code": int(CODE)},
}
UNCLEAR = {"status": "odd", "message": f"Sent {CODE}?", "data": TICKET, "api_token": TOKEN}
LOST = {"status": "success", "data": {**TICKET, "otp_code": [CODE]}}


def everything(error: BaseException) -> str:
    """Return all that a person may see of an error."""
    trace = "".join(traceback.format_exception(error))
    return f"{error!r} {error} {vars(error)!r} {trace}"


@pytest.mark.parametrize("token_in", ["json", "query"])
@pytest.mark.parametrize("operation", ["otp.send", "otp.verify", "otp.list", "otp.list by POST"])
@pytest.mark.parametrize("answer", [REFUSED, UNCLEAR, LOST, [CODE, TOKEN], CODE])
async def test_no_code_or_token_is_in_an_error_or_log(
    respx_mock: respx.MockRouter,
    caplog: pytest.LogCaptureFixture,
    operation: str,
    token_in: str,
    answer: object,
) -> None:
    """Whatever the gateway answers about codes, no error, value or log shows one."""
    caplog.set_level(logging.DEBUG)
    respx_mock.route().respond(json=answer)

    async with connect(token_in=token_in) as sms:
        try:
            shown = repr(await OPERATIONS[operation](sms))
        except SmsError as error:
            shown = everything(error)

    for secret in (CODE, TOKEN):
        assert secret not in shown
        assert secret not in caplog.text


async def test_the_code_a_person_typed_is_not_shown(
    respx_mock: respx.MockRouter, caplog: pytest.LogCaptureFixture
) -> None:
    """A gateway that repeats the typed code has it masked in the check's words."""
    caplog.set_level(logging.DEBUG)
    respx_mock.route().respond(json={"status": "error", "message": "359557 is wrong"})

    async with connect() as sms:
        check = await OPERATIONS["otp.verify"](sms)

    assert check.message == "*** is wrong"
    assert "359557" not in caplog.text


async def test_a_ticket_shows_its_code_only_when_asked(respx_mock: respx.MockRouter) -> None:
    """The code is in the ticket, and not in its repr."""
    respx_mock.route().respond(json={"status": "success", "data": TICKET})

    async with connect() as sms:
        ticket = await OPERATIONS["otp.send"](sms)

    assert ticket.code == CODE
    assert CODE not in repr(ticket)


@pytest.mark.parametrize("token_in", ["json", "query"])
@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name != "send_many"])
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"status": 500, "message": f"{TOKEN} refused"}),
        httpx.Response(200, json={"status": 500, "message": [TOKEN]}),
        httpx.Response(404, text=f"no {TOKEN} here"),
        httpx.Response(200, text=f"<html>{TOKEN}"),
        OSError(f"lost {TOKEN}"),
    ],
    ids=["unknown", "refused", "not found", "html", "lost"],
)
async def test_the_token_is_in_no_error_or_log(
    respx_mock: respx.MockRouter,
    caplog: pytest.LogCaptureFixture,
    operation: str,
    token_in: str,
    answer: httpx.Response | OSError,
) -> None:
    """A gateway, proxy or library that repeats the token has it masked everywhere."""
    caplog.set_level(logging.DEBUG)
    respx_mock.route().mock(side_effect=[answer])

    async with connect(token_in=token_in) as sms:
        try:
            shown = repr(await OPERATIONS[operation](sms))
        except SmsError as error:
            shown = everything(error)

    assert TOKEN not in shown
    assert TOKEN not in caplog.text
