"""Running an ASGI application in a thread of its own, on a loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from concurrent.futures import Future
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from iprog_async.sandbox._inbox.routes import STOPPING
from iprog_async.sandbox._simulation.fault_injection import TRANSPORT


# Seconds that requests in flight have to end when the server stops.
_GRACE = 0.1


class _Protocol(H11Protocol):
    """Lets the application get at the transport, so that it can hang up."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Switching it off in uvicorn's Config would switch it off for every other server too.
        self.access_log = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base has it
        super().connection_made(transport)
        # Else the body of an answer waits 40 ms for the client to acknowledge its head; asyncio
        # sees to it only for sockets made with TCP's number, which the accepted ones are not.
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, TRANSPORT: transport}


class _Server(uvicorn.Server):
    """Says when it is ready, stops without polling, and waits for no one for long."""

    def __init__(self, app: ASGIApp, ready: Future[None]) -> None:
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            # As long as web servers in front of gateways keep an idle connection.
            timeout_keep_alive=75,
            timeout_graceful_shutdown=2,
        )
        super().__init__(config)
        self._ready = ready
        self._stopping = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # What streams without end watches it, and ends in time.
        self.lifespan.state[STOPPING] = self._stopping
        await super().startup(sockets)
        self._ready.set_result(None)

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                # Once a second it brings the Date header up to date.
                async with asyncio.timeout(1):
                    await self._stopping.wait()

    def stop(self) -> None:
        """Begin to stop; called on the server's loop."""
        self.should_exit = True
        self._stopping.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().call_later(_GRACE, self._hang_up)
        await super().shutdown(sockets)

    def _hang_up(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class ServerThread:
    """A server from its start to its end.

    Args:
        app: The application.
        listener: A listening socket, which is closed in the end.
    """

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        self.ready: Future[None] = Future()
        """Done when connections are served; holds the error if that did not work."""
        self.done: Future[None] = Future()
        """Done when nothing is left but the thread itself."""
        self._app = app
        self._listener = listener
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: _Server | None = None
        self._stop_wanted = False
        # A sandbox that nobody stopped must not keep the interpreter from ending.
        self._thread = threading.Thread(target=self._run, name="iprog-async-sandbox", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as exc:
            self._fail(exc)
        finally:
            self._listener.close()
            self.done.set_result(None)

    def _fail(self, error: BaseException) -> None:
        if self.ready.done():
            raise error
        self.ready.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = _Server(self._app, self.ready)
        if self._stop_wanted:
            self._server.stop()
        await self._server.serve([self._listener])

    def begin_stop(self) -> None:
        """Ask the server to stop; `done` says when it has."""
        # Set first: a server that does not exist yet sees it as soon as it does.
        self._stop_wanted = True
        if self._loop is not None and self._server is not None:
            # The loop may have ended by itself already.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._server.stop)

    def stop(self) -> None:
        """Stop the server and wait for its thread."""
        self.begin_stop()
        self._thread.join()
