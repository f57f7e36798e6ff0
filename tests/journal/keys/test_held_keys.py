"""Whose a key is that is being sent: nobody else lets go of it, however late it ends."""

from __future__ import annotations

import asyncio

import pytest
from support.core.fakes import NUMBER, prepared
from support.journal.gate import Gate
from support.journal.journaling import Place, take

from iprog_async import Journal, NotSent, RejectedError
from iprog_async._journal.keys import KeyHolder, KeysUnderWay
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.single_ledger import SingleLedger


IDENTITY = NUMBER, "k"


async def test_an_outcome_that_is_written_late_frees_nobody_elses_key(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that has ended hears of its last outcome while somebody else sends the key."""
    with Journal.open(path) as journal:
        ledger = await Ledger.of_run(journal)
        batch, _ = await ledger.admit([prepared(to=NUMBER, key="k")])
        await take(ledger.claim(batch))
        gate = Gate(monkeypatch)
        refusal = RejectedError("try later", provider="fake")
        refusal.healable = True
        recorded = ledger.record(batch, [NotSent(0, batch[0].message, refusal)])
        ledger.end()
        other = SingleLedger(journal)
        sending = asyncio.create_task(other.admit_single(batch[0]))
        await asyncio.sleep(0)
        gate.opened.set()
        assert (None, None) == (await recorded, await sending)
        assert {IDENTITY} == set(journal.under_way)
        other.end()
        assert set() == set(journal.under_way)


async def test_only_who_has_a_key_lets_go_of_it() -> None:
    """It is taken once, and freed by its holder, who may say so any number of times."""
    keys, one, two = KeysUnderWay(), KeyHolder(), KeyHolder()
    assert [True, False] == [keys.take(IDENTITY, one), keys.take(IDENTITY, two)]
    keys.let_go(IDENTITY, two)
    assert {IDENTITY} == set(keys)
    keys.let_go(IDENTITY, one)
    assert keys.take(IDENTITY, two)
    keys.let_go(IDENTITY, one)
    assert [IDENTITY] == list(keys)


def test_a_key_of_a_closed_loop_is_free() -> None:
    """Whoever takes it has it, whatever is told of the one before."""
    keys, holders = KeysUnderWay(), list[KeyHolder]()

    async def take_it() -> bool:
        holders.append(KeyHolder())
        return keys.take(IDENTITY, holders[-1])

    assert [True, True] == [asyncio.run(take_it()) for _ in range(2)]
    keys.let_go(IDENTITY, holders[0])

    async def take_again() -> bool:
        return keys.take(IDENTITY, KeyHolder())

    assert (0, True) == (len(keys), asyncio.run(take_again()))
