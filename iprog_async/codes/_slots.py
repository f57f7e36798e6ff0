"""What may be done with the codes of one number and purpose: pure functions of a slot."""

from __future__ import annotations

from attrs import evolve, field, frozen

from iprog_async._core.rates import Rate


# A time that lies further ahead was written before the store's clock was set back.
_CLOCK_SLACK = 1.0


@frozen(kw_only=True)
class Rules:
    """What codes are held to.

    Args:
        lifetime: Seconds for which a code is valid.
        tries: How often somebody may guess.
        cooldown: Seconds between two codes.
        per_number: The most codes in any window.
    """

    lifetime: float
    tries: int
    cooldown: float
    per_number: Rate


@frozen
class LiveCode:
    """A code that lets somebody in.

    Args:
        id: Tells it from the ones before and after it.
        salt: Goes into the digest; empty where the gateway checks the code.
        digest: What its hash is; empty where the gateway checks the code.
        expires_at: Until when it is valid, in the store's seconds.
        tries_left: How often it may still be guessed.
    """

    id: str
    salt: bytes = field(default=b"", repr=False)
    digest: bytes = field(default=b"", repr=False)
    expires_at: float = 0.0
    tries_left: int = 0


@frozen
class Slot:
    """The codes of one number for one purpose: at most one is live.

    Args:
        live: The one that lets somebody in.
        sent_at: When codes were sent, as far as that still counts.
    """

    live: LiveCode | None = None
    sent_at: tuple[float, ...] = ()


def tidy(slot: Slot, now: float, rules: Rules) -> Slot:
    """Return a slot without what is over: an empty one need not be kept."""
    live = slot.live
    if live is not None and not _ahead(live.expires_at, now, rules):
        live = None
    kept = max(rules.per_number.per, rules.cooldown)
    sent_at = tuple(at for at in slot.sent_at if now - kept < at <= now + _CLOCK_SLACK)
    return Slot(live, sent_at)


def _ahead(expires_at: float, now: float, rules: Rules) -> bool:
    return now < expires_at <= now + rules.lifetime + _CLOCK_SLACK


def ends_at(slot: Slot, rules: Rules) -> float:
    """Return the time from which on nothing of a slot counts any more."""
    kept = max(rules.per_number.per, rules.cooldown)
    ends = [at + kept for at in slot.sent_at]
    if slot.live is not None:
        ends.append(slot.live.expires_at)
    return max(ends, default=0.0)


def seconds_to_wait(slot: Slot, now: float, rules: Rules) -> float:
    """Return in how many seconds the next code may be sent; zero at once."""
    waits = [0.0]
    if slot.sent_at:
        waits.append(slot.sent_at[-1] + rules.cooldown - now)
    if len(slot.sent_at) >= rules.per_number.count:
        oldest = slot.sent_at[-rules.per_number.count]
        waits.append(oldest + rules.per_number.per - now)
    return max(waits)


def issue(slot: Slot, now: float, code: LiveCode, rules: Rules) -> Slot:
    """Return a slot in which a code replaces the one that was live."""
    live = evolve(code, expires_at=now + rules.lifetime, tries_left=rules.tries)
    return Slot(live, (*slot.sent_at, now))


def withdraw(slot: Slot, code_id: str, before: Slot) -> Slot:
    """Return a slot as if a code, which was certainly not sent, had never been issued.

    Args:
        slot: As it is now.
        code_id: Of the code.
        before: As it was before it was issued.
    """
    if slot.live is None or slot.live.id != code_id:
        # A later one has replaced it.
        return slot
    return Slot(before.live, before.sent_at)


def tries_left(slot: Slot) -> int:
    """Return how often somebody may still guess; zero where no code lets anybody in."""
    return 0 if slot.live is None else slot.live.tries_left


def spend_try(slot: Slot) -> tuple[Slot, LiveCode | None]:
    """Return a slot with one guess less, and the code to compare with, if one may still be tried.

    It is spent before anything is compared: of many guesses at once none is free.
    """
    if slot.live is None or slot.live.tries_left < 1:
        return slot, None
    live = evolve(slot.live, tries_left=slot.live.tries_left - 1)
    return evolve(slot, live=live), live


def use_up(slot: Slot, code_id: str) -> tuple[Slot, bool]:
    """Return a slot whose code lets nobody in any more, and whether it was the live one.

    It is not where another request was let in with the same code, at the same moment.
    """
    if slot.live is None or slot.live.id != code_id:
        return slot, False
    return evolve(slot, live=None), True
