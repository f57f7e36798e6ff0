"""A FastAPI app that texts: `uvicorn fastapi_app:app --workers 4`."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from iprog_async import InvalidMessageError, Journal, RejectedError, SmsClient, SmsError


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """Open one client when a worker starts, and close it when the worker ends."""
    path = os.environ.get("TEXTS_JOURNAL", "texts.db")
    # Opening checks the whole file, so it is done beside the event loop.
    with await asyncio.to_thread(Journal.open, path) as journal:
        # Nobody waits longer than ten seconds for a page.
        async with SmsClient.from_env(journal=journal, deadline=10) as sms:
            app.state.sms = sms
            yield


def get_sms(request: Request) -> SmsClient[Any]:
    """Return the client of this worker."""
    sms: SmsClient[Any] = request.app.state.sms
    return sms


app = FastAPI(lifespan=lifespan)


@app.post("/orders/{order}/shipped")
async def shipped(
    order: str, phone: str, sms: Annotated[SmsClient[Any], Depends(get_sms)]
) -> dict[str, str | None]:
    """Tell a customer that the order is on its way, once, however often this is asked for."""
    receipt = await sms.send(phone, f"Order {order} has shipped.", key=f"shipped-{order}")
    return {"sent": "yes", "ref": receipt.ref}


@app.exception_handler(SmsError)
async def explain(_: Request, error: SmsError) -> JSONResponse:
    """Answer an error; what matters is whether the text may be out."""
    if error.may_have_been_sent:
        return JSONResponse({"sent": "unknown", "detail": "It may be out."}, 202)
    if isinstance(error, InvalidMessageError | RejectedError):
        return JSONResponse({"sent": "no", "detail": str(error)}, 422)
    return JSONResponse({"sent": "no", "detail": "Try again later."}, 503)
