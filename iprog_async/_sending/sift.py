"""What came of the messages of a request: their outcome, another turn, or what others did."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

from attrs import define, field

from iprog_async._core.errors import JournalError
from iprog_async._core.messages import Batch, PreparedMessage
from iprog_async._core.outcomes import NotSent, Outcome
from iprog_async._http.send_context import was_withdrawn
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.rows_claim import RowsClaim
from iprog_async._journal.store import ClaimLostError


@define
class Sifted:
    """Messages of a request, by what becomes of them.

    Args:
        settled: Those that have come to their outcome.
        outcomes: These outcomes.
        back: Those that were not sent and wait again.
        withdrawn: What came of these at the time, which nobody sees.
        taken: Those that somebody else had as their turn came.
        lost: What came of these at the time, which nobody sees either.
        refused: Those that are not sent, and were not claimed as that came out: somebody else may
            have sent them since they were looked up.
        refusals: What came of these, unless somebody else has.
    """

    settled: Batch = ()
    outcomes: Sequence[Outcome] = ()
    back: list[PreparedMessage] = field(factory=list[PreparedMessage])
    withdrawn: list[Outcome] = field(factory=list[Outcome])
    taken: list[PreparedMessage] = field(factory=list[PreparedMessage])
    lost: list[Outcome] = field(factory=list[Outcome])
    refused: list[PreparedMessage] = field(factory=list[PreparedMessage])
    refusals: list[Outcome] = field(factory=list[Outcome])

    def add_open(self, other: Sifted) -> None:
        """Add those of another request that have come to no outcome yet."""
        self.back += other.back
        self.withdrawn += other.withdrawn
        self.taken += other.taken
        self.lost += other.lost
        self.add_refused(other.refused, other.refusals)

    def add_refused(self, refused: Batch, refusals: Sequence[Outcome]) -> None:
        """Add messages that are not sent, and that somebody else may have sent meanwhile."""
        self.refused += refused
        self.refusals += refusals


def was_taken(outcomes: Sequence[Outcome]) -> bool:
    """Return whether somebody else had a message of a request; others of it may have left."""
    return any(map(_is_lost, outcomes))


def sift(part: Batch, outcomes: Sequence[Outcome], *, recorded: bool) -> Sifted:
    """Sort out the messages of a request.

    Args:
        part: Its messages.
        outcomes: What came of them.
        recorded: Whether there is a ledger, which knows what others did with what they had.
    """
    if not any(was_withdrawn(outcome) or _is_lost(outcome) for outcome in outcomes):
        return Sifted(part, outcomes)
    settled: list[PreparedMessage] = []
    kept: list[Outcome] = []
    sifted = Sifted(settled, kept)
    for prepared, outcome in zip(part, outcomes, strict=True):
        if was_withdrawn(outcome):
            sifted.back.append(prepared)
            sifted.withdrawn.append(outcome)
        elif recorded and _is_lost(outcome):
            sifted.taken.append(prepared)
            sifted.lost.append(outcome)
        else:
            settled.append(prepared)
            kept.append(outcome)
    return sifted


def sift_refused(
    part: Batch, outcomes: Sequence[Outcome], claim: RowsClaim, ledger: Ledger
) -> Sifted:
    """Sort out the messages of a request that were refused while others could have them.

    Most refusals are a gateway's answer to what was claimed; the others came before the claim was
    made, or after it was given back.
    """
    settled: list[PreparedMessage] = []
    kept: list[Outcome] = []
    sifted = Sifted(settled, kept)
    for prepared, outcome in zip(part, outcomes, strict=True):
        if isinstance(outcome, NotSent) and not ledger.holds(prepared, claim):
            sifted.add_refused([prepared], [outcome])
        else:
            settled.append(prepared)
            kept.append(outcome)
    return sifted


async def ask_about_refused(
    refused: Batch, refusals: Sequence[Outcome], ledger: Ledger
) -> tuple[Sifted, list[Outcome]]:
    """Look up whether somebody else has sent messages that this run does not send.

    Returns:
        The same messages, sorted out, and the outcomes that others brought the `taken` ones to.
        The others are settled: where the journal can't be read, see `Ledger.told`.
    """
    ended = {outcome.index: outcome for outcome in await ledger.given_up(refused)}
    settled: list[PreparedMessage] = []
    kept: list[Outcome] = []
    found = Sifted(settled, kept)
    for prepared, refusal in zip(refused, refusals, strict=True):
        if prepared.index in ended:
            found.taken.append(prepared)
            found.lost.append(refusal)
        else:
            settled.append(prepared)
            kept.append(refusal)
    ledger.forget(found.taken)
    return found, [ended[prepared.index] for prepared in found.taken]


async def look_again(sifted: Sifted, ledger: Ledger) -> tuple[Sifted, list[Outcome]]:
    """Look up what became of the messages that somebody else had.

    Returns:
        The same messages, sorted out, and the outcomes that others brought the `taken` ones to.
        Those wait again that may be sent now, and those are settled that can't be looked up.
    """
    settled: list[PreparedMessage] = []
    kept: list[Outcome] = []
    found, elsewhere = Sifted(settled, kept), list[Outcome]()
    for prepared, lost, ended in zip(
        sifted.taken, sifted.lost, await _ended(sifted, ledger), strict=True
    ):
        if ended is None:
            found.back.append(prepared)
            found.withdrawn.append(lost)
        elif ended is lost:
            settled.append(prepared)
            kept.append(lost)
        else:
            found.taken.append(prepared)
            found.lost.append(lost)
            elsewhere.append(ended)
    return found, elsewhere


async def _ended(sifted: Sifted, ledger: Ledger) -> Sequence[Outcome | None]:
    try:
        return await ledger.look_again(sifted.taken)
    except JournalError as exc:
        # The next claim says what the journal has of those that travelled with the taken one.
        ended = [
            lost if _is_of(lost, prepared) else None
            for prepared, lost in zip(sifted.taken, sifted.lost, strict=True)
        ]
        ledger.doubt(compress(sifted.taken, ended), exc)
        return ended


def _is_lost(outcome: Outcome) -> bool:
    return isinstance(outcome, NotSent) and isinstance(outcome.error, ClaimLostError)


def _is_of(lost: Outcome, prepared: PreparedMessage) -> bool:
    """Return whether it was this very message that somebody else had; its key may be another."""
    error = lost.error if isinstance(lost, NotSent) else None
    return isinstance(error, ClaimLostError) and error.number == prepared.e164
