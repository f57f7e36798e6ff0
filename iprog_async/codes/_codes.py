"""One-time codes: sent to a number, and checked when somebody types them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any, Literal, Self

from iprog_async._client.client import SmsClient
from iprog_async._core.clock import Clock
from iprog_async._core.errors import OutcomeUnknownError, SmsError
from iprog_async._core.rates import Rate
from iprog_async._core.sealed import Secret
from iprog_async._core.tracebacks import discreetly
from iprog_async._http.send_context import was_in_flight
from iprog_async._journal.journal import Journal
from iprog_async._limits.store import LimitStore, MemoryStore
from iprog_async._providers.numbers import read_number
from iprog_async.codes._making import read_typed
from iprog_async.codes._settings import PURPOSE, check_purpose, read_rules, read_text
from iprog_async.codes._slot_store import SlotStore
from iprog_async.codes._slots import (
    LiveCode,
    Rules,
    Slot,
    issue,
    seconds_to_wait,
    spend_try,
    tries_left,
    use_up,
    withdraw,
)
from iprog_async.codes._sources import CodeSource, GatewayCodes, OwnCodes
from iprog_async.codes._too_soon import too_soon
from iprog_async.codes._values import CodeCheck, CodeSent


class Codes:
    """Sends one-time codes through any gateway, and checks what people type.

    A code is made by `secrets`, kept as a slow salted hash until it expires, can be guessed at a
    few times, and lets in once. There is one live code for each number and purpose: another one
    takes its place once it was sent. It proves that somebody can read the number's texts, and
    not who that is: numbers change hands, and texts can be read on their way.

    Args:
        sms: Sends the texts; a client of several gateways, too.
        store: An open journal: all processes that use it know the codes, which are kept beside
            its rows and do not outlive a restart of the machine; the client's if `None`, and
            without one the codes are known to this object alone.
        text: What the phone shows, with `{code}` where the code goes, and `{minutes}` for how
            long it is valid.
        length: Number of digits, 4 to 10.
        lifetime: Seconds for which a code is valid; 60 or more.
        tries: How often a code may be guessed at.
        cooldown: Seconds before the same number is sent another code for the same purpose.
        per_number: The most codes to a number and purpose in any window, such as `"10/24h"`:
            whoever guesses has `tries` at each.
        made_by: `"gateway"`: the gateway makes and checks the codes, where it has such an
            operation, as IPROG has; the limits hold all the same. Such a gateway knows no
            purposes, so that none can be given.

    Raises:
        ConfigurationError: An argument makes no sense.
        UnsupportedError: The gateway makes no codes.
    """

    def __init__(
        self,
        sms: SmsClient[Any],
        store: Journal | None = None,
        *,
        text: str = "{code} is your code. It is valid for {minutes} minutes.",
        length: int = 6,
        lifetime: float = 300.0,
        tries: int = 5,
        cooldown: float = 60.0,
        per_number: Rate | str = "10/24h",
        made_by: Literal["us", "gateway"] = "us",
    ) -> None:
        self._sms = sms
        self._clock = sms.bulk.clock
        self._rules = read_rules(lifetime, tries, cooldown, per_number)
        text, length = read_text(text, length, made_by, self._rules)
        make_source = GatewayCodes if made_by == "gateway" else OwnCodes
        self._source: CodeSource = make_source(sms, text, length, self._rules)
        self._length = length
        self._made_by: Literal["us", "gateway"] = made_by
        journal = sms.journal if store is None else store
        self._slots = SlotStore(_limits_of(journal, self._clock), self._rules)

    async def send(self, to: str, *, purpose: str = PURPOSE) -> CodeSent:
        """Send a number its next code.

        Args:
            to: Phone number as people write it.
            purpose: What it is for: a code for one purpose is none for another.

        Returns:
            Until when it is valid. It may be unknown whether it was sent: it lets in all the
            same, see `CodeSent.unknown`.

        Raises:
            LimitExceededError: The number was sent a code a moment ago, or too many; not sent.
            JournalError: The codes can't be kept; not sent.
            SmsError: It was certainly not sent, as `SmsClient.send` says; an earlier code is
                valid still.
        """
        return await discreetly(self._send(to, check_purpose(purpose, self._made_by)))

    async def _send(self, to: str, purpose: str) -> CodeSent:
        number = self._read(to)
        expires = self._clock.now() + timedelta(seconds=self._rules.lifetime)
        live, code = await self._source.make()
        wait, before = await self._slots.change(
            number, purpose, partial(_issue_if_allowed, rules=self._rules, made=live)
        )
        if wait > 0:
            raise too_soon(number, wait, self._clock.now())
        try:
            receipt = await self._source.send(to, code, expires)
        except OutcomeUnknownError as exc:
            return CodeSent(number, purpose, expires, unknown=exc)
        except (SmsError, asyncio.CancelledError) as exc:
            if not (isinstance(exc, asyncio.CancelledError) and was_in_flight(exc)):
                await self._slots.change(
                    number, purpose, lambda slot, _: (withdraw(slot, live.id, before), None)
                )
            raise
        return CodeSent(number, purpose, expires, receipt)

    async def verify(self, to: str, code: str, *, purpose: str = PURPOSE) -> CodeCheck:
        """Check what somebody typed; the right code lets in once.

        Args:
            to: Phone number as people write it.
            code: What was typed; blanks and hyphens in it mean nothing.
            purpose: What the code is for.

        Raises:
            InvalidMessageError: The number is none.
            JournalError: The codes can't be read: whether it is the right one is not known.
            ConnectionFailedError: The gateway that checks them can't be reached.
            NoAnswerError: The gateway that checks them gave no trustworthy answer.
            ProviderError: The gateway that checks them refused to.
        """
        code = Secret(code)
        return await discreetly(self._verify(to, code, check_purpose(purpose, self._made_by)))

    async def _verify(self, to: str, code: Secret, purpose: str) -> CodeCheck:
        number = self._read(to)
        typed = read_typed(code)
        if len(typed) != self._length or not typed.isdecimal():
            # It can't be the code, so that it is no guess either.
            return await self._slots.change(number, purpose, _look)
        live = await self._slots.change(number, purpose, lambda slot, _: spend_try(slot))
        right = await self._source.check(to, typed, live)
        if live is None:
            return CodeCheck(verified=False, reason="no code")
        if not right:
            return CodeCheck(verified=False, reason="wrong", tries_left=live.tries_left)
        used = await self._slots.change(number, purpose, lambda slot, _: use_up(slot, live.id))
        return CodeCheck(verified=True, reason="right") if used else _NO_CODE

    def _read(self, to: str) -> str:
        return read_number(self._sms.provider, to)

    async def aclose(self) -> None:
        """Let go of the store; the client and the journal are yours to close."""
        await self._slots.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


_NO_CODE = CodeCheck(verified=False, reason="no code")


def _issue_if_allowed(
    slot: Slot, now: float, *, rules: Rules, made: LiveCode
) -> tuple[Slot, tuple[float, Slot]]:
    wait = seconds_to_wait(slot, now, rules)
    if wait > 0:
        return slot, (wait, slot)
    return issue(slot, now, made, rules), (0.0, slot)


def _look(slot: Slot, _: float) -> tuple[Slot, CodeCheck]:
    left = tries_left(slot)
    return slot, CodeCheck(verified=False, reason="wrong", tries_left=left) if left else _NO_CODE


def _limits_of(journal: Journal | None, clock: Clock) -> LimitStore:
    return MemoryStore(clock.monotonic) if journal is None else journal.store.limits()
