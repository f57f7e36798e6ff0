"""What the processes of one account may do, by what each of them has reported."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iprog_async import Rate
from iprog_async._limits.account import OWNER_TTL, Reply, Report, exchange


TEN = Rate(10, 60)
THOUSAND = Rate(1000, 1)
NOON = 43_200.0


class Account:
    """An account's state, and a clock that tests set."""

    def __init__(self, state: str = "") -> None:
        self.state = state
        self.now = NOON

    def report(self, owner: str = "a", *, rate: Rate | None = TEN, **facts: object) -> Reply:
        """Report as a process does."""
        report = Report(owner=owner, rate=rate, **facts)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        self.state, reply = exchange(self.state, self.now, report)
        return reply


def test_processes_get_no_more_together_than_one_alone_would() -> None:
    """What one has, no other gets."""
    account = Account()

    assert 7 == account.report("a", wanted=7).granted
    assert 3 == account.report("b", wanted=7).granted
    assert 0 == account.report("c", wanted=7).granted


def test_a_permit_is_free_a_window_after_its_call_ended() -> None:
    """Not after it began: the request may have reached the gateway at its very end."""
    account = Account()
    account.report("a", wanted=10)
    account.now += 25
    account.report("a", ended=((0.0, 10),))
    account.now += 59.5

    reply = account.report("b", wanted=1)

    assert 0 == reply.granted
    assert 0.5 == pytest.approx(reply.wait, abs=0.01)
    account.now += 0.51
    assert 1 == account.report("b", wanted=1).granted


def test_an_end_counts_from_when_it_was_and_not_from_when_it_is_told() -> None:
    """A process that tells it late wastes nothing."""
    account = Account()
    account.report("a", wanted=10)
    account.now += 5

    account.report("a", ended=((5.0, 10),))

    account.now += 55.01
    assert 10 == account.report("a", wanted=10).granted


def test_what_is_not_wanted_any_more_is_there_for_others() -> None:
    """A process holds what it says that it holds."""
    account = Account()
    account.report("a", wanted=10)

    account.report("a", held=2)

    assert 8 == account.report("b", wanted=10).granted


def test_a_process_that_is_gone_keeps_its_permits_until_they_are_safe() -> None:
    """Its calls may have reached the gateway until it was taken for gone, and a window is added."""
    account = Account()
    account.report("gone", wanted=10)
    account.now += OWNER_TTL + TEN.per - 0.1

    assert 0 == account.report("b", wanted=10).granted

    account.now += 0.2
    assert 10 == account.report("b", wanted=10).granted


def test_a_process_that_reports_keeps_its_permits() -> None:
    """A call may take long; the process says that it is still there."""
    account = Account()
    account.report("slow", wanted=10)
    for _ in range(20):
        account.now += OWNER_TTL / 2
        account.report("slow", held=10)

    assert 0 == account.report("b", wanted=10).granted


def test_a_pause_goes_for_all() -> None:
    """What one process was told, all obey."""
    account = Account()

    account.report("a", pause=3.0)

    assert Reply(pause=3.0, restarting=True, wait=3.0) == account.report("b", wanted=5)


def test_the_longest_pause_counts() -> None:
    """A process that was told less does not shorten what another was told."""
    account = Account()
    account.report("a", pause=30.0)

    assert 30.0 == account.report("b", pause=3.0).pause


@pytest.mark.parametrize("rate", [None, TEN, THOUSAND])
def test_after_a_pause_one_call_of_all_processes_shows_whether_it_is_over(
    rate: Rate | None,
) -> None:
    """The restart is one for all; nobody stampedes."""
    account = Account()
    account.report("a", rate=rate, pause=3.0)
    account.now += 3.0

    granted = [account.report(owner, rate=rate, wanted=5).granted for owner in "abc"]

    assert [1, 0, 0] == granted


def test_each_answer_after_a_pause_lets_one_more_go() -> None:
    """So their number doubles from round to round, until the restart is over."""
    account = Account()
    account.report("a", rate=None, pause=3.0)
    account.now += 3.0
    rounds: list[int] = []
    reply = account.report("a", rate=None, wanted=100)
    while reply.restarting:
        rounds.append(reply.granted)
        reply = account.report("a", rate=None, wanted=100, succeeded=reply.granted)

    assert [1, 2, 4, 8, 16, 32] == rounds[:6]


def test_a_process_that_is_gone_does_not_keep_a_restart_from_going_on() -> None:
    """The one call that was to try may never have been made."""
    account = Account()
    account.report("gone", rate=None, pause=3.0)
    account.now += 3.0
    account.report("gone", rate=None, wanted=1)
    account.now += OWNER_TTL

    assert 1 == account.report("b", rate=None, wanted=1).granted


def test_a_high_rate_is_spread() -> None:
    """What is wanted at once is given out over the window, and never as one burst."""
    account = Account()
    granted: list[int] = []
    for _ in range(100):
        granted.append(account.report("a", rate=THOUSAND, wanted=1000, held=0).granted)
        account.now += 0.01

    assert max(granted) <= 125
    assert sum(granted) >= 1000


def test_a_high_rate_takes_little_room() -> None:
    """However many calls there are, the state stays small: it is written often."""
    account = Account()
    for _ in range(300):
        granted = account.report("a", rate=THOUSAND, wanted=1000).granted
        account.now += 0.01
        account.report("a", rate=THOUSAND, ended=((0.002, granted),))

    assert len(account.state) < 2500


@pytest.mark.parametrize("seconds", [-7 * 86_400, -43_200, -2])
def test_a_clock_that_is_set_back_keeps_nobody_out_for_longer(seconds: float) -> None:
    """Nothing lasts longer from then on than it would have lasted from the beginning."""
    account = Account()
    account.report("a", wanted=5, pause=3.0)
    account.report("a", ended=((0.0, 5),))
    account.now += seconds
    account.report("b")

    account.now += OWNER_TTL + TEN.per + 2
    assert 0.0 == account.report("b").pause
    account.report("b", succeeded=100)
    assert 10 == account.report("b", wanted=10).granted


@pytest.mark.parametrize(
    "state",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        "null",
        "[99, 1]",
        '[1,"",{},0,0,null,0,0]',
        "[1,[[1]],{},0,0,null,0,0]",
    ],
)
def test_a_state_that_can_not_be_read_is_made_anew(state: str) -> None:
    """Another release may have written it."""
    assert 10 == Account(state).report(wanted=10).granted


@given(st.text())
def test_no_state_is_an_error(state: str) -> None:
    """Whatever stands in the store, a report is answered."""
    assert 10 == Account(state).report(wanted=10).granted


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.integers(0, 4),  # wanted
            st.integers(0, 4),  # ended
            st.sampled_from([0.0, 0.5, 3.0, 11.0, 70.0]),
        ),
        max_size=40,
    ),
    st.sampled_from([Rate(3, 10), Rate(10, 60), Rate(1, 1)]),
)
def test_no_more_permits_are_out_than_the_rate_allows(
    steps: list[tuple[str, int, int, float]], rate: Rate
) -> None:
    """Whoever asks whenever: those that are out, and those that ended in a window, are no more."""
    account = Account()
    held = dict.fromkeys("abc", 0)
    seen = dict.fromkeys("abc", NOON)
    ends: list[float] = []
    for owner, wanted, ended, seconds in steps:
        account.now += seconds
        for other in "abc":
            if account.now - seen[other] >= OWNER_TTL and held[other]:
                # Taken for gone: its calls ended at the latest then.
                ends += [seen[other] + OWNER_TTL] * held[other]
                held[other] = 0
        ended = min(ended, held[owner])
        held[owner] -= ended
        ends += [account.now] * ended
        told = ((0.0, ended),) if ended else ()
        reply = account.report(owner, rate=rate, held=held[owner], wanted=wanted, ended=told)
        held[owner] += reply.granted
        seen[owner] = account.now

        recent = sum(end > account.now - rate.per for end in ends)
        assert sum(held.values()) + recent <= rate.count


def test_the_state_holds_no_more_than_numbers_and_the_names_of_processes() -> None:
    """What is kept says nothing about texts, numbers or credentials."""
    account = Account()
    account.report("a1b2c3", wanted=2, ended=((0.0, 1),), pause=1.0)

    version, ended, out, *rest = json.loads(account.state)

    assert 1 == version
    assert all(isinstance(value, int) for pair in ended for value in pair)
    assert {"a1b2c3"} >= set(out)
    assert all(isinstance(value, int | float | None) for value in rest)
