from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

import httpx
import pytest
from support.core.fakes import (
    NUMBER,
    TOKEN,
    FakeProvider,
    Wire,
    accept,
    iprog_ok,
    lose,
    refusing,
    to_many,
)

from iprog_async import SmsClient, SmsError
from iprog_async.testing import RawGateway, Reply
from iprog_async_providers.iprog import IprogProvider


KEYS = ["provider", "ref", "state", "status", "segments", "duration", "to", "error"]


@pytest.mark.parametrize(
    ("send", "state", "error", "ref"),
    [
        (accept, "accepted", None, "fake:id-0"),
        (refusing(), "not_sent", "RejectedError", None),
        (lose, "unknown", "OutcomeUnknownError", None),
    ],
)
async def test_one_record_tells_of_each_outcome(
    caplog: pytest.LogCaptureFixture, send: Any, state: str, error: str | None, ref: str | None
) -> None:
    """One INFO record with stable keys and a masked number, whatever the outcome."""
    caplog.set_level(logging.INFO, "iprog_async")
    async with SmsClient(FakeProvider(send=send)) as client:
        with suppress(SmsError):
            await client.send(NUMBER, "Hi")

    (record,) = caplog.records
    fields = {key: getattr(record, key) for key in KEYS}
    assert fields.pop("duration") >= 0
    assert fields == {
        "provider": "fake",
        "ref": ref,
        "state": state,
        "status": "pending" if state == "accepted" else None,
        "segments": 1,
        "to": "+639171****67",
        "error": error,
    }
    status = fields["status"]
    words = f"fake {state} to=+639171****67 ref={ref} status={status} segments=1 error={error}"
    assert words in caplog.text
    assert "4567" not in caplog.text


async def test_bulk_run_logs_each_outcome(caplog: pytest.LogCaptureFixture) -> None:
    """A run of thirty texts makes thirty records."""
    caplog.set_level(logging.INFO, "iprog_async")
    async with SmsClient(FakeProvider()) as client, client.send_many(to_many(30)) as run:
        await run.drain()

    assert 30 == len(caplog.records)


async def test_nothing_is_logged_below_the_level(caplog: pytest.LogCaptureFixture) -> None:
    """Who asks for warnings pays for no records."""
    caplog.set_level(logging.WARNING, "iprog_async")
    async with SmsClient(FakeProvider()) as client:
        await client.send(NUMBER, "Hi")

    assert [] == caplog.records


@pytest.mark.parametrize(
    "reply",
    [
        iprog_ok,
        httpx.Response(500, text=f"no {TOKEN}"),
        httpx.ReadError(f"lost {TOKEN}"),
        httpx.Response(401, json={"status": "error", "message": f"bad token {TOKEN}"}),
    ],
)
async def test_debug_records_hold_no_secret(caplog: pytest.LogCaptureFixture, reply: Any) -> None:
    """At DEBUG each attempt is told with its path, without token, text or number."""
    caplog.set_level(logging.DEBUG)
    wire = Wire(reply)
    shown = ""
    async with wire.client() as client:
        try:
            await client.send(NUMBER, "T3XT")
        except SmsError as exc:
            shown = f"{exc!r} {exc} {vars(exc)}"

    assert TOKEN not in shown

    assert "iprog: POST /api/v1/sms_messages" in caplog.text
    assert not any(secret in caplog.text for secret in (TOKEN, "T3XT", "639171234567"))


async def test_token_in_a_query_shows_in_no_record(caplog: pytest.LogCaptureFixture) -> None:
    """The library httpx logs whole addresses and httpcore headers; the token is masked in both."""
    caplog.set_level(logging.DEBUG)
    body = Reply.of_json({"status": 200, "message_id": "1"}, headers={"X-Echo": TOKEN})
    async with RawGateway(body) as gateway:
        provider = IprogProvider(TOKEN, base_url=gateway.base_url, token_in="query")
        async with (
            SmsClient(provider) as direct,
            httpx.AsyncClient() as http,
            SmsClient(provider, http=http) as own,
        ):
            await direct.send(NUMBER, "Hi")
            await own.send(NUMBER, "Hi")

    assert all("api_token=" in request.target for request in gateway.requests)
    assert "send_request_headers" in caplog.text
    assert not any(part in caplog.text for part in (TOKEN, "1%7Csecret", "secret"))


async def test_bug_of_an_adapter_is_logged_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing is swallowed: who maintains the adapter finds the line."""

    async def crash(batch: object) -> Any:
        raise KeyError("bug")

    async with SmsClient(FakeProvider(send=crash)) as client:
        with pytest.raises(SmsError, match="KeyError"):
            await client.send(NUMBER, "Hi")

    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert 1 == len(errors)
    assert errors[0].exc_info
