"""What a client asks a gateway: how far a text has come, and what is left on the account."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, overload

from iprog_async._client.operations import message_id_of, unsupported
from iprog_async._client.waiting import wait_until_final
from iprog_async._core.checks import check_seconds, check_type
from iprog_async._core.receipts import Balance, DeliveryStatus, Receipt
from iprog_async._core.tracebacks import discreetly
from iprog_async._http.pool import HttpPool
from iprog_async._providers.protocols import (
    SmsProvider,
    SupportsBalance,
    SupportsBalances,
    SupportsStatus,
)


P_co = TypeVar("P_co", bound=SmsProvider, covariant=True)


class Questions(Generic[P_co]):
    """The part of a client that sends nothing."""

    _provider: P_co
    _pool: HttpPool

    def _check_open(self) -> None:
        raise NotImplementedError

    async def status(self: Questions[SupportsStatus], receipt: Receipt | str) -> DeliveryStatus:
        """Return how far an accepted text has come.

        Args:
            receipt: The receipt, or its `ref`.

        Raises:
            UnsupportedError: This gateway tells no status.
            NotFoundError: It knows no such text.
            NoAnswerError: It gave no trustworthy answer; ask again.
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
            InvalidMessageError: This is no receipt of the provider's.
            WaitTimeoutError: It is not final in time; holds the last status.
            UnsupportedError: This gateway tells no status.
            NotFoundError: It knows no such text.
            NoAnswerError: It gave no trustworthy answer, though it was asked several times.
        """
        check_seconds("interval", interval)
        check_type("timeout", timeout, float, int)

        async def ask() -> DeliveryStatus:
            return await self.status(receipt)

        return await wait_until_final(
            receipt, ask, self._pool.clock, timeout=timeout, interval=interval
        )

    @overload
    async def balance(self: Questions[SupportsBalance]) -> Balance: ...

    @overload
    async def balance(self: Questions[SupportsBalances]) -> dict[str, Balance]: ...

    async def balance(self: Questions[Any]) -> Balance | dict[str, Balance]:
        """Return what is left on the account; of several gateways, on each account by its name.

        Raises:
            UnsupportedError: This gateway tells no balance.
            NoAnswerError: It gave no trustworthy answer; ask again.
        """
        provider = self._provider
        if not isinstance(provider, SupportsBalance):
            raise unsupported(provider, "balance")
        self._check_open()
        return await discreetly(provider.balance())
