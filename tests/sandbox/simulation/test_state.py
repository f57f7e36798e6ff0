from datetime import timedelta
from decimal import Decimal

import pytest

from iprog_async.sandbox import FAILS_DELIVERY, OutOfCreditError, SandboxState


def test_credit_runs_down_by_segments() -> None:
    """A text costs its segments, and what can't be paid for is not accepted."""
    state = SandboxState(credit=Decimal(3))
    state.accept("iprog", "1", "a" * 161, message_id="1")
    with pytest.raises(OutOfCreditError):
        state.accept("iprog", "1", "a" * 161, message_id="2")
    assert state.credit_of("iprog") == 1
    assert len(state.texts()) == 1
    assert state.credit_of("ugsms") == 3


@pytest.mark.parametrize(
    ("to", "seconds", "expected"),
    [
        ("639171234567", 0, "pending"),
        ("639171234567", 61, "pending"),
        ("639171234567", 62, "delivered"),
        (f"63917123{FAILS_DELIVERY}", 62, "failed"),
    ],
)
def test_status_moves_with_time(to: str, seconds: float, expected: str) -> None:
    """A text is pending until it is due and some time has passed, and then final."""
    state = SandboxState(delivered_after=2)
    due_at = state.now() + timedelta(seconds=60)
    text = state.accept("iprog", to, "hi", message_id="1", due_at=due_at)
    assert expected == text.state(due_at + timedelta(seconds=seconds - 60))


def test_cancelled_texts_are_not_listed() -> None:
    """A cancelled text can be found by its id, and is not in the inbox."""
    state = SandboxState()
    text = state.accept("iprog", "1", "hi", message_id="1")
    text.cancelled = True
    assert state.texts() == []
    assert text is state.find("iprog", "1")
    assert state.find("ugsms", "1") is None


def test_reset_gives_the_credit_back() -> None:
    """Clearing forgets texts alone; a reset restores the credit too."""
    state = SandboxState()
    state.accept("iprog", "1", "hi", message_id="1")
    assert state.clear() == 1
    assert state.credit_of("iprog") == 999
    assert state.texts() == []
    state.reset()
    assert state.credit_of("iprog") == 1000
