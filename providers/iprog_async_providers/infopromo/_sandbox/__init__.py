"""Infopromo's part in the local sandbox: one account, reached by both flavours of the API."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route

from iprog_async.sandbox import SandboxGateway, SandboxState
from iprog_async_providers.infopromo._sandbox.campaigns import CampaignDesk
from iprog_async_providers.infopromo._sandbox.contacts import ContactBook
from iprog_async_providers.infopromo._sandbox.inbound import pushed
from iprog_async_providers.infopromo._sandbox.sms import SmsDesk
from iprog_async_providers.infopromo._sandbox.wire import (
    PREFIX,
    QUEUEING_SENDER,
    TOKEN,
    UNAUTHORISED_SENDER,
    ZONE,
    Endpoint,
    endpoint,
)


__all__ = ["HTTP", "QUEUEING_SENDER", "TOKEN", "UNAUTHORISED_SENDER", "V3", "ZONE"]


def _table(state: SandboxState) -> list[tuple[str, str, Endpoint]]:
    """Return method, path and handler of every operation; fixed paths before open ones."""
    sms, book = SmsDesk(state), ContactBook(state)
    campaigns = CampaignDesk(state, book)
    return [
        ("POST", "/sms/send", sms.send),
        ("POST", "/sms/campaign", campaigns.create),
        ("GET", "/campaign/{uid}/view", campaigns.view),
        ("GET", "/sms/queue/{uid}", sms.queue),
        ("GET", "/sms", sms.list),
        ("GET", "/sms/{uid}", sms.view),
        ("GET", "/balance", sms.balance),
        ("GET", "/me", sms.me),
        ("GET", "/contacts", book.groups),
        ("POST", "/contacts", book.create_group),
        ("POST", "/contacts/{group}/show", book.show_group),
        ("PATCH", "/contacts/{group}", book.update_group),
        ("DELETE", "/contacts/{group}", book.delete_group),
        ("POST", "/contacts/{group}/all", book.all),
        ("POST", "/contacts/{group}/store", book.store),
        ("POST", "/contacts/{group}/search/{uid}", book.search),
        ("PATCH", "/contacts/{group}/update/{uid}", book.update),
        ("DELETE", "/contacts/{group}/delete/{uid}", book.delete),
    ]


def _routes(state: SandboxState) -> Sequence[BaseRoute]:
    routes: list[BaseRoute] = []
    for method, path, handler in _table(state):
        # The HTTP API takes a send by any method.
        methods = [method, "GET"] if path == "/sms/send" else [method]
        v3, http = endpoint(handler, bearer=True), endpoint(handler, bearer=False)
        routes.append(Route(f"/api/v3{path}", v3, methods=[method]))
        routes.append(Route(f"/api/http{path}", http, methods=methods))
    return routes


def _gateway(scheme: str) -> SandboxGateway:
    token = TOKEN.replace("|", "%7C")
    settings = f"sender_id=Sandbox&timezone={ZONE.key}"
    address = f"{scheme}://{token}@?{settings}&base_url={{base_url}}"
    return SandboxGateway(PREFIX, _routes, address, has_content_filter=True, push=pushed)


V3 = _gateway("infopromo")
HTTP = _gateway("infopromo-http")
