"""What a run would do, without any network."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from tempfile import TemporaryDirectory
from typing import Any

from attrs import define, evolve, field, frozen

from iprog_async._bulk.characters import CharacterTally, CostlyCharacter
from iprog_async._bulk.gsm7_saving import Gsm7Saving, Gsm7Tally
from iprog_async._bulk.preparation import Preparation, Window
from iprog_async._bulk.recipients import PeopleTally, SeveralTexts
from iprog_async._core.amounts import parse_amount
from iprog_async._core.errors import (
    ConfigurationError,
    DuplicateMessageError,
    ExpiredError,
    JournalConflictError,
    NumberRepeatedError,
    SuppressedError,
)
from iprog_async._core.gsm7.replacement import Gsm7, rewrite
from iprog_async._core.messages import PreparedMessage
from iprog_async._core.outcomes import NotSent, Unknown
from iprog_async._core.segments import Encoding
from iprog_async._journal.journal import Journal
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.places import would_be_made
from iprog_async._policies.gate import Gate


_EXAMPLES = 20
_KINDS = (
    "recipients",
    "invalid",
    "duplicates",
    "repeated",
    "suppressed",
    "conflicts",
    "resumed",
)
_COUNTED = (*_KINDS, "segments", "batches", "unknown", "waiting", "expired")
_LOOK_ALIKES = Gsm7()


@frozen(kw_only=True)
class BulkPlan:
    """What a run over the same messages would do.

    Args:
        total: Messages that were read.
        recipients: Messages that would be sent, each to one recipient.
        invalid: Messages that can't be sent as they are.
        invalid_rows: The first of those, with their index and error.
        duplicates: Messages equal to an earlier one, which is sent instead.
        suppressed: Messages for numbers that are never to be texted.
        conflicts: Messages for numbers that an earlier run sent another one, by the journal.
        resumed: Messages that are not sent for what an earlier run came to, by the journal.
        segments: Segments of the messages that would be sent. A gateway may take more than a
            credit for each, such as where its account adds a header and a footer to each text.
        encodings: How many of those messages travel as `"GSM-7"` and as `"UCS-2"`.
        batches: Requests that would be made, if the gateway refuses none, beside the few small
            ones that a run begins with.
        cost: What it would cost, where a price per segment was given.
        in_doubt: Those of the recipients whose text an earlier run may have sent already: with
            `resend_unknown` they may get it twice.
        first: The first message that would be sent, as it would go out.
        max_credits: The most segments the run may spend, where that was given.
        unknown: Those of the resumed that an earlier run may have sent, or may not.
        repeated: Messages that are not sent because their number gets an earlier one, with
            `one_per_number`.
        numbers: How many numbers would be texted.
        several: How many of them would get more than one text.
        several_texts: The first of those, with the indexes of their messages.
        countries: How many of the messages go to which region, the most frequent first; `"001"`
            stands for numbers of no country.
        landlines: Messages for numbers that are certainly landlines: they are charged, and most
            can't show a text. Adapters of gateways that send to mobiles only refuse them.
        with_plus: Messages whose number names its country with a plus sign, or `00`.
        characters: What makes texts travel as UCS-2, the costliest first.
        characters_extra: Segments that those texts have more than they would in GSM-7.
        saved: What `encoding="gsm-7"` saves: `segments` and `cost` are without them.
        savable: What `encoding="gsm-7"` would save of the texts that go out as they are given.
        waiting: Those of the recipients that would have to wait, if their turn were now, such as
            for the hours of `send_between`.
        waits_until: When the first of them may be sent.
        expired: Those of the invalid that could not leave before their `not_after`.
    """

    total: int
    recipients: int
    invalid: int
    invalid_rows: tuple[NotSent, ...] = field(repr=False)
    duplicates: int
    suppressed: int
    conflicts: int
    resumed: int
    segments: int
    encodings: Mapping[Encoding, int]
    batches: int
    cost: Decimal | None = None
    in_doubt: int = 0
    first: PreparedMessage | None = field(default=None, repr=False)
    max_credits: int | None = None
    unknown: int = 0
    repeated: int = 0
    numbers: int = 0
    several: int = 0
    several_texts: tuple[SeveralTexts, ...] = field(default=(), repr=False)
    countries: Mapping[str, int] = field(factory=dict[str, int])
    landlines: int = 0
    with_plus: int = 0
    characters: tuple[CostlyCharacter, ...] = field(default=(), repr=False)
    characters_extra: int = 0
    saved: Gsm7Saving = field(default=Gsm7Saving(), repr=False)
    savable: Gsm7Saving = field(default=Gsm7Saving(), repr=False)
    waiting: int = 0
    waits_until: datetime | None = None
    expired: int = 0

    @property
    def exceeds_max_credits(self) -> bool:
        """Whether the run would stop at `max_credits`, before it has sent everything."""
        return self.max_credits is not None and self.credits > self.max_credits

    @property
    def credits(self) -> int:
        """What `max_credits` counts, unless the gateway takes more: a credit for each segment."""
        return self.segments

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON-ready data."""
        rows = [{"index": row.index, "error": str(row.error)} for row in self.invalid_rows]
        return {
            "total": self.total,
            "recipients": self.recipients,
            "in_doubt": self.in_doubt,
            "invalid": self.invalid,
            "invalid_rows": rows,
            "expired": self.expired,
            "duplicates": self.duplicates,
            "repeated": self.repeated,
            "suppressed": self.suppressed,
            "conflicts": self.conflicts,
            "resumed": self.resumed,
            "unknown": self.unknown,
            "segments": self.segments,
            "credits": self.credits,
            "encodings": dict(self.encodings),
            "characters": [character.to_dict() for character in self.characters],
            "characters_extra": self.characters_extra,
            "saved": self.saved.to_dict(),
            "savable": self.savable.to_dict(),
            "waiting": self.waiting,
            "waits_until": None if self.waits_until is None else self.waits_until.isoformat(),
            "numbers": self.numbers,
            "several": self.several,
            "several_texts": [one.to_dict() for one in self.several_texts],
            "countries": dict(self.countries),
            "landlines": self.landlines,
            "with_plus": self.with_plus,
            "batches": self.batches,
            "cost": None if self.cost is None else str(self.cost),
            "max_credits": self.max_credits,
            "exceeds_max_credits": self.exceeds_max_credits,
        }


def to_price(value: Decimal | int | str | None) -> Decimal | None:
    """Turn what users pass as `price=` into an amount.

    Raises:
        ConfigurationError: It is no amount, or less than zero.
    """
    if value is None:
        return None
    try:
        price = parse_amount(str(value) if isinstance(value, Decimal) else value)
    except ValueError:
        price = Decimal(-1)
    if price < 0:
        raise ConfigurationError(f"{value!r} is no price of a segment")
    return price


async def make_plan(
    preparation: Preparation,
    journal: Journal | str | os.PathLike[str] | None,
    *,
    price: Decimal | None,
    max_credits: int | None,
    left_out: Callable[[NotSent], None] | None,
    gate: Gate | None,
) -> BulkPlan:
    """Read all messages as a run would, and count what would become of them."""
    tally = _Tally(left_out)
    try:
        async with _opened(journal) as opened:
            await _read_all(preparation, opened, tally, gate)
    finally:
        await preparation.aclose()
    return tally.result(price, max_credits)


@asynccontextmanager
async def _opened(
    journal: Journal | str | os.PathLike[str] | None,
) -> AsyncGenerator[Journal | None]:
    """Open a journal as a run would; one that is not there is not made by a preview."""
    if journal is None or isinstance(journal, Journal):
        yield journal
        return
    with TemporaryDirectory() as empty:
        made = await asyncio.to_thread(would_be_made, journal)
        opened = await Journal.open_aside(os.path.join(empty, "journal.db") if made else journal)
        try:
            yield opened
        finally:
            await asyncio.to_thread(opened.close)


async def _read_all(
    preparation: Preparation, journal: Journal | None, tally: _Tally, gate: Gate | None
) -> None:
    ledger = None
    if journal is not None:
        ledger = await Ledger.of_run(journal, one_per_number=preparation.one_per_number)
    try:
        await preparation.open(ledger)
        while not tally.done:
            window = await preparation.next_window()
            if window.problem is not None:
                raise window.problem
            if gate is not None:
                window = await _asked(window, gate, tally)
            tally.add(window)
            if ledger is not None:
                tally.in_doubt += ledger.in_doubt(window.fresh)
                ledger.forget(window.fresh)
    finally:
        if ledger is not None:
            ledger.end()
            await ledger.ended()


async def _asked(window: Window, gate: Gate, tally: _Tally) -> Window:
    """Return a window without what policies refuse, and note what has to wait."""
    refused: dict[int, NotSent] = {}
    for prepared in window.fresh:
        held = await gate.preview(prepared)
        if isinstance(held, NotSent):
            refused[prepared.index] = held
        elif held is not None:
            tally.note_waiting(held.time)
    fresh = [prepared for prepared in window.fresh if prepared.index not in refused]
    return evolve(window, fresh=fresh, refused=[*window.refused, *refused.values()])


@define
class _Tally:
    left_out: Callable[[NotSent], None] | None
    done: bool = False
    in_doubt: int = 0
    first: PreparedMessage | None = None
    waits_until: datetime | None = None
    _counts: dict[str, int] = field(factory=lambda: dict.fromkeys(_COUNTED, 0))
    _encodings: dict[Encoding, int] = field(factory=dict[Encoding, int])
    _people: PeopleTally = field(factory=PeopleTally)
    _characters: CharacterTally = field(factory=CharacterTally)
    _saved: Gsm7Tally = field(factory=Gsm7Tally)
    _savable: Gsm7Tally = field(factory=Gsm7Tally)
    _invalid_rows: list[NotSent] = field(factory=list[NotSent])

    def add(self, window: Window) -> None:
        counts, encodings = self._counts, self._encodings
        self.done = window.last
        for prepared in window.fresh:
            segments = prepared.segments
            counts["segments"] += segments.count
            encodings[segments.encoding] = encodings.get(segments.encoding, 0) + 1
            self._people.add(prepared)
            if segments.forced_by:
                self._characters.add(prepared.wire.text, segments)
                if (found := rewrite(prepared.wire.text, _LOOK_ALIKES)) is not None:
                    self._savable.add(found)
            elif prepared.gsm7 is not None:
                self._saved.add(prepared.gsm7)
        counts["recipients"] += len(window.fresh)
        counts["batches"] += len(window.batches)
        if self.first is None and window.fresh:
            self.first = window.fresh[0]
        for refused in window.refused:
            counts[_kind(refused)] += 1
            counts["expired"] += isinstance(refused.error, ExpiredError)
            self._tell(refused)
            if _kind(refused) == "invalid" and len(self._invalid_rows) < _EXAMPLES:
                self._invalid_rows.append(refused)
        for known in window.known:
            if isinstance(known, NotSent) and isinstance(known.error, JournalConflictError):
                counts["conflicts"] += 1
                self._tell(known)
            else:
                counts["resumed"] += 1
                counts["unknown"] += isinstance(known, Unknown)

    def note_waiting(self, until: datetime) -> None:
        self._counts["waiting"] += 1
        self.waits_until = min(until, self.waits_until or until)

    def _tell(self, outcome: NotSent) -> None:
        if self.left_out is not None:
            self.left_out(outcome)

    def result(self, price: Decimal | None, max_credits: int | None) -> BulkPlan:
        counts, people = self._counts, self._people
        return BulkPlan(
            total=sum(counts[kind] for kind in _KINDS),
            invalid_rows=tuple(self._invalid_rows),
            encodings=self._encodings,
            cost=None if price is None else price * counts["segments"],
            in_doubt=self.in_doubt,
            first=self.first,
            waits_until=self.waits_until,
            max_credits=max_credits,
            numbers=people.numbers,
            several=people.several,
            several_texts=people.examples(),
            countries=people.by_country(),
            landlines=people.landlines,
            with_plus=people.with_plus,
            characters=self._characters.result(),
            characters_extra=self._characters.extra,
            saved=self._saved.result(),
            savable=self._savable.result(),
            **counts,
        )


def _kind(refused: NotSent) -> str:
    match refused.error:
        case NumberRepeatedError():
            return "repeated"
        case DuplicateMessageError():
            return "duplicates"
        case SuppressedError():
            return "suppressed"
        case _:
            return "invalid"
