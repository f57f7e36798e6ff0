"""Finding the bad recipient, against a gateway that refuses all of a request for one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.core.fakes import LATER, prepared

from iprog_async import Accepted, NotSent, Outcome, Receipt, RejectedError
from iprog_async._core.messages import Batch
from iprog_async._sending.bisect_batch import Bisection
from iprog_async.adapter import failed, unclear


def batch_of(count: int) -> Batch:
    """Return scheduled messages for distinct numbers."""
    return [prepared(index, f"+63917{index:07}", schedule_at=LATER) for index in range(count)]


class Picky:
    """A gateway that refuses a request with a bad number in it, and one that is too small.

    Args:
        bad: Indexes of the bad numbers.
        smallest: The fewest numbers it takes.
        lost_at: Which of its answers is lost, if one is.
    """

    def __init__(self, bad: Sequence[int], smallest: int, lost_at: int | None = None) -> None:
        self.sizes: list[int] = []
        self._bad = frozenset(bad)
        self._smallest = smallest
        self._lost_at = lost_at

    def answer(self, part: Batch) -> list[Outcome]:
        """Answer a request as a whole."""
        self.sizes.append(len(part))
        assert len(part) >= self._smallest
        if len(self.sizes) - 1 == self._lost_at:
            return [unclear(one, "fake", "no answer") for one in part]
        if self._bad & {one.index for one in part}:
            error = RejectedError("a bad number", provider="fake", blame="recipient")
            return [failed(one, error) for one in part]
        return [Accepted(one.index, one.message, Receipt("fake", "1", one.to, 1)) for one in part]


def ends(parts: Bisection, gateway: Picky, asks: int = 10_000) -> Iterator[Outcome]:
    """Yield the outcomes that halving comes to; after so many requests it may ask no more."""
    while parts:
        part, outcomes = parts.next(may_ask=len(gateway.sizes) < asks)
        if not outcomes:
            outcomes = gateway.answer(part)
            if parts.split(outcomes):
                continue
        assert [one.index for one in part] == [outcome.index for outcome in outcomes]
        yield from outcomes


def told(outcomes: Sequence[Outcome]) -> list[str]:
    """Return in a word what became of each message, by index; each has to have one outcome."""
    found = dict[int, str]()
    for outcome in outcomes:
        assert outcome.index not in found
        healable = isinstance(outcome, NotSent) and outcome.error.healable
        found[outcome.index] = "healable" if healable else outcome.state
    return [found[index] for index in range(len(outcomes))]


BADS = st.integers(1, 24).flatmap(
    lambda count: st.tuples(st.just(count), st.sets(st.integers(0, count - 1), max_size=5))
)


@given(BADS, st.integers(1, 3), st.none() | st.integers(0, 8), st.integers(1, 30))
def test_nobody_good_is_refused_for_good(
    case: tuple[int, set[int]], smallest: int, lost_at: int | None, asks: int
) -> None:
    """Whatever happens, each has one outcome, no request is too small, and no good one is lost."""
    count, bad = case
    gateway = Picky(sorted(bad), min(smallest, count), lost_at)

    outcomes = list(ends(Bisection(batch_of(count), smallest), gateway, asks))

    found = told(outcomes)
    assert count == len(found)
    for index, word in enumerate(found):
        end = "not_sent" if index in bad else "accepted"
        assert word in (end, "healable", "unknown")
    # After a lost answer, or once it may not, nothing is asked again.
    assert len(gateway.sizes) <= asks
    assert lost_at is None or len(gateway.sizes) <= lost_at + 1


@pytest.mark.slow
@pytest.mark.parametrize("smallest", [1, 2, 3])
@pytest.mark.parametrize("count", [4, 5, 6, 7, 11, 12, 50, 99, 100])
def test_one_bad_number_is_found(count: int, smallest: int) -> None:
    """Wherever it is, it alone keeps its refusal, and everybody else is sent their text."""
    for bad in range(count):
        gateway = Picky([bad], smallest)

        outcomes = list(ends(Bisection(batch_of(count), smallest), gateway))

        expected = ["not_sent" if index == bad else "accepted" for index in range(count)]
        assert expected == told(outcomes)
        assert len(gateway.sizes) <= 20


def test_no_request_is_wasted_on_single_numbers() -> None:
    """Where one number can travel alone, the parts are halves down to it."""
    gateway = Picky([2], 1)

    list(ends(Bisection(batch_of(4)), gateway))

    assert [4, 2, 2, 1, 1] == gateway.sizes


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        # Of two that can't travel alone, nobody can say which one it is.
        ([1], ["healable"] * 2),
        ([0, 1], ["healable"] * 2),
    ],
)
def test_too_few_to_find_out(bad: list[int], expected: list[str]) -> None:
    """Where no smaller request is possible, all keep the gateway's refusal as one that can heal."""
    gateway = Picky(bad, 2)

    outcomes = list(ends(Bisection(batch_of(2), 2), gateway))

    assert (expected, [2]) == (told(outcomes), gateway.sizes)
    assert {"a bad number"} == {str(one.error) for one in outcomes if isinstance(one, NotSent)}


def test_several_bad_numbers_in_a_small_part() -> None:
    """With two bad ones among five nobody left out helps, so it goes on with two and three."""
    gateway = Picky([0, 4], 2)

    outcomes = list(ends(Bisection(batch_of(5), 2), gateway))

    assert ["healable", "healable", "accepted", "accepted", "not_sent"] == told(outcomes)


def test_a_lost_answer_proves_nothing_about_the_one_left_out() -> None:
    """When the others' answer is lost, who was left out may be good, and may be sent later."""
    gateway = Picky([2], 2, lost_at=1)

    outcomes = list(ends(Bisection(batch_of(3), 2), gateway))

    assert (["healable", "unknown", "unknown"], [3, 2]) == (told(outcomes), gateway.sizes)
