"""The limits that a process shares with others, by account; credentials never leave it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable

from iprog_async._limits.account import Reply, Report, exchange
from iprog_async._limits.breaker import BreakerReply, BreakerReport, settle_breaker
from iprog_async._limits.store import LimitStore


# A password can be short: whoever reads the store must not find it by trying some million ones.
_ROUNDS = 20_000
_NAME_BYTES = 16

Account = tuple[str, tuple[str, ...]]
"""Host and credentials."""


class SharedLimits:
    """What a process tells of its accounts, and is told; belongs to one event loop.

    Args:
        store: Where all processes keep it.
    """

    def __init__(self, store: LimitStore) -> None:
        self._store = store
        self.owner = secrets.token_hex(6)
        """Names this process, among those that share the store."""

    def of_account(self, account: Account) -> Callable[[Report], Awaitable[Reply]]:
        """Return what reports on an account's calls, and gets permits for more.

        It raises `LimitStoreError` where the store can't be used.
        """
        name = _Name(self._store, account, "calls")

        async def report_calls(report: Report) -> Reply:
            return await self._store.change(
                await name.get(), lambda state, now: exchange(state, now, report)
            )

        return report_calls

    def of_breaker(self, account: Account) -> Callable[[BreakerReport], Awaitable[BreakerReply]]:
        """Return what reports on an account's gateway, and tells whether it may be asked.

        It raises `LimitStoreError` where the store can't be used.
        """
        name = _Name(self._store, account, "circuit breaker")

        async def report_breaker(report: BreakerReport) -> BreakerReply:
            return await self._store.change(
                await name.get(), lambda state, now: settle_breaker(state, now, report)
            )

        return report_breaker

    async def aclose(self) -> None:
        """Let go of the store."""
        await self._store.aclose()


class _Name:
    """What a state of an account is called: a salted hash, which is slow to guess from."""

    def __init__(self, store: LimitStore, account: Account, what: str) -> None:
        self._store = store
        self._account = account
        self._what = what
        self._name = b""

    async def get(self) -> bytes:
        if not self._name:
            salt = await self._store.salt()
            host, credentials = self._account
            words = "\0".join((self._what, host, *credentials)).encode(errors="surrogatepass")
            self._name = hashlib.pbkdf2_hmac("sha256", words, salt, _ROUNDS, _NAME_BYTES)
        return self._name
