"""Where codes are kept: whatever the journal is, all that use it know the same ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from attrs import evolve
from support.codes import another, codes_on
from support.core.fakes import NUMBER, FakeProvider

from iprog_async import Journal, JournalError, LimitExceededError, Rate, SmsClient
from iprog_async._limits.store import MemoryStore
from iprog_async.codes import Codes
from iprog_async.codes._slot_store import SlotStore
from iprog_async.codes._slots import LiveCode, Rules, Slot, issue


RULES = Rules(lifetime=60, tries=3, cooldown=60, per_number=Rate(1, 60))


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return where a journal is."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_journal"))
    return str(tmp_path / "texts.db")


async def test_one_process_sends_and_another_one_checks(place: str) -> None:
    """Two apps over one journal are as one: for codes, for guesses, for the wait."""
    provider = FakeProvider()
    with Journal.open(place) as one, Journal.open(place) as two:
        async with (
            SmsClient(provider, journal=one) as sms,
            SmsClient(FakeProvider(), journal=two) as other_sms,
            Codes(sms) as codes,
            Codes(other_sms) as other,
        ):
            await codes.send(NUMBER)
            (code,) = codes_on(provider)
            assert 4 == (await other.verify(NUMBER, another(code))).tries_left
            with pytest.raises(LimitExceededError):
                await other.send(NUMBER)
            assert await other.verify(NUMBER, code)
            assert not await codes.verify(NUMBER, code)


async def test_neither_number_nor_code_is_kept(tmp_path: Path) -> None:
    """The files of a journal have a hash of each."""
    provider = FakeProvider()
    with Journal.open(tmp_path / "texts.db") as journal:
        async with SmsClient(provider, journal=journal) as sms, Codes(sms) as codes:
            await codes.send(NUMBER)
            (code,) = codes_on(provider)
            kept = read_all(tmp_path)

    assert not [word for word in (NUMBER, NUMBER[3:], code) if word.encode() in kept]


async def test_a_store_that_is_gone_sends_nothing(tmp_path: Path) -> None:
    """Where codes can't be kept none is sent: nobody could be let in by it."""
    provider = FakeProvider()
    with Journal.open(tmp_path / "texts.db") as journal:
        async with SmsClient(provider, journal=journal) as sms, Codes(sms) as codes:
            limits = tmp_path / "texts.db-limits"
            limits.unlink(missing_ok=True)
            limits.mkdir()
            with pytest.raises(JournalError, match="codes can't be kept"):
                await codes.send(NUMBER)

    assert [] == provider.sent


async def test_what_is_over_goes_when_a_neighbour_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many people ask for a code, what is kept is what still counts."""
    monkeypatch.setattr("iprog_async.codes._slot_store._BUCKET_BYTES", 0)
    now = 0.0
    store = MemoryStore(lambda: now)
    slots = SlotStore(store, RULES)
    for person in range(50):
        await slots.change(f"+63917{person:07}", "login", _issue)
        now += 10

    (state,) = [await store.change(b"codes", lambda state, _: (state, state))]
    assert 6 == len(json.loads(state)["slots"])


async def test_a_neighbour_is_held_to_its_own_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes that live long are not swept away by others that do not."""
    monkeypatch.setattr("iprog_async.codes._slot_store._BUCKET_BYTES", 0)
    now = 0.0
    store = MemoryStore(lambda: now)
    long = evolve(RULES, lifetime=3600)
    await SlotStore(store, long).change(
        NUMBER, "pay", lambda slot, at: (issue(slot, at, LiveCode("1"), long), None)
    )
    now = 100.0
    await SlotStore(store, RULES).change(NUMBER, "login", _issue)

    slot = await SlotStore(store, long).change(NUMBER, "pay", lambda slot, _: (slot, slot))
    assert slot.live is not None


def read_all(folder: Path) -> bytes:
    """Return the bytes of every file of a folder."""
    return b"".join(file.read_bytes() for file in folder.iterdir())


def _issue(slot: Slot, now: float) -> tuple[Slot, None]:
    return issue(slot, now, LiveCode("1"), RULES), None
