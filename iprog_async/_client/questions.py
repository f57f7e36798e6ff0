"""What a client asks a gateway: how far a text has come, and what is left on the account."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from iprog_async._client.following.follow import Following, FollowOptions
from iprog_async._client.following.report import FollowUp
from iprog_async._client.operations import message_id_of, unsupported
from iprog_async._client.waiting import wait_until_final
from iprog_async._core.checks import check_asynchronous, check_seconds, check_type
from iprog_async._core.errors import ConfigurationError
from iprog_async._core.receipts import Balance, DeliveryStatus, Receipt
from iprog_async._core.tracebacks import discreetly
from iprog_async._http.pool import HttpPool
from iprog_async._journal.journal import Journal
from iprog_async._providers.protocols import (
    SmsProvider,
    SupportsBalance,
    SupportsBalances,
    SupportsStatus,
)


P_co = TypeVar("P_co", bound=SmsProvider, covariant=True)


class Questions(ABC, Generic[P_co]):
    """The part of a client that sends nothing."""

    _provider: P_co
    _pool: HttpPool
    _journal: Journal | None

    @abstractmethod
    def _check_open(self) -> None:
        """Raise `ClientClosedError` once the client is closed."""

    async def status(self: Questions[SupportsStatus], receipt: Receipt | str) -> DeliveryStatus:
        """Return how far an accepted text has come.

        Args:
            receipt: The receipt, or its `ref`.

        Raises:
            InvalidMessageError: This is no receipt of the provider's, or one without an id.
            ClientClosedError: The client was closed.
            WrongLoopError: The client belongs to another event loop.
            UnsupportedError: This gateway tells no status.
            NotFoundError: It knows no such text.
            ConnectionFailedError: It can't be reached; ask again.
            NoAnswerError: It gave no trustworthy answer; ask again.
            ProviderError: It refused to tell.
        """
        message_id = message_id_of(self._provider, receipt)
        self._check_open()
        return await discreetly(self._provider.status(message_id))

    async def wait(
        self: Questions[SupportsStatus],
        receipt: Receipt | str,
        *,
        timeout: float = 60.0,
        interval: float = 1.0,
    ) -> DeliveryStatus:
        """Ask for the status, less and less often, until it is final.

        Args:
            receipt: The receipt, or its `ref`.
            timeout: Seconds to wait in all.
            interval: Seconds before the second question; it grows by half each time.

        Raises:
            ConfigurationError: `interval` is not more than zero.
            InvalidMessageError: This is no receipt of the provider's, or one without an id.
            ClientClosedError: The client was closed.
            WrongLoopError: The client belongs to another event loop.
            WaitTimeoutError: It is not final in time; holds the last status.
            UnsupportedError: This gateway tells no status.
            NotFoundError: It knows no such text.
            ConnectionFailedError: It can't be reached, though it was tried several times.
            NoAnswerError: It gave no trustworthy answer, though it was asked several times.
            ProviderError: It refused to tell.
        """
        check_seconds("interval", interval)
        check_type("timeout", timeout, float, int)

        async def ask() -> DeliveryStatus:
            return await self.status(receipt)

        return await wait_until_final(
            receipt, ask, self._pool.clock, timeout=timeout, interval=interval
        )

    async def follow(
        self,
        journal: Journal | str | os.PathLike[str] | None = None,
        *,
        timeout: float = 7200.0,
        interval: float = 15.0,
        concurrency: int = 10,
        progress: Callable[[FollowUp], object] | None = None,
    ) -> FollowUp:
        """Bring the accepted texts of a journal to their final delivery status.

        A gateway that lists its messages is asked for its list, many with each request, and any
        other one for each text; in rounds with longer and longer waits between them, at the
        account's rate. What is found is written to the journal at once, so that a process that was
        killed is followed by one that goes on. Nothing is ever sent, and an error of a request
        says nothing about a text.

        Args:
            journal: An open journal, or its path or address; the client's if `None`.
            timeout: Seconds in all; it ends sooner when all statuses are final, or when the
                gateways know nothing of those that are not.
            interval: Seconds to wait after the first round; twice as long after each one, up to
                a quarter of an hour.
            concurrency: The most questions for single texts at once.
            progress: Told after each round how far the texts are.

        Raises:
            ConfigurationError: There is no journal, or a number is not more than zero.
            ClientClosedError: The client was closed.
            WrongLoopError: The client belongs to another event loop.
            JournalError: The journal can't be read or written.
            AuthenticationError: The gateway does not take the credentials.
        """
        check_seconds("timeout", timeout)
        check_seconds("interval", interval)
        if concurrency < 1:
            raise ConfigurationError("concurrency starts at 1")
        self._check_open()
        options = FollowOptions(
            timeout=timeout, interval=interval, concurrency=concurrency, progress=progress
        )
        given = self._journal if journal is None else journal
        if given is None:
            raise ConfigurationError("follow needs a journal: give its path, or an open one")
        check_asynchronous("journal", given)
        if isinstance(given, Journal):
            return await self._follow(given, options)
        with await Journal.open_aside(given, campaign=None) as opened:
            return await self._follow(opened, options)

    async def _follow(self, journal: Journal, options: FollowOptions) -> FollowUp:
        following = Following(journal, self._provider, self._pool.clock, options)
        return await discreetly(following.run())

    @overload
    async def balance(self: Questions[SupportsBalance]) -> Balance: ...

    @overload
    async def balance(self: Questions[SupportsBalances]) -> dict[str, Balance]: ...

    async def balance(self: Questions[Any]) -> Balance | dict[str, Balance]:
        """Return what is left on the account; of several gateways, on each account by its name.

        Raises:
            ClientClosedError: The client was closed.
            WrongLoopError: The client belongs to another event loop.
            UnsupportedError: This gateway tells no balance.
            ConnectionFailedError: It can't be reached; ask again.
            NoAnswerError: It gave no trustworthy answer; ask again.
            ProviderError: It refused to tell.
        """
        provider = self._provider
        if not isinstance(provider, SupportsBalance):
            raise unsupported(provider, "balance")
        self._check_open()
        return await discreetly(provider.balance())
