"""The rules of codes, over any story of asking, guessing and waiting."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from iprog_async import Rate
from iprog_async.codes._slots import (
    LiveCode,
    Rules,
    Slot,
    issue,
    seconds_to_wait,
    spend_try,
    tidy,
    use_up,
    withdraw,
)


RULES = Rules(lifetime=300, tries=3, cooldown=60, per_number=Rate(4, 3600))

Step = tuple[Literal["send", "refused", "guess"], float]


@given(st.lists(st.tuples(st.sampled_from(["send", "refused", "guess"]), st.floats(0, 2000))))
def test_no_story_gives_a_guess_too_many(steps: list[Step]) -> None:
    """In any hour there are four codes at most, a minute apart, of three guesses each."""
    slot, now, number = Slot(), 0.0, 0
    sent: list[float] = []
    guesses: dict[str, int] = {}
    for what, after in steps:
        now += after
        slot = tidy(slot, now, RULES)
        if what == "guess":
            slot, live = spend_try(slot)
            if live is not None:
                guesses[live.id] = guesses.get(live.id, 0) + 1
        elif seconds_to_wait(slot, now, RULES) <= 0:
            number += 1
            before = slot
            slot = issue(slot, now, LiveCode(str(number)), RULES)
            if what == "refused":
                slot = withdraw(slot, str(number), before)
            else:
                sent.append(now)

    assert all(count <= 3 for count in guesses.values())
    assert all(b - a >= 60 for a, b in pairwise(sent))
    assert all(b - a >= 3600 for a, b in zip(sent, sent[4:], strict=False))


@given(st.floats(0, 10_000))
def test_a_wait_is_as_long_as_it_says(waited: float) -> None:
    """A code may be sent exactly when the time is over that was told."""
    slot = issue(Slot(), 100.0, LiveCode("1"), RULES)
    now = 100.0 + waited

    wait = seconds_to_wait(tidy(slot, now, RULES), now, RULES)

    assert (waited < 60) == (wait > 0)
    assert seconds_to_wait(tidy(slot, now + wait, RULES), now + wait, RULES) <= 1e-9


def test_what_is_over_need_not_be_kept() -> None:
    """Once nothing of it counts any more, a slot is empty."""
    slot = issue(Slot(), 100.0, LiveCode("1"), RULES)

    assert Slot() == tidy(slot, 3700.0, RULES)


def test_a_clock_that_was_set_back_makes_nothing_eternal() -> None:
    """What was written by a time still to come is over."""
    slot = issue(Slot(), 1e9, LiveCode("1"), RULES)

    assert Slot() == tidy(slot, 100.0, RULES)


def test_a_code_that_was_replaced_changes_nothing() -> None:
    """Neither its withdrawal nor its use touches the one that took its place."""
    before = issue(Slot(), 0.0, LiveCode("1"), RULES)
    slot = issue(before, 60.0, LiveCode("2"), RULES)

    assert slot == withdraw(slot, "1", Slot())
    assert (slot, False) == use_up(slot, "1")
