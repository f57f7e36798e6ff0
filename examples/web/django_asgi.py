"""A Django site in one file, under ASGI: `uvicorn django_asgi:site --lifespan on --workers 4`."""

import asyncio
import os
import secrets
from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIRequest
from django.http import JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST

from iprog_async import InvalidMessageError, Journal, RejectedError, SmsClient, SmsError


settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY=secrets.token_hex()
)
django = get_asgi_application()


async def site(scope: Any, receive: Any, send: Any) -> None:
    """Serve Django, and keep one client for as long as the server's process runs."""
    if scope["type"] != "lifespan":
        await django(scope, receive, send)
        return
    await receive()  # returns when the process starts
    journal_path = os.environ.get("TEXTS_JOURNAL", "texts.db")
    # Opening checks the whole file, so it is done beside the event loop.
    with await asyncio.to_thread(Journal.open, journal_path) as journal:
        # Nobody waits longer than ten seconds for a page.
        async with SmsClient.from_env(journal=journal, deadline=10) as sms:
            scope["state"]["sms"] = sms
            await send({"type": "lifespan.startup.complete"})
            await receive()  # returns when the process ends
    await send({"type": "lifespan.shutdown.complete"})


@require_POST
async def shipped(request: ASGIRequest, order: str) -> JsonResponse:
    """Tell a customer that the order is on its way, once, however often this is asked for."""
    sms: SmsClient[Any] = request.scope["state"]["sms"]
    phone = request.GET.get("phone", "")
    try:
        receipt = await sms.send(phone, f"Order {order} has shipped.", key=f"shipped-{order}")
    except SmsError as error:
        return explain(error)
    return JsonResponse({"sent": "yes", "ref": receipt.ref})


def explain(error: SmsError) -> JsonResponse:
    """Answer an error; what matters is whether the text may be out."""
    if error.may_have_been_sent:
        return JsonResponse({"sent": "unknown", "detail": "It may be out."}, status=202)
    if isinstance(error, InvalidMessageError | RejectedError):
        return JsonResponse({"sent": "no", "detail": str(error)}, status=422)
    return JsonResponse({"sent": "no", "detail": "Try again later."}, status=503)


urlpatterns = [path("orders/<str:order>/shipped", shipped)]
