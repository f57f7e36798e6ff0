"""The sandbox as one ASGI application: faults outside, then the gateways and the control API."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from iprog_async.sandbox._bodies import GoneError, TooLargeError, read_body, replay
from iprog_async.sandbox._control import CONTROL, Control
from iprog_async.sandbox._faults import FaultBook
from iprog_async.sandbox._gateway import SandboxGateway
from iprog_async.sandbox._mischief import play
from iprog_async.sandbox._pages import error_page, page
from iprog_async.sandbox._state import SandboxState


logger = logging.getLogger("iprog_async.sandbox")


class SandboxApp:
    """Plays gateways; every body is read in full before a gateway acts on it.

    Args:
        state: What the gateways share.
        faults: What goes wrong on demand.
        gateways: Whom to play, one for each prefix.
    """

    def __init__(
        self, state: SandboxState, faults: FaultBook, gateways: Sequence[SandboxGateway]
    ) -> None:
        self._state = state
        self._faults = faults
        self._gateways = tuple(gateways)
        self._routes = self._build()

    def reset(self) -> None:
        """Forget all that was done: texts, faults, credit spent, and what routes remember."""
        self._faults.clear()
        self._state.reset()
        self._routes = self._build()

    def _build(self) -> ASGIApp:
        prefixes = [gateway.prefix for gateway in self._gateways]
        control = Control(self._state, self._faults, prefixes, self.reset)
        mounts = [_mount(gateway, self._state) for gateway in self._gateways]
        app = Starlette(
            routes=[Mount(CONTROL, app=control.app()), *mounts],
            exception_handlers={HTTPException: error_page, 500: _failed},
        )
        app.router.redirect_slashes = False
        return app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request."""
        try:
            body = await read_body(scope, receive)
        except TooLargeError:
            await page(413)(scope, receive, send)
            return
        except GoneError:
            return
        receive = replay(body, receive)
        method, path = scope["method"], scope["path"]
        # A fault for everything must not lock out who wants to clear it.
        is_control = path == CONTROL or path.startswith(f"{CONTROL}/")
        fault = None if is_control else self._faults.take(method, path)
        if fault is None:
            await self._handle(scope, receive, send)
        else:
            await play(fault, self._handle, scope, receive, send)

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
