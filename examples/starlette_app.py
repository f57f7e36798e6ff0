"""One page of Starlette that texts: `uvicorn --app-dir examples starlette_app:app`.

The body is JSON such as `{"to": "0917 123 4567", "text": "Your parcel has shipped."}`; the
header `Idempotency-Key` makes a repeated request harmless.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from json import JSONDecodeError
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from iprog_async import InvalidMessageError, Journal, OutcomeUnknownError, SmsClient, SmsError


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncGenerator[None]:
    """Keep one client, and the journal that remembers the keys."""
    with Journal.open(os.environ.get("TEXTS_DB", "texts.db")) as journal:
        async with SmsClient.from_env(journal=journal, deadline=10) as sms:
            app.state.sms = sms
            yield


async def send(request: Request) -> JSONResponse:
    """Send a text once, however often the same `Idempotency-Key` comes."""
    sms: SmsClient[Any] = request.app.state.sms
    try:
        asked = await request.json()
        to, text = str(asked["to"]), str(asked["text"])
    except (JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as exc:
        raise HTTPException(422, 'The body is JSON such as {"to": "…", "text": "…"}.') from exc
    receipt = await sms.send(to, text, key=request.headers.get("idempotency-key"))
    return JSONResponse(receipt.to_dict(), 201)


async def explain(_: Request, error: Exception) -> JSONResponse:
    """Answer an error of the SDK; what matters is whether the text may be out."""
    match error:
        case InvalidMessageError():
            return JSONResponse({"sent": "no", "detail": str(error)}, 422)
        case OutcomeUnknownError():
            return JSONResponse({"sent": "unknown", "detail": "Do not send it again."}, 202)
        case _:
            return JSONResponse({"sent": "no", "detail": "Try again later."}, 503)


app = Starlette(
    routes=[Route("/texts", send, methods=["POST"])],
    exception_handlers={SmsError: explain},
    lifespan=lifespan,
)
