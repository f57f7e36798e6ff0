"""What a client asks a gateway, for synchronous code: statuses, and what is left on the account."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast, overload

from iprog_async._client.following.report import FollowUp
from iprog_async._core.checks import Synchronous
from iprog_async._core.receipts import Balance, DeliveryStatus, Receipt
from iprog_async._providers.protocols import (
    SmsProvider,
    SupportsBalance,
    SupportsBalances,
    SupportsStatus,
)
from iprog_async.sync._calls import call
from iprog_async.sync._journal import AnyJournal, plain_journal
from iprog_async.sync._open_client import OpenClient


P_co = TypeVar("P_co", bound=SmsProvider, covariant=True)


class Questions(Synchronous, ABC, Generic[P_co]):
    """The part of a client that sends nothing."""

    @abstractmethod
    def here(self) -> OpenClient[P_co]:
        """Return the client as this process has it."""

    def status(self: Questions[SupportsStatus], receipt: Receipt | str) -> DeliveryStatus:
        """Return how far an accepted text has come.

        Args:
            receipt: The receipt, or its `ref`.

        Raises:
            WrongLoopError: An event loop runs in this thread.
            InvalidMessageError: This is no receipt of the provider's, or one without an id.
            ClientClosedError: The client was closed.
            UnsupportedError: This gateway tells no status.
            NotFoundError: It knows no such text.
            ConnectionFailedError: It can't be reached; ask again.
            NoAnswerError: It gave no trustworthy answer; ask again.
            ProviderError: It refused to tell.
        """
        here = self.here()
        return call(here.thread, here.client.status(receipt))

    def wait(
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
            WrongLoopError: An event loop runs in this thread.
            ConfigurationError: `interval` is not more than zero.
            InvalidMessageError: This is no receipt of the provider's, or one without an id.
            ClientClosedError: The client was closed.
            WaitTimeoutError: It is not final in time; holds the last status.
            UnsupportedError: This gateway tells no status.
            NotFoundError: It knows no such text.
            ConnectionFailedError: It can't be reached, though it was tried several times.
            NoAnswerError: It gave no trustworthy answer, though it was asked several times.
            ProviderError: It refused to tell.
        """
        here = self.here()
        return call(here.thread, here.client.wait(receipt, timeout=timeout, interval=interval))

    def follow(
        self,
        journal: AnyJournal | None = None,
        *,
        timeout: float = 7200.0,
        interval: float = 15.0,
        concurrency: int = 10,
        progress: Callable[[FollowUp], object] | None = None,
    ) -> FollowUp:
        """Bring the accepted texts of a journal to their final delivery status.

        Args:
            journal: As for `iprog_async.SmsClient.follow`, like all that follow.
            timeout: Seconds in all.
            interval: Seconds to wait after the first round.
            concurrency: The most questions for single texts at once.
            progress: Told after each round how far the texts are, in the thread in the background:
                it must not wait, nor use this client.

        Raises:
            WrongLoopError: An event loop runs in this thread.
            ConfigurationError: There is no journal, or a number is not more than zero.
            ClientClosedError: The client was closed.
            JournalError: The journal can't be read or written.
            AuthenticationError: The gateway does not take the credentials.
        """
        here = self.here()
        following = here.client.follow(
            plain_journal(journal),
            timeout=timeout,
            interval=interval,
            concurrency=concurrency,
            progress=progress,
        )
        return call(here.thread, following)

    @overload
    def balance(self: Questions[SupportsBalance]) -> Balance: ...

    @overload
    def balance(self: Questions[SupportsBalances]) -> dict[str, Balance]: ...

    def balance(self: Questions[Any]) -> Balance | dict[str, Balance]:
        """Return what is left on the account; of several gateways, on each account by its name.

        Raises:
            WrongLoopError: An event loop runs in this thread.
            ClientClosedError: The client was closed.
            UnsupportedError: This gateway tells no balance.
            ConnectionFailedError: It can't be reached; ask again.
            NoAnswerError: It gave no trustworthy answer; ask again.
            ProviderError: It refused to tell.
        """
        here = self.here()
        return cast("Balance | dict[str, Balance]", call(here.thread, here.client.balance()))
