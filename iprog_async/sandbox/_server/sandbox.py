"""The sandbox as users hold it: started by `with`, asked for addresses and for its inbox."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from iprog_async._core.errors import ConfigurationError
from iprog_async.sandbox._server.installed import by_prefix, check_extra, installed_gateways
from iprog_async.sandbox._server.listening import is_remote, listen, url_of
from iprog_async.sandbox._simulation.faults import Fault, FaultRegistry
from iprog_async.sandbox._simulation.gateway import SandboxGateway
from iprog_async.sandbox._simulation.inbox import InboxText
from iprog_async.sandbox._simulation.state import SandboxState


if TYPE_CHECKING:
    from iprog_async.sandbox._server.server_thread import ServerThread


class Sandbox:
    """A local server that plays the gateways of all installed providers.

    `async with Sandbox() as sandbox:` and `with Sandbox() as sandbox:` start it and stop it.
    It runs in a thread of its own, so it works with any event loop, or none.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes one that is free.
        credit: Credit of each gateway's account at the start, in segments.
        delivered_after: Seconds from a text's departure to its final status.
        allow_remote: Whether the host may be one that other machines can reach.
        gateways: Further gateways to play, by name of the provider.
        push: Address of your app that gateways push incoming texts to, such as
            `http://127.0.0.1:8000/sms/SECRET`; `push_to` changes it.

    Raises:
        ConfigurationError: The extra `sandbox` is not installed, a provider can't be loaded,
            two gateways want the same prefix, or (when it starts) it can't listen there.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        credit: Decimal | int = 1000,
        delivered_after: float = 1.0,
        allow_remote: bool = False,
        gateways: Mapping[str, SandboxGateway] | None = None,
        push: str | None = None,
    ) -> None:
        check_extra()
        # What needs the extra is imported late, so that vendors' code is importable without.
        from iprog_async.sandbox._server.app import SandboxApp
        from iprog_async.sandbox._server.browser_guard import Guard
        from iprog_async.sandbox._simulation.pushing import Pushing

        self._host = host
        self._port = port
        self._allow_remote = allow_remote
        self._gateways = {**installed_gateways(), **(gateways or {})}
        self._prefixes = by_prefix(self._gateways)
        self._state = SandboxState(Decimal(credit), delivered_after)
        self._faults = FaultRegistry(self._state.revision)
        self._pushing = Pushing(self._state, list(self._gateways.values()), push)
        self._app = SandboxApp(
            self._state,
            self._faults,
            list(self._gateways.values()),
            Guard(host, allow_remote),
            self._pushing,
        )
        self._thread: ServerThread | None = None
        self._url: str | None = None
        self._remote = False

    @property
    def url(self) -> str:
        """Address of the server, without a slash at the end."""
        if self._url is None:
            raise ConfigurationError("the sandbox is not running; use `with Sandbox() as sandbox:`")
        return self._url

    @property
    def page(self) -> str:
        """Address of the inbox page, for a browser."""
        return f"{self.url}/"

    @property
    def is_remote(self) -> bool:
        """Whether other machines can reach it; known once it runs."""
        return self._remote

    @property
    def providers(self) -> tuple[str, ...]:
        """Names of the providers that it plays, for `address`."""
        return tuple(self._gateways)

    @property
    def filtering(self) -> tuple[str, ...]:
        """Names of those of the providers whose gateways have a content filter."""
        return tuple(name for name, each in self._gateways.items() if each.has_content_filter)

    @property
    def state(self) -> SandboxState:
        """What the gateways share: texts and credit."""
        return self._state

    @property
    def inbox(self) -> list[InboxText]:
        """The texts that gateways accepted, oldest first."""
        return self._state.texts()

    @property
    def faults(self) -> list[Fault]:
        """The faults that are still to come, with the number of times that are left."""
        return self._faults.list()

    def base_url(self, prefix: str) -> str:
        """Return the address of one gateway, as `base_url=` of its provider.

        Args:
            prefix: Where it is mounted, such as `"iprog"`.

        Raises:
            ConfigurationError: There is no such gateway, or the sandbox is not running.
        """
        self._check_prefix(prefix)
        return f"{self.url}/{prefix}"

    def address(self, provider: str) -> str:
        """Return the address of a provider that talks to this sandbox.

        Args:
            provider: Name of an installed provider, one of `providers`.

        Returns:
            What `provider_from_url` and `SMS_URL` take, with the sandbox's own credentials.

        Raises:
            ConfigurationError: It is not played here, or the sandbox is not running.
        """
        gateway = self._gateways.get(provider)
        if gateway is None:
            raise ConfigurationError(
                f"the sandbox does not play {provider!r}; it plays {', '.join(self.providers)}"
            )
        return gateway.address.format(base_url=quote(self.base_url(gateway.prefix), safe=""))

    def push_to(self, url: str | None) -> None:
        """Push incoming texts to another address of your app from now on; nowhere if `None`.

        Raises:
            ConfigurationError: It is no address.
        """
        self._pushing.set_url(url)

    def reply(self, text: InboxText, words: str) -> int | None:
        """Answer a text as the phone that it went to, and wait for the app's answer.

        The gateway keeps it, for its list, and pushes it as the real one does: once. It may take
        its time: in a coroutine, `await asyncio.to_thread(sandbox.reply, text, "STOP")`.

        Args:
            text: A text of `inbox`.
            words: What the phone sends.

        Returns:
            The HTTP status that the app answered with; `None` if it gave no answer, or there is
            no address to push to.

        Raises:
            ConfigurationError: The gateway has no incoming texts, or `words` is empty.
        """
        return self._pushing.reply(text.gateway, text.to, text.sender_id, words).status

    def set_credit(self, prefix: str, amount: Decimal | int) -> None:
        """Set what is left on the account of one gateway, in segments.

        Raises:
            ConfigurationError: There is no such gateway.
        """
        self._check_prefix(prefix)
        self._state.set_credit(prefix, amount)

    def add_fault(self, fault: Fault) -> None:
        """Let something go wrong; of several faults that match a request the first one wins."""
        self._faults.add(fault)

    def clear_faults(self) -> None:
        """Forget the faults that are still to come."""
        self._faults.clear()

    def clear(self) -> None:
        """Make everything as it was at the start: texts, faults, credit, whatever was created."""
        self._app.reset()

    def __enter__(self) -> Self:
        thread = self._start()
        try:
            thread.ready.result()
        except BaseException:
            self._end().stop()
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end().stop()

    async def __aenter__(self) -> Self:
        thread = self._start()
        try:
            # A cancelled wait must not cancel the future that the thread reports to.
            await asyncio.shield(asyncio.wrap_future(thread.ready))
        except BaseException:
            self._end().stop()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        thread = self._end()
        thread.begin_stop()
        try:
            await asyncio.shield(asyncio.wrap_future(thread.done))
        finally:
            thread.stop()

    def _start(self) -> ServerThread:
        from iprog_async.sandbox._server.server_thread import ServerThread

        if self._thread is not None:
            raise ConfigurationError("the sandbox is running already")
        listener: socket.socket = listen(self._host, self._port, allow_remote=self._allow_remote)
        self._url = url_of(listener)
        self._remote = is_remote(listener)
        self._app.listens(remote=self._remote)
        self._thread = ServerThread(self._app, listener)
        return self._thread

    def _end(self) -> ServerThread:
        thread = self._thread
        if thread is None:
            raise ConfigurationError("the sandbox is not running")
        self._thread = self._url = None
        return thread

    def _check_prefix(self, prefix: str) -> None:
        if prefix not in self._prefixes:
            raise ConfigurationError(
                f"the sandbox has no gateway {prefix!r}; it has {', '.join(self._prefixes)}"
            )
