"""Acme: a gateway that is described by a file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import respx

from iprog_async import Message, Outcome, SmsClient
from iprog_async_providers import HttpProvider
from support.contract.toml import FILES


ACME = (FILES / "acme.toml").read_text(encoding="utf-8")
HOST = "https://sms.acme.example"
TAKEN = {"state": "queued", "data": {"id": 17, "price": "0.50"}}
NOON = datetime(2030, 1, 1, 12, 0, 30, tzinfo=UTC)


def acme(tmp_path: Path, *changes: tuple[str, str], **settings: Any) -> HttpProvider:
    """Return the provider of Acme's file with some lines changed."""
    text = ACME
    for line, instead in changes:
        assert line in text
        text = text.replace(line, instead, 1)
    path = tmp_path / "acme.toml"
    path.write_text(text, encoding="utf-8")
    environ = {"ACME_SMS_KEY": "k3y-k3y", "ACME_USER": "shop-user"}
    return HttpProvider.from_toml(path, environ=environ, **settings)


async def sent_by(
    provider: HttpProvider, mock: respx.MockRouter, message: Message, answer: httpx.Response
) -> tuple[httpx.Request, Outcome]:
    """Send a text; return the request and what came of it."""
    route = mock.route(host="sms.acme.example").mock(return_value=answer)
    async with SmsClient(provider) as sms:
        (outcome,) = await sms.provider.submit([sms.provider.prepare(message)])
    return route.calls.last.request, outcome
