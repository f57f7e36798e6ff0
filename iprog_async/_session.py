"""The one seam to the network: bounds in time, queue, retries, rates, redaction, error table.

| what happened | `ONCE` | `READ`, `IDEMPOTENT` |
|---|---|---|
| the request did not leave | again, then `ConnectionFailedError` | the same |
| the gateway asks to slow down | wait as told, again | the same |
| a certain refusal | `ProviderError` | the same |
| anything else | `OutcomeUnknownError`, never again | again, then `NoAnswerError` |
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, TypeVar

from attrs import define, frozen

from iprog_async._cancellation import note_in_flight
from iprog_async._engine import Failure, Progress
from iprog_async._errors import (
    ConnectionFailedError,
    NoAnswerError,
    NotFoundError,
    OutcomeUnknownError,
    ProviderError,
    RateLimitError,
    SmsError,
)
from iprog_async._http import Answer, Effect, HttpCall, UnclearAnswer, WireReply, decode, encode
from iprog_async._pool import HttpPool
from iprog_async._retry import RetryPolicy, is_repeatable, try_again
from iprog_async._secrets import Redactor, active_redactor, one_line


T = TypeVar("T")

logger = logging.getLogger("iprog_async")

# A gateway that says "retry after 0 seconds" forever must not be asked in a busy loop.
_SHORTEST_PAUSE = 1.0
_CONNECT_TIMEOUT = 10.0


@frozen(kw_only=True)
class Limits:
    """How long a call may take.

    Args:
        timeout: Seconds for one attempt, from the moment it has a connection slot.
        deadline: Seconds for the whole call with every wait and retry, or `None`.
    """

    timeout: float = 30.0
    deadline: float | None = None


@define
class _Budget:
    """What one call has left, and what its earlier attempts did."""

    ends_at: float
    paused: float = 0.0
    may_have_happened: bool = False


class Session:
    """Makes calls over a pool; its `call` is what adapters are bound to."""

    def __init__(self, pool: HttpPool, retry: RetryPolicy, limits: Limits) -> None:
        self._pool = pool
        self._retry = retry
        self._limits = limits

    async def call(self, call: HttpCall[T], /) -> T:
        """Make one call; see the table above for what it raises."""
        deadline = self._limits.deadline
        budget = _Budget(
            float("inf") if deadline is None else self._pool.clock.monotonic() + deadline
        )
        try:
            return await self._attempt(call, budget)
        except SmsError as exc:
            if not is_repeatable(exc) or self._retry.attempts == 1:
                raise
            first = exc

        def attempt() -> Any:
            return self._attempt(call, budget)

        clock = self._pool.clock
        return await try_again(
            self._retry, first, attempt, clock, lambda: budget.ends_at - clock.monotonic()
        )

    async def _attempt(self, call: HttpCall[T], budget: _Budget) -> T:
        """Make one attempt; pauses that the gateway asks for are part of it."""
        while True:
            try:
                return await self._once(call, budget)
            except RateLimitError as exc:
                self._obey(exc, call, budget)
            except NotFoundError:
                if call.on_gone is None or not budget.may_have_happened:
                    raise
                return call.on_gone()
            except NoAnswerError:
                budget.may_have_happened = True
                raise

    def _obey(self, error: RateLimitError, call: HttpCall[Any], budget: _Budget) -> None:
        """Pause all calls of the account as told; raise the error if that takes too long."""
        pause = error.retry_after
        pause = self._retry.default_pause if pause is None else max(pause, _SHORTEST_PAUSE)
        budget.paused += pause
        time_left = budget.ends_at - self._pool.clock.monotonic()
        if budget.paused > self._retry.max_pause or pause >= time_left:
            raise error
        self._pool.pace(call.gateway).pause(pause)

    async def _once(self, call: HttpCall[T], budget: _Budget) -> T:
        redactor = call.redactor()
        started = self._pool.clock.monotonic()
        slot = await self._queue(call, budget)
        pace = self._pool.pace(call.gateway)
        answered = False
        try:
            result = await self._exchange(call, budget, slot, redactor)
            answered = isinstance(result, WireReply) and result.status != 429
        finally:
            self._pool.slots.release(slot)
            pace.finish(ok=answered)
        if logger.isEnabledFor(logging.DEBUG):
            _log_attempt(call, result, self._pool.clock.monotonic() - started, redactor)
        if isinstance(result, Failure):
            raise _failed(call, redactor.text(result.reason), left=result.may_have_left)
        if result.headers.get("x-ratelimit-remaining") == "0":
            pace.pause_until_window_moves()
        return _value(call, decode(result, redactor, quotable=not call.confidential))

    async def _queue(self, call: HttpCall[Any], budget: _Budget) -> int:
        """Wait for the rate and then for a connection slot, for as long as the deadline allows."""
        self._pool.enter()
        pace = self._pool.pace(call.gateway)
        if budget.ends_at == float("inf"):
            return await _admit(self._pool, pace)
        time_left = budget.ends_at - self._pool.clock.monotonic()
        try:
            if time_left > pace.remaining_pause():
                async with asyncio.timeout(time_left):
                    return await _admit(self._pool, pace)
        except TimeoutError:
            pass
        raise ConnectionFailedError(
            f"{call.gateway.name}: could not {call.what}: the deadline passed in the queue. "
            "Nothing was sent; raise max_connections or the deadline, or send less at once"
        )

    async def _exchange(
        self, call: HttpCall[Any], budget: _Budget, slot: int, redactor: Redactor
    ) -> WireReply | Failure:
        limits = self._limits
        limit = min(limits.timeout, budget.ends_at - self._pool.clock.monotonic())
        progress = Progress()
        token = active_redactor.set(redactor)
        try:
            async with asyncio.timeout(limit):
                return await self._pool.engine.exchange(
                    encode(call), progress, slot, min(_CONNECT_TIMEOUT, limits.timeout)
                )
        except TimeoutError:
            return Failure(f"no answer within {limit:g} s", progress.may_have_left)
        except asyncio.CancelledError as exc:
            if call.effect is Effect.ONCE and progress.may_have_left:
                note_in_flight(
                    exc, f"{call.gateway.name}: cancelled, unknown whether it could {call.what}"
                )
            raise
        except Exception as exc:
            # Event hooks of a user's client may raise anything, at any moment.
            return Failure(f"{type(exc).__name__} in the HTTP client", progress.may_have_left)
        finally:
            active_redactor.reset(token)


async def _admit(pool: HttpPool, pace: Any) -> int:
    while True:
        await pace.admit()
        try:
            slot = await pool.slots.acquire()
        except asyncio.CancelledError:
            pace.withdraw()
            raise
        if not pace.remaining_pause():
            return slot
        # The gateway asked for a pause while this call stood in the queue.
        pool.slots.release(slot)
        pace.withdraw()


def _log_attempt(
    call: HttpCall[Any], result: WireReply | Failure, seconds: float, redactor: Redactor
) -> None:
    seen = f"HTTP {result.status}" if isinstance(result, WireReply) else result.reason
    words = f"{call.gateway.name}: {call.method} {call.path}: {seen}"
    logger.debug("%s, %.3f s", redactor.text(words), seconds)


def _value(call: HttpCall[T], answer: Answer) -> T:
    try:
        return call.read(answer)
    except ProviderError:
        raise
    except UnclearAnswer as exc:
        reason, references = exc.reason, exc.references
    except Exception as exc:
        # An answer that breaks the reading proves nothing; it must not break the caller.
        reason, references = f"an answer that can't be read ({type(exc).__name__})", ()
    raise _lost(call, reason, references)


def _failed(call: HttpCall[Any], reason: str, *, left: bool) -> SmsError:
    if left:
        return _lost(call, reason)
    return ConnectionFailedError(
        f"{call.gateway.name}: could not {call.what}: {one_line(reason)}. "
        "The request did not leave; check the network and the base_url"
    )


def _lost(call: HttpCall[Any], reason: str, references: tuple[str, ...] = ()) -> SmsError:
    reason = one_line(call.redactor().text(reason))
    name = call.gateway.name
    if call.effect is not Effect.ONCE:
        return NoAnswerError(f"{name}: could not {call.what}: {reason}. Ask again later")
    return OutcomeUnknownError(
        f"{name}: it is unknown whether it could {call.what}: {reason}. "
        "It may have happened: check at the gateway before you repeat it",
        provider=name,
        reason=reason,
        references=references,
    )
