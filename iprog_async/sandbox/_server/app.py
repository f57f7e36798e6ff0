"""The sandbox as one ASGI application: faults outside, then the gateways and the control API."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from iprog_async._core.hot_path import put_back
from iprog_async.sandbox._inbox.routes import InboxRoutes, start
from iprog_async.sandbox._server.browser_guard import Guard, confined, protected
from iprog_async.sandbox._server.control import CONTROL, Control, control_app
from iprog_async.sandbox._simulation.bodies import GoneError, TooLargeError, read_body, replay
from iprog_async.sandbox._simulation.error_pages import error_page, page
from iprog_async.sandbox._simulation.exchange import Exchange, current
from iprog_async.sandbox._simulation.fault_injection import play
from iprog_async.sandbox._simulation.faults import FaultRegistry
from iprog_async.sandbox._simulation.gateway import SandboxGateway
from iprog_async.sandbox._simulation.json_api import Json
from iprog_async.sandbox._simulation.pushing import Pushing
from iprog_async.sandbox._simulation.state import SandboxState


logger = logging.getLogger("iprog_async.sandbox")


class SandboxApp:
    """Plays gateways; every body is read in full before a gateway acts on it.

    Args:
        state: What the gateways share.
        faults: What goes wrong on demand.
        gateways: Whom to play; of those that share a prefix the first has the routes.
        guard: Who may use it at all.
        pushing: What takes the texts of phones.
    """

    def __init__(
        self,
        state: SandboxState,
        faults: FaultRegistry,
        gateways: Sequence[SandboxGateway],
        guard: Guard,
        pushing: Pushing,
    ) -> None:
        self._state = state
        self._faults = faults
        self._gateways = tuple({each.prefix: each for each in reversed(gateways)}.values())[::-1]
        self._guard = guard
        self._page = InboxRoutes(state, faults, gateways, pushing)
        self._routes = self._build()

    def listens(self, *, remote: bool) -> None:
        """Note where it is reached from, which the page tells."""
        self._page.remote = remote

    def reset(self) -> None:
        """Forget all that was done: texts, faults, credit spent, and what routes remember."""
        self._faults.clear()
        self._state.reset()
        self._routes = self._build()

    def _build(self) -> ASGIApp:
        prefixes = [gateway.prefix for gateway in self._gateways]
        control = Control(self._state, self._faults, prefixes, self.reset)
        steering = control_app([*control.routes(), *self._page.routes()])
        mounts = [_mount(gateway, self._state) for gateway in self._gateways]
        app = Starlette(
            routes=[Route("/", start, methods=["GET"]), Mount(CONTROL, app=steering), *mounts],
            exception_handlers={HTTPException: error_page, 500: _failed},
        )
        app.router.redirect_slashes = False
        return app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request."""
        path = scope["path"]
        steers = path in ("/", CONTROL) or path.startswith(f"{CONTROL}/")
        refusal = self._guard.refusal(scope, steers=steers)
        if refusal is not None:
            status, words = refusal
            await Json({"error": words}, status)(scope, receive, protected(send))
            return
        try:
            body = await read_body(scope, receive)
        except TooLargeError:
            await page(413)(scope, receive, send)
            return
        except GoneError:
            return
        receive = replay(body, receive)
        # A fault for everything must not lock out who wants to clear it.
        if steers:
            await self._handle(scope, receive, protected(send))
        else:
            await self._play(Exchange.of(scope, body), scope, receive, send)

    async def _play(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._faults.take(exchange.method, exchange.path)
        exchange.fault = None if fault is None else fault.kind
        token, send = current.set(exchange), confined(exchange.watch(send))
        try:
            if fault is None:
                await self._handle(scope, receive, send)
            else:
                await play(fault, self._handle, scope, receive, send)
        finally:
            put_back(current, token)
            self._state.end_exchange(exchange)

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        # What a route raises was logged, and answered if that was still possible.
        with contextlib.suppress(Exception):
            await self._routes(scope, receive, send)


def _failed(request: Request, error: Exception) -> Response:
    # The page is for the client, the traceback for who writes the route.
    path = request.scope["path"]
    logger.warning("%s %s: the route failed", request.method, path, exc_info=error)
    return error_page(request, error)


def _mount(gateway: SandboxGateway, state: SandboxState) -> BaseRoute:
    router = Router(routes=list(gateway.routes(state)), redirect_slashes=False)
    return Mount(f"/{gateway.prefix}", app=router)
