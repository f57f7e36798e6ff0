"""A client as one process has it: on its loop, with its own connections, journal and rate."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextvars import Context
from typing import Generic, TypeVar

from attrs import define

from iprog_async._client.client import SmsClient
from iprog_async._core.errors import ConfigurationError
from iprog_async._core.tracebacks import discreet
from iprog_async._journal.journal import Journal
from iprog_async._providers.protocols import SmsProvider
from iprog_async.sync._calls import call, check_thread
from iprog_async.sync._loop_thread import LoopThread


P = TypeVar("P", bound=SmsProvider)


@define(eq=False)
class OpenClient(Generic[P]):
    """A client that is open on a loop.

    Args:
        thread: Where the loop is.
        client: The client there.
        journal: A journal that was opened for it, and is closed with it.
    """

    thread: LoopThread
    client: SmsClient[P]
    journal: Journal | None

    def close(self) -> None:
        """Wait for the texts with a key that are under way, and close it; twice is fine.

        Raises:
            WrongLoopError: An event loop runs in this thread.
        """
        if not self.thread.is_current:
            # The parent of this process has it, and its connections.
            return
        if self.thread.is_here:
            # A generator that had it was collected by the loop's thread, which can't wait.
            self.thread.start(self._close(), Context())
            return
        check_thread()
        try:
            call(self.thread, self.client.aclose())
        finally:
            if self.journal is not None:
                self.journal.close()
            self.thread.clients.discard(self)

    def close_soon(self) -> None:
        """Close it without waiting: nobody has it any more."""
        self.thread.post(lambda: self.thread.start(self._close(), Context()))

    async def _close(self) -> None:
        try:
            await self.client.aclose()
        finally:
            try:
                if self.journal is not None:
                    await asyncio.to_thread(self.journal.close)
            finally:
                self.thread.clients.discard(self)


class JournalSource:
    """The journal of a client, in whichever process asks for it.

    Args:
        given: An open journal, or the path or address of one that each process opens when it first
            needs it.
    """

    def __init__(self, given: Journal | str | os.PathLike[str] | None) -> None:
        if given is not None and not isinstance(given, (Journal, str, os.PathLike)):
            raise ConfigurationError(
                'journal= is the path of a journal, or an open one: Journal.open("texts.db")'
            )
        self._given = given

    @discreet
    def open(self) -> tuple[Journal | None, bool]:
        """Return the journal, and whether it was opened for this call.

        Raises:
            JournalError: It can't be opened; nothing was sent.
        """
        given = self._given
        if given is None:
            return None, False
        if not isinstance(given, Journal):
            return Journal.open(given), True
        journal = given.in_this_process()
        return journal, journal is not given


def open_client(
    thread: LoopThread, make: Callable[[Journal | None], SmsClient[P]], source: JournalSource
) -> OpenClient[P]:
    """Open a client on a loop.

    Raises:
        JournalError: Its journal can't be opened; nothing was sent.
    """
    journal, own = source.open()
    opened = OpenClient(thread, make(journal), journal if own else None)
    thread.clients.add(opened)
    return opened
