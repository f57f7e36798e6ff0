"""The policy behind `per_number=` and the like: texts and credits within a rolling time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from math import ceil
from typing import Any

from attrs import define, frozen

from iprog_async._core.errors import ConfigurationError, JournalError, LimitExceededError
from iprog_async._core.outcomes import Accepted, NotSent, Outcome
from iprog_async._core.phones import mask_number
from iprog_async._core.rates import Rate, to_rate
from iprog_async._limits.count_stores import Change, CountStore, MemoryCountStore
from iprog_async._limits.counts import Counts, Exceeded, Quota, Taken, Wanted
from iprog_async._limits.store import LimitStoreError
from iprog_async._policies.decisions import Allow, Decision, Outgoing, Refuse


_DAY = 86400.0
_NAME_BYTES = 16


@frozen(kw_only=True)
class LimitSettings:
    """How much a client may send.

    Args:
        per_number: The most texts to one number, such as `"5/day"`.
        per_number_same_text: The most texts of the same words to one number.
        credits_per_day: The most credits in any 24 hours: one for each segment, or more where the
            gateway says that it took more.
    """

    per_number: Quota | None = None
    per_number_same_text: Quota | None = None
    credits_per_day: Quota | None = None

    @classmethod
    def of_words(
        cls,
        per_number: Rate | str | None,
        per_number_same_text: Rate | str | None,
        credits_per_day: int | None,
    ) -> LimitSettings | None:
        """Return the limits of a client's arguments; `None` if there are none.

        Raises:
            ConfigurationError: One of them makes no sense.
        """
        if per_number is None and per_number_same_text is None and credits_per_day is None:
            return None
        given: object = credits_per_day
        if given is not None and (type(given) is not int or given < 1):
            raise ConfigurationError("credits_per_day is a number of credits, 1 or more")
        return cls(
            per_number=_quota("per_number", per_number),
            per_number_same_text=_quota("per_number_same_text", per_number_same_text),
            credits_per_day=None if credits_per_day is None else Quota(credits_per_day, _DAY),
        )


@define(eq=False)
class _Question:
    """Texts that wait to be counted together with others'."""

    texts: Sequence[Outgoing]
    answer: asyncio.Future[list[Taken | Exceeded]]


class Limits:
    """Counts the texts that it allows, and gives back those that certainly were not sent.

    Args:
        settings: The limits.
        now: What tells the time, in seconds since 1970, where the store has no clock of its own.
    """

    name = "limits"

    def __init__(self, settings: LimitSettings, now: Callable[[], float]) -> None:
        self._settings = settings
        self._now = now
        self._memory = MemoryCountStore(now)
        self._store: CountStore = self._memory
        # What was counted before there was a store that others share goes on to count.
        self._before: Limits | None = None
        self._is_shared = False
        self._salt = b""
        self._taken: dict[int, tuple[Outgoing, Taken]] = {}
        self._waiting: list[_Question] = []
        self._counting: asyncio.Task[None] | None = None

    def share(self, open_store: Callable[[], CountStore]) -> None:
        """Count in a store that others share; the first one that is known is it."""
        if self._is_shared:
            return
        self._is_shared = True
        if self._memory:
            self._before = Limits(self._settings, self._now)
            self._before._store, self._before._taken = self._memory, self._taken
            self._taken = {}
        self._store, self._salt = open_store(), b""

    async def decide(self, text: Outgoing, /) -> Decision:
        """Count a text, or say why it is too many."""
        (decision,) = await self.decide_all([text])
        return decision

    async def decide_all(self, texts: Sequence[Outgoing], /) -> list[Decision]:
        """Count some texts, each as if it came after the one before it."""
        decisions = await self._decide_all(texts)
        if self._before is None:
            return decisions
        counted = [
            text for text, each in zip(texts, decisions, strict=True) if isinstance(each, Allow)
        ]
        try:
            again = iter(await self._before.decide_all(counted))
        except asyncio.CancelledError:
            await self._give_back([self._taken.pop(id(text))[1] for text in counted])
            raise
        for place, text in enumerate(texts):
            if isinstance(decisions[place], Allow):
                decisions[place] = next(again)
                if not isinstance(decisions[place], Allow):
                    await self._give_back([self._taken.pop(id(text))[1]])
        return decisions

    async def _decide_all(self, texts: Sequence[Outgoing]) -> list[Decision]:
        question = _Question(texts, asyncio.get_running_loop().create_future())
        self._waiting.append(question)
        if self._counting is None:
            self._counting = asyncio.create_task(self._count_all())
        try:
            answers = await question.answer
        except JournalError as exc:
            return [Refuse(exc)] * len(texts)
        except asyncio.CancelledError:
            if not question.answer.cancelled() and question.answer.exception() is None:
                # Counted at this very moment, and nobody is there who could settle it.
                await self._give_back(_takings(question.answer.result()))
            raise
        return [self._decided(*pair) for pair in zip(texts, answers, strict=True)]

    def _decided(self, text: Outgoing, answer: Taken | Exceeded) -> Decision:
        if isinstance(answer, Exceeded):
            return Refuse(_error(text, answer))
        self._taken[id(text)] = text, answer
        return Allow()

    async def _count_all(self) -> None:
        """Count what all tasks ask for, many in one change of the store."""
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, []
                try:
                    await self._count(asked)
                except Exception as exc:
                    if isinstance(exc, LimitStoreError):
                        exc = JournalError(f"texts can't be counted ({exc}); nothing was sent")
                    for question in asked:
                        if not question.answer.done():
                            question.answer.set_exception(exc)
        finally:
            self._counting = None

    async def _count(self, asked: Sequence[_Question]) -> None:
        self._salt = self._salt or await self._store.salt()
        wanted = [[self._wanted(text) for text in question.texts] for question in asked]
        names = [part.name for texts in wanted for parts in texts for part in parts]

        def change(counts: Counts) -> list[list[Taken | Exceeded]]:
            return [[counts.take(parts) for parts in texts] for texts in wanted]

        answers = await self._store.change(names, change)
        for question, answer in zip(asked, answers, strict=True):
            if question.answer.done():
                # Whoever asked has gone.
                await self._give_back(_takings(answer))
            else:
                question.answer.set_result(answer)

    async def settle(self, text: Outgoing, outcome: Outcome, /) -> None:
        """Give back a text that was not sent; count what a gateway took beyond its segments."""
        if self._before is not None:
            await self._before.settle(text, outcome)
        _, taken = self._taken.pop(id(text), (text, None))
        if taken is None:
            return
        if isinstance(outcome, NotSent):
            await self._give_back([taken])
        elif isinstance(outcome, Accepted) and self._settings.credits_per_day is not None:
            more = ceil(outcome.receipt.credits or Decimal(0)) - text.segments
            if more > 0:
                part = self._part("credits_per_day", self._settings.credits_per_day, more)
                await self._change([part.name], lambda counts: counts.add(part))

    async def aclose(self) -> None:
        """Let go of the store."""
        try:
            if self._counting is not None:
                await asyncio.wait([self._counting])
        finally:
            await self._store.aclose()

    async def _give_back(self, takings: Sequence[Taken]) -> None:
        names = [part.name for taken in takings for part in taken.parts]

        def change(counts: Counts) -> None:
            for taken in takings:
                counts.give_back(taken)

        if names:
            await self._change(names, change)

    async def _change(self, names: Sequence[bytes], change: Change[Any]) -> None:
        await self._store.change(names, change)

    def _wanted(self, text: Outgoing) -> list[Wanted]:
        return list(self._parts(text))

    def _parts(self, text: Outgoing) -> Iterator[Wanted]:
        settings = self._settings
        if (quota := settings.per_number) is not None:
            yield self._part("per_number", quota, 1, text.number)
        if (quota := settings.per_number_same_text) is not None:
            yield self._part("per_number_same_text", quota, 1, text.number, text.message.text)
        if (quota := settings.credits_per_day) is not None:
            yield self._part("credits_per_day", quota, text.segments)

    def _part(self, limit: str, quota: Quota, amount: int, *of: str) -> Wanted:
        """Return what is counted, by a salted hash: the store has no number, and no text."""
        joined = "\0".join((limit, f"{quota.seconds:g}", *of)).encode(errors="surrogatepass")
        name = blake2b(joined, key=self._salt[:64], digest_size=_NAME_BYTES).digest()
        return Wanted(name, quota, amount, limit=limit)


def _takings(answers: Sequence[Taken | Exceeded]) -> list[Taken]:
    return [answer for answer in answers if isinstance(answer, Taken)]


def _error(text: Outgoing, exceeded: Exceeded) -> LimitExceededError:
    limit, quota = exceeded.part.limit, exceeded.part.quota
    until = datetime.fromtimestamp(exceeded.free_at, UTC)
    again = f"again at {until.isoformat(sep=' ', timespec='minutes')}. Nothing was sent"
    if limit == "credits_per_day":
        words = f"the {quota.amount} credits of 24 hours are taken; there are some {again}"
        return LimitExceededError(
            words, until=until, limit=f"{limit}={quota.amount}", blame="account"
        )
    what = "texts" if limit == "per_number" else "texts of these words"
    asked = f"{limit}={_words(quota)}"
    words = f"{mask_number(text.number)} has had its {what} ({asked}), and may get one {again}"
    return LimitExceededError(words, until=until, limit=asked)


def _quota(name: str, given: Rate | str | None) -> Quota | None:
    try:
        rate = Rate.parse(given, of_people=True) if isinstance(given, str) else to_rate(given)
    except ConfigurationError as exc:
        raise ConfigurationError(f"{name}: {exc}") from None
    return None if rate is None else Quota(rate.count, rate.per)


def _words(quota: Quota) -> str:
    return f"{quota.amount}/day" if quota.seconds == _DAY else f"{quota.amount}/{quota.seconds:g}s"
