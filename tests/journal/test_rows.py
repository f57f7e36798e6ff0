from __future__ import annotations

import html
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.core.fakes import NUMBER
from support.journal.rows import OURS, accepted, lost, refused, row

from iprog_async import (
    AuthenticationError,
    ClientClosedError,
    ConnectionFailedError,
    InvalidMessageError,
    JournalError,
    Message,
    NotSent,
    RunHaltedError,
    SmsError,
    WrongLoopError,
)
from iprog_async._core.redaction import one_line
from iprog_async._journal.quoted_text import MARK, beginnings, longer, without_text
from iprog_async._journal.rows import Values


def end(values: Values) -> tuple[Any, ...]:
    """Return state, healable, provider, detail and delivery status."""
    return values[5:-1]


def test_columns_that_name_the_message() -> None:
    """Every change of a row repeats what it is about."""
    known = row("released", key="k", run=3)
    ended = (known.as_claimed(), known.as_released(), known.as_ended(accepted()))
    assert {(7, NUMBER, "k", 3, OURS)} == {values[:5] for values in ended}


def test_states_on_the_way() -> None:
    """A row is claimed before its request leaves, and waits again if it did not."""
    assert ("claimed", 0, "", "", None) == end(row("released").as_claimed())
    assert ("released", 0, "", "", None) == end(row("released").as_released())


def test_accepted() -> None:
    """An accepted row holds what its receipt needs."""
    detail = '["iSms-1","639171234567",2,"1.50","sent","SENT",true]'
    assert ("accepted", 0, "iprog", detail, "sent") == end(row("claimed").as_ended(accepted()))


@pytest.mark.parametrize(
    ("error", "healable"),
    [
        (InvalidMessageError("no"), 0),
        (ConnectionFailedError("no"), 1),
        (AuthenticationError("no", provider="iprog", healable=False), 1),
        (ClientClosedError("no"), 1),
        (WrongLoopError("no"), 1),
        (JournalError("no"), 1),
        (RunHaltedError(JournalError("no")), 1),
    ],
)
def test_refusals_that_pass(error: SmsError, healable: int) -> None:
    """Only what lies in the message or its recipient is refused for good."""
    outcome = NotSent(0, Message(NUMBER, "Hi"), error)
    state, passes, provider, _, _ = end(row("claimed").as_ended(outcome))
    assert ("not_sent", healable) == (state, passes)
    assert getattr(error, "provider", "") == provider


@pytest.mark.parametrize(
    ("references", "detail"),
    [
        ((), "no answer within 30 s"),
        (("a", "b"), "no answer within 30 s (the gateway's ids: a, b)"),
    ],
)
def test_unknown(references: tuple[str, ...], detail: str) -> None:
    """An unknown row keeps the reason and whatever ids there are to ask by."""
    outcome = lost(references=references)
    assert ("unknown", 0, "iprog", detail, None) == end(row("claimed").as_ended(outcome))


def test_long_words() -> None:
    """Of a very long error the beginning is kept."""
    detail = end(row("claimed").as_ended(refused(reason="x" * 100_000)))[3]
    assert "x" * 500 == detail


def test_the_text_in_an_error() -> None:
    """A gateway that repeats the text in its refusal does not bring it into the file."""
    outcome = refused(text="Your code is 1234", reason='bad text "Your code is 1234"!')
    assert 'bad text "…"!' == end(row("claimed").as_ended(outcome))[3]


TEXT = "Ana's code\nis 1234: don't share it with anybody who asks, näh"


@pytest.mark.parametrize(
    ("reason", "detail"),
    [
        (f"bad text {one_line(TEXT)!r}!", "bad text \"…\"!"),
        (f"bad text {TEXT!r}!", "bad text \"…\"!"),
        (f"bad: {json.dumps(TEXT)}", 'bad: "…"'),
        (f"bad: {html.escape(TEXT)}", "bad: …"),
        (f"bad: {one_line(TEXT, 30)}", "bad: …"),
        (f"{one_line(f'HTTP 400: {TEXT}', 40)!r}. Look", '"HTTP 400: …". Look'),
        (f"{one_line(TEXT, 20)}, and {one_line(TEXT, 30)}.", "…, and …."),
        ("nothing of it… is here", "nothing of it… is here"),
        ("Ana's… name", "Ana's… name"),
    ],
)  # fmt: skip
def test_a_text_that_is_written_in_another_way(reason: str, detail: str) -> None:
    """With other white space, with escapes, or cut: nothing of it is in the file."""
    assert detail == end(row("claimed").as_ended(refused(text=TEXT, reason=reason)))[3]


_WRITTEN = st.text(st.characters(codec="utf-8", exclude_characters=MARK), max_size=30)


@given(_WRITTEN.filter(bool), st.text(max_size=20), st.integers(1, 30))
def test_words_of_any_kind(text: str, around: str, limit: int) -> None:
    """Whatever is said around a text, and wherever it is cut, it is not in what is left."""
    assert text not in without_text(f"{around}{text}{around}", text)

    letters = "".join(filter(str.isalnum, one_line(text, limit)))
    cut = without_text(f"refused: {one_line(text, limit)}", text)
    assert len(letters) < 8 or letters not in cut


@given(st.text("ab", max_size=20), st.text("ab", min_size=1, max_size=8))
def test_beginnings_of_a_text(said: str, wanted: str) -> None:
    """Found in one pass, they are those that a look at each place would find."""
    looked_for = [
        max(n for n in range(len(wanted) + 1) if said[: end + 1].endswith(wanted[:n]))
        for end in range(len(said))
    ]
    assert looked_for == beginnings(said, wanted)


def test_a_thousand_marks_are_read_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that writes "…" over and over does not hold up the event loop."""
    steps = Counter[str]()

    def counted(wanted: str, back: list[int], size: int, letter: str) -> int:
        steps[letter] += 1
        return longer(wanted, back, size, letter)

    monkeypatch.setattr("iprog_async._journal.quoted_text.longer", counted)
    without_text("abcdefgh " + "z…" * 1000, "abcdefgh" * 20)
    assert 4 * (1000 + 8 + 160) >= steps.total()


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("no: abcdefgh… and abcdefghab… too", "no: … and … too"),
        ("abcdefgh…abcdefgh… too", "… too"),
        ("abcdefghabcdefgh, that is abcdefgh…", "…, that is …"),
    ],
    ids=["apart", "as one", "whole and cut"],
)
def test_what_stands_between_marks_is_left(said: str, left: str) -> None:
    """Where a text is repeated more than once, nothing else of what is said goes with it."""
    assert left == without_text(said, "abcdefgh" * 2)


def test_half_a_character() -> None:
    """Words that can't be encoded are written with a question mark."""
    assert "no ?" == end(row("claimed").as_ended(refused(reason="no \ud800")))[3]


def test_sent_again_in_vain() -> None:
    """What may have been sent stays unknown, however a second sending is refused or fails."""
    doubtful = row("unknown", provider="iprog", detail="no answer", in_doubt=True)

    # A run may send it once more: this time it certainly did not leave.
    assert ("unknown", 1, "iprog", "no answer", None) == end(doubtful.as_released())
    state, _, provider, detail, _ = end(doubtful.as_ended(refused(reason="no credit")))
    assert ("unknown", "iprog") == (state, provider)
    assert "the first sending is unknown, a second one was refused: no credit" == detail
    assert "accepted" == end(doubtful.as_ended(accepted()))[0]
    assert "unknown" == end(doubtful.as_ended(lost()))[0]
