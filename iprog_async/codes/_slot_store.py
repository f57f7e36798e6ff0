"""Where slots are kept: beside a journal, so that all its processes agree, or in this process.

Many slots share a state, so that what is over goes when a neighbour changes, and the store never
has more than some thousand states, however many people ask for a code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar

from iprog_async._core.errors import JournalError
from iprog_async._limits.store import LimitStore, LimitStoreError
from iprog_async.codes._slots import LiveCode, Rules, Slot, ends_at, tidy


R = TypeVar("R")

Change = Callable[[Slot, float], tuple[Slot, R]]
"""Makes the new slot, and an answer, of the slot and the store's time in seconds."""

# A slot, and the time from which on nothing of it counts.
_Kept = tuple[Slot, float]

_VERSION = 1
_BUCKET_BYTES = 2  # of the slot's name, which lead to the state that it shares
_NAME_BYTES = 16


class SlotStore:
    """Keeps slots by number and purpose, each changed by one caller at a time.

    Args:
        store: Keeps the states.
        rules: Say what is over.
    """

    def __init__(self, store: LimitStore, rules: Rules) -> None:
        self._store = store
        self._rules = rules

    async def change(self, number: str, purpose: str, decide: Change[R]) -> R:
        """Replace a slot by what `decide` makes of it, while nobody else changes it.

        Args:
            number: As E.164.
            purpose: What the code is for.
            decide: A pure function; what is over is not in the slot that it gets.

        Raises:
            JournalError: The store can't be used.
        """
        try:
            name = _name(await self._store.salt(), number, purpose)
            return await self._store.change(
                b"codes" + name[:_BUCKET_BYTES],
                lambda state, now: self._change_in(state, now, name.hex(), decide),
            )
        except LimitStoreError as exc:
            raise JournalError(f"the codes can't be kept: {exc}") from None

    def _change_in(self, state: str, now: float, name: str, decide: Change[R]) -> tuple[str, R]:
        kept = _load(state)
        slot, _ = kept.pop(name, (Slot(), 0.0))
        slot, answer = decide(tidy(slot, now, self._rules), now)
        # A neighbour may be held to other rules, so that it says itself when it is over.
        kept = {other: (theirs, ends) for other, (theirs, ends) in kept.items() if now < ends}
        if slot != Slot():
            kept[name] = slot, ends_at(slot, self._rules)
        return _dump(kept), answer

    async def aclose(self) -> None:
        """Let go of the store."""
        await self._store.aclose()


def _name(salt: bytes, number: str, purpose: str) -> bytes:
    words = f"{number}\0{purpose}".encode(errors="surrogatepass")
    return hashlib.blake2b(words, key=salt[:64], digest_size=_NAME_BYTES).digest()


def _load(state: str) -> dict[str, _Kept]:
    if not state:
        return {}
    kept: dict[str, Any] = json.loads(state)
    if kept.get("version") != _VERSION:
        # Of a later release, perhaps: its codes are not known here, and are asked for again.
        return {}
    return {
        name: (Slot(None if live is None else _live(*live), tuple(sent_at)), ends)
        for name, (live, sent_at, ends) in kept["slots"].items()
    }


def _live(id_: str, salt: str, digest: str, expires_at: float, tries_left: int) -> LiveCode:
    return LiveCode(id_, bytes.fromhex(salt), bytes.fromhex(digest), expires_at, tries_left)


def _dump(slots: dict[str, _Kept]) -> str:
    kept = {name: (_as_list(slot.live), slot.sent_at, ends) for name, (slot, ends) in slots.items()}
    return json.dumps({"version": _VERSION, "slots": kept}, separators=(",", ":"))


def _as_list(live: LiveCode | None) -> list[object] | None:
    if live is None:
        return None
    salt, digest = live.salt.hex(), live.digest.hex()
    return [live.id, salt, digest, live.expires_at, live.tries_left]
