"""A Django site in one file, under WSGI: `gunicorn django_wsgi:site --workers 2 --threads 8`."""

import os
import secrets
from functools import cache
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST

from iprog_async import InvalidMessageError, RejectedError, SmsError
from iprog_async.sync import SmsClient


settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY=secrets.token_hex()
)
site = get_wsgi_application()


@cache
def get_sms() -> SmsClient[Any]:
    """Return the one client of this process; it is made when the first text is sent."""
    journal = os.environ.get("TEXTS_JOURNAL", "texts.db")
    # Nobody waits longer than ten seconds for a page.
    return SmsClient.from_env(journal=journal, deadline=10)


@require_POST
def shipped(request: HttpRequest, order: str) -> JsonResponse:
    """Tell a customer that the order is on its way, once, however often this is asked for."""
    sms, phone = get_sms(), request.GET.get("phone", "")
    try:
        receipt = sms.send(phone, f"Order {order} has shipped.", key=f"shipped-{order}")
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
