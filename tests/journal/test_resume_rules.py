"""The rules of resuming as a table: each state of a row, and what may be done about it."""

from __future__ import annotations

from typing import Any

import pytest
from support.core.fakes import NUMBER, prepared

from iprog_async import (
    Accepted,
    InvalidMessageError,
    JournalConflictError,
    JournalError,
    NotSent,
    Outcome,
    OutcomeUnknownError,
    Receipt,
    RejectedError,
    SmsError,
    Unknown,
)
from iprog_async._journal.resume_rules import Resume, ResumeRules, remembered
from iprog_async._journal.rows import Row, to_row
from iprog_async.adapter import failed, unclear


SAME, OTHER = b"same", b"other"
STRICT = ResumeRules()
RESEND = ResumeRules(resend_unknown=True)
CHANGED = ResumeRules(allow_changed_text=True)

SEND, SKIP, CONFLICT = Resume.SEND, Resume.SKIP, Resume.CONFLICT


def row(state: str, *, text: bytes = SAME, key: str | None = None, **more: Any) -> Row:
    """Return a row of run 1."""
    fields: dict[str, Any] = {"run": 1, "state": state, **more}
    return Row(1, NUMBER, key, text, **fields)


STATES = {
    "accepted": row("accepted"),
    "refused for good": row("not_sent"),
    "refused for now": row("not_sent", healable=True),
    "released": row("released"),
    "claimed": row("claimed"),
    "unknown": row("unknown"),
}

# What is done with: the same message under strict rules, and with resend_unknown; with another
# text of the same key; and with another text to the same number, of an earlier run.
TABLE = {
    "accepted": (SKIP, SKIP, SKIP, CONFLICT),
    "refused for good": (SKIP, SKIP, SEND, SEND),
    "refused for now": (SEND, SEND, SEND, SEND),
    "released": (SEND, SEND, SEND, SEND),
    "claimed": (SKIP, SEND, SKIP, CONFLICT),
    "unknown": (SKIP, SEND, SKIP, CONFLICT),
}


@pytest.mark.parametrize("name", STATES)
def test_the_same_text(name: str) -> None:
    """A text that an earlier run had is sent or skipped by its state alone."""
    strict, resend, _, _ = TABLE[name]
    known = STATES[name]
    assert (strict, known) == STRICT.decide([known], None, SAME, 2)
    assert (strict, known) == CHANGED.decide([known], None, SAME, 2)
    assert (resend, known) == RESEND.decide([known], None, SAME, 2)


@pytest.mark.parametrize("run", [0, 2])
@pytest.mark.parametrize("name", STATES)
def test_the_same_key(name: str, run: int) -> None:
    """A key names a message whatever its text; a text that was refused for good may be fixed."""
    strict, resend, fixed, _ = TABLE[name]
    known = row(STATES[name].state, key="a", healable=STATES[name].healable)
    assert (strict, known) == STRICT.decide([known], "a", SAME, run)
    assert (resend, known) == RESEND.decide([known], "a", SAME, run)
    assert (fixed, known) == STRICT.decide([known], "a", OTHER, run)


@pytest.mark.parametrize("name", STATES)
def test_another_text(name: str) -> None:
    """Another text conflicts with what an earlier run sent or may have sent, and else does not."""
    earlier = TABLE[name][3]
    known = STATES[name]
    expected = (earlier, known if earlier is CONFLICT else None)
    assert expected == STRICT.decide([known], None, OTHER, 2)
    assert expected == RESEND.decide([known], None, OTHER, 2)
    assert (SEND, None) == STRICT.decide([known], None, OTHER, 1)
    assert (SEND, None) == CHANGED.decide([known], None, OTHER, 2)


# Key of the row, its run, the key of the message, whether their texts are equal; and whether
# that is a conflict in run 2, once the row's text was sent.
OTHERS = [
    (None, 1, None, False, True),
    (None, 1, "a", False, True),
    (None, 1, "a", True, True),
    ("a", 1, None, False, True),
    ("a", 1, None, True, True),
    ("a", 1, "b", True, False),
    ("a", 0, None, False, False),
    ("a", 0, None, True, True),
    ("a", 0, "b", True, False),
    (None, 2, "a", True, False),
    ("a", 2, None, True, False),
]


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize(("known_key", "run", "key", "equal", "conflicts"), OTHERS)
def test_another_message_for_the_number(
    name: str, known_key: str | None, run: int, key: str | None, equal: bool, conflicts: bool
) -> None:
    """A key given or left out texts nobody again; another key, or a single send, is another."""
    known = row(STATES[name].state, key=known_key, healable=STATES[name].healable, run=run)
    text = SAME if equal else OTHER
    is_conflict = conflicts and TABLE[name][3] is CONFLICT

    expected = (CONFLICT, known) if is_conflict else (SEND, None)
    assert expected == STRICT.decide([known], key, text, 2)
    assert (SEND, None) == CHANGED.decide([known], key, text, 2)
    if key is not None:
        # A single send asks for its own key only.
        assert (SEND, None) == STRICT.decide([known], key, text, 0)


def test_a_number_without_rows_is_sent() -> None:
    """Whoever is not in the journal gets the text."""
    assert (SEND, None) == STRICT.decide([], None, SAME, 1)


def test_the_same_text_counts_before_a_conflict() -> None:
    """A number that had both texts is skipped for either, and not a conflict."""
    first, second = row("accepted", text=OTHER), row("accepted")
    assert (SKIP, second) == STRICT.decide([first, second], None, SAME, 2)


@pytest.mark.parametrize(
    ("known", "key", "words"),
    [
        (row("accepted", text=OTHER), None, f"campaign sent {NUMBER} another text. Nothing was"),
        (row("claimed", text=OTHER), None, f"campaign may have sent {NUMBER} another text"),
        (row("accepted"), "a", "a text that had no key, and this one has one"),
        (row("accepted", key="a"), None, "a text that had a key, and this one has none"),
        (row("accepted", key="a", run=0), None, "a single send with the key 'a' sent"),
    ],
)
def test_a_conflict_says_what_is_known(known: Row, key: str | None, words: str) -> None:
    """The outcome of a conflict says to whom, what the earlier text was, and what to do."""
    outcome = remembered(known, CONFLICT, prepared(7, key=key))
    assert isinstance(outcome, NotSent)
    assert isinstance(outcome.error, JournalConflictError)
    assert (7, NUMBER, False) == (outcome.index, outcome.error.number, outcome.error.healable)
    for part in (words, NUMBER, "Nothing was sent now; if it shall get both, open the journal"):
        assert part in str(outcome.error)


@pytest.mark.parametrize("state", ["claimed", "unknown"])
def test_an_unknown_outcome_stays_unknown(state: str) -> None:
    """A message in doubt is handed out as unknown, with the reason if there is one."""
    outcome = remembered(row(state, detail="hung up", provider="fake"), SKIP, prepared())
    assert isinstance(outcome, Unknown)
    assert ("fake", "hung up") == (outcome.error.provider, outcome.error.reason)


def test_a_claim_without_an_end_says_so() -> None:
    """A row that was left claimed tells in words what happened."""
    outcome = remembered(row("claimed"), SKIP, prepared())
    assert isinstance(outcome, Unknown)
    assert "an earlier run ended while it was on its way" == outcome.error.reason


@pytest.mark.parametrize(
    ("provider", "error"), [("fake", RejectedError), ("", InvalidMessageError)]
)
def test_a_refusal_stays_refused(provider: str, error: type[SmsError]) -> None:
    """A refusal is handed out with its words: the gateway's, or our own where none was asked."""
    outcome = remembered(row("not_sent", detail="no", provider=provider), SKIP, prepared())
    assert isinstance(outcome, NotSent)
    assert (error, "no") == (type(outcome.error), str(outcome.error))


@pytest.mark.parametrize(
    "detail",
    [
        "",
        "{}",
        "[]",
        "nonsense",
        '["id","1",1,"free","pending","",false]',
        '["id","1",1,null,"gone","",false]',
    ],
)
def test_a_damaged_receipt_is_no_receipt(detail: str) -> None:
    """A receipt that can't be read back is not made up, and its text is not called unsent."""
    outcome = remembered(row("accepted", detail=detail, provider="fake"), SKIP, prepared())
    assert isinstance(outcome, Unknown)
    assert "as accepted, and the receipt can't be read: row 1" in str(outcome.error)
    assert outcome.error.not_resent is None


ENDS: list[tuple[Outcome, str, bool]] = [
    (Accepted(0, prepared().message, Receipt("fake", "id", "1", 1)), "accepted", False),
    (unclear(prepared(), "fake", "hung up"), "unknown", False),
    (failed(prepared(), RejectedError("no", provider="fake")), "not_sent", False),
    (failed(prepared(), RejectedError("no", provider="fake", healable=True)), "not_sent", True),
    (failed(prepared(), RejectedError("no", provider="fake", blame="account")), "not_sent", True),
    (failed(prepared(), InvalidMessageError("no")), "not_sent", False),
    (failed(prepared(), JournalError("no disk")), "not_sent", True),
]


@pytest.mark.parametrize(("outcome", "state", "healable"), ENDS)
def test_how_an_outcome_is_recorded(outcome: Outcome, state: str, healable: bool) -> None:
    """Each outcome has its state, and whether another time could be better."""
    ended: Any = row("claimed").as_ended(outcome)
    recorded = to_row(ended)
    assert (state, healable) == (recorded.state, recorded.healable)


@pytest.mark.parametrize(("outcome", "state", "healable"), ENDS)
def test_a_second_sending_in_doubt(outcome: Outcome, state: str, healable: bool) -> None:
    """After an unknown first sending, a refusal of the second proves nothing about the first."""
    ended: Any = row("unknown", in_doubt=True, provider="fake").as_ended(outcome)
    assert ("accepted" if state == "accepted" else "unknown") == to_row(ended).state
    released: Any = row("unknown", in_doubt=True).as_released()
    assert "unknown" == to_row(released).state


@pytest.mark.parametrize(("outcome", "state", "healable"), ENDS)
def test_what_is_sent_again_in_vain_still_waits_in_that_run(
    outcome: Outcome, state: str, healable: bool
) -> None:
    """As of what was never in doubt: what did not leave for now is sent once more, by who may."""
    doubtful = row("unknown", in_doubt=True, run=2)
    ended: Any = doubtful.as_ended(outcome)
    released: Any = doubtful.as_released()
    for values, waits in ((ended, healable), (released, True)):
        known = to_row(values)
        assert (SEND if waits else SKIP, known) == RESEND.decide([known], None, SAME, 2)
        assert (SKIP, known) == STRICT.decide([known], None, SAME, 2)


@pytest.mark.parametrize("name", ["claimed", "unknown"])
def test_what_became_unknown_in_a_run_is_not_sent_again_in_it(name: str) -> None:
    """Only a later run may do that."""
    known = STATES[name]
    assert (SKIP, known) == RESEND.decide([known], None, SAME, known.run)


def test_the_ids_of_an_unknown_outcome_are_kept() -> None:
    """What a gateway gave of ids helps whoever looks the text up there."""
    error = OutcomeUnknownError("?", provider="fake", reason="odd", references=("a", "b"))
    ended: Any = row("claimed").as_ended(failed(prepared(), error))
    assert "odd (the gateway's ids: a, b)" == to_row(ended).detail


def test_a_long_or_broken_detail_is_cut() -> None:
    """Words that no file can hold do not keep an outcome from being recorded."""
    error = RejectedError("\ud800" + "x" * 9999, provider="fake")
    ended: Any = row("claimed").as_ended(failed(prepared(), error))
    assert "?" + "x" * 499 == to_row(ended).detail
