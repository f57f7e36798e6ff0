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
import math
from collections.abc import Coroutine
from typing import Any, TypeVar

from attrs import define, frozen

from iprog_async._core.callbacks.failures import is_for_this_task
from iprog_async._core.errors import (
    ClientClosedError,
    ConnectionFailedError,
    NoAnswerError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    SmsError,
)
from iprog_async._core.hot_path import put_back
from iprog_async._core.observers import NULL_OBSERVERS, Observers
from iprog_async._core.redaction import Redactor, active_redactor
from iprog_async._core.tracebacks import discreetly, drop_frames
from iprog_async._engines.base import Failure, RequestProgress, WireReply, WireRequest
from iprog_async._http.calls import Effect, HttpCall
from iprog_async._http.exchange_log import log_exchange
from iprog_async._http.expiry import Expiry
from iprog_async._http.pool import HttpPool
from iprog_async._http.responses import (
    attempt_ended,
    encode_call,
    log_attempt,
    paused,
    read_result,
)
from iprog_async._http.retry import SHORTEST_PAUSE, RetryPolicy, is_repeatable, try_again
from iprog_async._http.send_context import (
    Claim,
    OutsideSend,
    Permit,
    active_send,
    is_withdrawn,
    note_in_flight,
    was_in_flight,
    withdrawable,
)
from iprog_async._http.throttle import SHARED_LONGER_BY, Throttle
from iprog_async._http.timeouts import Timeouts


T = TypeVar("T")

logger = logging.getLogger("iprog_async")

_CONNECT_TIMEOUT = 10.0
# Looking a member of an enum up takes longer than a constant, and each send asks several times.
_ONCE = Effect.ONCE


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
    turn_by: float
    claim: Claim | None = None
    permit: Permit | None = None
    expiry: Expiry | None = None
    paused: float = 0.0
    asked: bool = False
    attempts: int = 0
    claimed: bool = False
    leaves_by: float = math.inf
    may_have_happened: bool = False

    @property
    def nearer_end(self) -> Expiry | None:
        """The end of the text's time, if it comes before the deadline."""
        return self.expiry if self.turn_by < self.ends_at else None

    def release(self) -> None:
        """Take the claim back of a request that certainly did not leave."""
        if self.claimed and self.claim is not None:
            self.claimed = False
            self.claim.release()


class Session:
    """Makes calls over a pool; its `call` is what adapters are bound to."""

    def __init__(
        self,
        pool: HttpPool,
        retry: RetryPolicy,
        limits: Limits,
        observers: Observers = NULL_OBSERVERS,
    ) -> None:
        self._pool = pool
        self._observers = observers
        self._retry = retry
        self._limits = limits
        self._timeouts = Timeouts(limits.timeout)
        self._connect_timeout = min(_CONNECT_TIMEOUT, limits.timeout)
        self._is_observed = bool(observers)
        self._closed = False

    def close(self) -> None:
        """Refuse every further call; the pool may be shared and stays open."""
        self._closed = True

    async def call(self, call: HttpCall[T], /) -> T:
        """Make one call; see the table above for what it raises."""
        budget = self._budget(call)
        try:
            return await self._attempt(call, budget)
        except BaseException as exc:
            # Mostly there is none, and what hides frames has to be made only here.
            error = exc
        try:
            return await discreetly(self._go_on(call, budget, error))
        finally:
            # This frame is in the traceback, too.
            del call, budget, error

    async def _go_on(self, call: HttpCall[T], budget: _Budget, first: BaseException) -> T:
        """Try again after a failed first attempt, or raise what it met."""
        given_up = self._retry.attempts == 1 or call.made_once
        if given_up or not (isinstance(first, SmsError) and is_repeatable(first)):
            raise first

        def attempt() -> Any:
            return self._attempt(call, budget)

        clock = self._pool.clock

        def pause(seconds: float) -> Coroutine[Any, Any, None]:
            if budget.expiry is not None:
                name = call.gateway.name
                budget.expiry.check_wait(seconds, f"{name} could not be reached in time")
            return clock.sleep(seconds)

        def time_left() -> float:
            return budget.ends_at - clock.monotonic()

        return await try_again(self._retry, first, attempt, pause, time_left)

    def _budget(self, call: HttpCall[Any]) -> _Budget:
        deadline, clock = self._limits.deadline, self._pool.clock
        ends_at = math.inf if deadline is None else clock.monotonic() + deadline
        if call.effect is not _ONCE:
            return _Budget(ends_at, ends_at)
        send = active_send.get()
        if send.leave_by is None:
            return _Budget(ends_at, ends_at, send.claim, send.permit)
        expiry = Expiry(send.leave_by, clock)
        turn_by = min(ends_at, clock.monotonic() + expiry.seconds_left)
        return _Budget(ends_at, turn_by, send.claim, send.permit, expiry)

    async def _attempt(self, call: HttpCall[T], budget: _Budget) -> T:
        """Make one attempt; pauses that the gateway asks for are part of it."""
        while True:
            budget.asked = False
            try:
                return await self._once(call, budget)
            except RateLimitError as exc:
                budget.release()
                self._apply_retry_after(exc, call, budget)
                if call.made_once:
                    raise
            except ConnectionFailedError:
                budget.release()
                # A router is told what its member suffers from, and looks at the time itself.
                expiry = None if call.made_once else budget.nearer_end
                if expiry is not None:
                    expiry.check(f"{call.gateway.name} could not be reached in time")
                raise
            except asyncio.CancelledError as exc:
                if not was_in_flight(exc):
                    budget.release()
                raise
            except OutcomeUnknownError:
                if budget.claim is not None:
                    # A later call of the same send must not take back what may be on its way.
                    budget.claim.hold()
                raise
            except NotFoundError:
                if call.on_gone is None or not budget.may_have_happened:
                    raise
                return call.on_gone()
            except NoAnswerError:
                budget.may_have_happened = True
                raise

    def _apply_retry_after(
        self, error: RateLimitError, call: HttpCall[Any], budget: _Budget
    ) -> None:
        """Pause all calls of the account as told; raise the error if that takes too long."""
        pause = error.retry_after
        pause = max(self._retry.default_pause if pause is None else pause, SHORTEST_PAUSE)
        throttle, longest_pause = self._pool.pace(call.gateway), self._retry.max_pause
        if budget.asked:
            # Also where this call does not wait; but one that was told of a pause makes it no
            # longer.
            throttle.pause(pause, longest_pause)
        if call.made_once:
            return
        told = throttle.told_pause()
        if told > pause:
            # The gateway said, with this answer or another one, that its window ends later.
            pause = error.retry_after = told
            longest_pause = self._longest_pause(throttle)
        expiry = budget.nearer_end
        if expiry is not None and pause >= expiry.seconds_left:
            raise expiry.error(f"{call.gateway.name} asks to wait for {pause:g} s")
        budget.paused += pause
        time_left = budget.ends_at - self._pool.clock.monotonic()
        if budget.paused > longest_pause or pause >= time_left:
            raise error

    async def _once(self, call: HttpCall[T], budget: _Budget) -> T:
        claim, permit, redactor = budget.claim, budget.permit, call.redactor()
        request = encode_call(call, self._pool.user_agent)
        started = self._pool.clock.monotonic()
        throttle = self._pool.pace(call.gateway)
        slot = self._slot_at_once(budget, throttle)
        if slot is None:
            slot = await self._acquire_slot(call, budget, throttle)
        answered = False
        try:
            if permit is not None:
                # It may have waited for its turn until the night, or until the number said STOP.
                await withdrawable(permit.confirm())
            if budget.expiry is not None:
                budget.expiry.check()
            if claim is not None:
                budget.claimed = True
                problem = await claim.take()
                if problem is not None:
                    raise problem
            # Asked last: claiming may have taken its time.
            budget.leaves_by = _leaves_by(budget)
            budget.asked = True
            budget.attempts += 1
            asked_at = self._pool.clock.monotonic()
            result = await self._exchange(call, request, budget, slot, redactor)
            taken = self._pool.clock.monotonic() - asked_at
            self._note_latency(throttle, result, taken)
            answered = isinstance(result, WireReply) and result.status != 429
        finally:
            self._pool.slots.release(slot)
            throttle.finish(ok=answered)
        log_exchange(request, result, redactor, confidential=call.confidential)
        if logger.isEnabledFor(logging.DEBUG):
            log_attempt(call, result, self._pool.clock.monotonic() - started, redactor)
        if not isinstance(result, Failure):
            throttle.note_answer(result.status, result.headers)
        error: SmsError | None = None
        try:
            value = read_result(call, result, redactor)
            if claim is not None:
                # The gateway has this one: a later call of the same send must not take it back.
                claim.hold()
            return value
        except SmsError as exc:
            # Observers may keep it, or draw its traceback.
            error = drop_frames(exc)
            raise
        finally:
            if self._is_observed:
                ended = attempt_ended(call, result, error, budget.attempts, taken)
                with OutsideSend():
                    self._observers.attempt_ended(ended)

    def _note_latency(
        self, throttle: Throttle, result: WireReply | Failure, seconds: float
    ) -> None:
        """Tell the pace how long a success took, or a time-out; a quick error says nothing."""
        if isinstance(result, Failure):
            told = result.may_have_left and seconds >= self._limits.timeout
        else:
            told = result.status < 300
        if told:
            throttle.note_latency(seconds, self._pool.slots.in_use)

    def _slot_at_once(self, budget: _Budget, throttle: Throttle) -> int | None:
        """Return a connection slot if nothing has to be waited for, as nearly always."""
        if self._closed:
            raise ClientClosedError("the client is closed; nothing was sent")
        self._pool.enter()
        has_deadline, slots = budget.turn_by != math.inf, self._pool.slots
        if slots.has_free and not (has_deadline or is_withdrawn()) and throttle.admit_at_once():
            return slots.take()
        return None

    async def _acquire_slot(self, call: HttpCall[Any], budget: _Budget, throttle: Throttle) -> int:
        """Wait for the rate and then for a connection slot, unless the text is withdrawn."""
        if budget.turn_by == math.inf:
            line = self._admit(call, throttle)
        else:
            line = self._admit_in_time(call, budget, throttle)
        return await withdrawable(line)

    async def _admit(self, call: HttpCall[Any], throttle: Throttle) -> int:
        """Do it for as long as it takes, unless a pause lasts longer than calls wait for."""
        pool = self._pool
        longest_pause = 0.0 if call.made_once else self._longest_pause(throttle)
        while True:
            if not await throttle.admit(longest_pause):
                raise self._paused(call, throttle)
            try:
                slot = await pool.slots.acquire()
            except asyncio.CancelledError:
                throttle.withdraw()
                raise
            if not pool.closed and not throttle.holds_back():
                return slot
            # While this call stood in the queue, the gateway asked for a pause, or answered ever
            # more slowly, or the pool was closed.
            pool.slots.release(slot)
            throttle.withdraw()
            pool.enter()

    def _longest_pause(self, throttle: Throttle) -> float:
        """Return how long a pause may last that the gateway asked for and calls wait out."""
        # Whoever gave a rate waits for its window to move, whoever says that it is used up.
        window = 0.0 if throttle.rate is None else throttle.rate.per
        return max(self._retry.max_pause, window) + SHARED_LONGER_BY

    def _paused(self, call: HttpCall[Any], throttle: Throttle) -> RateLimitError:
        seconds = throttle.remaining_pause()
        if not call.made_once:
            # A router asks again as soon as it may; whoever is told, when there is a point in it.
            seconds = max(seconds, throttle.told_pause())
        return paused(call, seconds, self._pool.clock.now())

    async def _admit_in_time(self, call: HttpCall[Any], budget: _Budget, throttle: Throttle) -> int:
        """Do it for as long as the deadline allows, and the text's time."""
        time_left = budget.turn_by - self._pool.clock.monotonic()
        expiry = budget.nearer_end
        try:
            if call.made_once or time_left > throttle.remaining_pause():
                async with asyncio.timeout(time_left):
                    return await self._admit(call, throttle)
            if throttle.remaining_pause() > 0 and expiry is None:
                raise self._paused(call, throttle)
        except TimeoutError:
            pass
        if expiry is not None:
            raise expiry.error("it would have waited longer for its turn")
        raise ConnectionFailedError(
            f"{call.gateway.name}: could not {call.what}: the deadline passed in the queue. "
            "Nothing was sent; raise max_connections or the deadline, or send less at once"
        )

    async def _exchange(
        self,
        call: HttpCall[Any],
        request: WireRequest,
        budget: _Budget,
        slot: int,
        redactor: Redactor,
    ) -> WireReply | Failure:
        seconds = self._limits.timeout
        if budget.ends_at != math.inf:
            seconds = min(seconds, budget.ends_at - self._pool.clock.monotonic())
            if seconds <= 0:
                return Failure("the deadline passed before it was sent", may_have_left=False)
        progress = RequestProgress()
        progress.leaves_by = budget.leaves_by
        token = active_redactor.set(redactor) if self._pool.has_foreign_logs else None
        limit = self._timeouts.begin(seconds)
        try:
            return await self._pool.engine.exchange(request, progress, slot, self._connect_timeout)
        except asyncio.CancelledError as exc:
            if limit.take_back():
                return Failure(f"no answer within {seconds:.3g} s", progress.may_have_left)
            if call.effect is _ONCE and progress.may_have_left:
                note_in_flight(
                    exc, f"{call.gateway.name}: cancelled, unknown whether it could {call.what}"
                )
            if is_for_this_task(exc):
                raise
            return Failure("cancelled in the HTTP client", progress.may_have_left)
        except SmsError:
            raise
        except Exception as exc:
            # Event hooks of a user's client may raise anything, at any moment.
            return Failure(f"{type(exc).__name__} in the HTTP client", progress.may_have_left)
        finally:
            self._timeouts.end(limit)
            if token is not None:
                put_back(active_redactor, token)


def _leaves_by(budget: _Budget) -> float:
    """Return until when a request may leave, by `uptime`: the first end of what bounds it."""
    ends_at = math.inf if budget.claim is None else budget.claim.leaves_by
    if budget.permit is not None:
        ends_at = min(ends_at, budget.permit.leaves_by)
    if budget.expiry is not None:
        ends_at = min(ends_at, budget.expiry.leaves_by)
    return ends_at
