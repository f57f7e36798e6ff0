from __future__ import annotations

from pathlib import Path

import pytest

from soak.books import ACCEPTED, NOT_SENT, PENDING, UNKNOWN, WRONG_ANSWER, Lane, Tally
from soak.mishaps import MISHAPS, Deck
from soak.texts import common_text, lane_of, own_text, wire_number


@pytest.mark.parametrize(
    ("mark", "deliveries", "is_lie"),
    [
        (ACCEPTED, 1, False),
        (ACCEPTED, 0, True),
        (ACCEPTED, 2, True),
        (NOT_SENT, 0, False),
        (NOT_SENT, 1, True),
        (UNKNOWN, 0, False),
        (UNKNOWN, 1, False),
        (UNKNOWN, 2, True),
        (PENDING, 0, True),
        (WRONG_ANSWER, 1, True),
    ],
)
def test_lies_show(mark: int, deliveries: int, is_lie: bool) -> None:
    """Texts that came twice, or not as the sender says, are in the tally, and no others."""
    lie = {(chr(mark), deliveries): 1} if is_lie else {}
    assert lie == Tally.of(bytes([ACCEPTED, mark]), bytes([1, deliveries])).lies


def test_what_never_came_counts_as_not_delivered() -> None:
    """Texts behind the last that the gateway knows were not delivered."""
    tally = Tally.of(bytes([ACCEPTED, UNKNOWN, ACCEPTED]), bytes([1]))
    assert ({("A", 0): 1}, 1) == (tally.lies, tally.delivered)


def test_what_nobody_sent_is_a_lie() -> None:
    """A delivery behind the sender's last text has no mark."""
    assert {("\0", 1): 1} == Tally.of(bytes([ACCEPTED]), bytes([1, 1])).lies


def test_lanes_count(tmp_path: Path) -> None:
    """A lane counts each delivery of each text."""
    lane = Lane("lane")
    for index in (2, 0, 2):
        lane.deliver(index)
    lane.save(tmp_path)
    assert b"\1\0\2" == (tmp_path / "lane").read_bytes()


def test_text_of_another_number_is_noticed() -> None:
    """A text tells whose it is, unless all of the lane get it."""
    assert "a" == lane_of(own_text("a", 3), wire_number(3))
    assert "a" == lane_of(common_text("a"), wire_number(4))
    with pytest.raises(ValueError, match="got the text of number 3"):
        lane_of(own_text("a", 3), wire_number(4))


def test_each_mishap_happens() -> None:
    """One deck deals every mishap as often as it has cards."""
    deck = Deck(seed=3)
    dealt = [deck.draw().name for _ in range(sum(mishap.cards for mishap in MISHAPS))]
    assert {m.name: m.cards for m in MISHAPS} == {m.name: dealt.count(m.name) for m in MISHAPS}
