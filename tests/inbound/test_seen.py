"""What a store promises that knows which incoming texts were handled."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from iprog_async import Inbound
from iprog_async.inbound import _seen
from iprog_async.inbound._seen import (
    LEASE,
    MemorySeenStore,
    Record,
    SeenStore,
    begun,
    decide,
    key_of,
)
from iprog_async.inbound._seen_places import open_seen


KEY, OTHER = b"key", b"other"
ME, YOU = b"me", b"you"
TEXT = Inbound("+639171234567", "Hi", "8080", "infopromo")


@pytest.fixture
def seen(place: Path | str) -> Iterator[SeenStore]:
    """Return a store of each kind; beside a list of lines it is the process's memory."""
    store = open_seen(place)
    yield store
    store.close()


def test_text_is_new_once(seen: SeenStore) -> None:
    """Of two that are told of a text one handles it, and later nobody does; others are others."""
    assert ["new", "busy", "new"] == [
        seen.begin(KEY, ME, 60),
        seen.begin(KEY, YOU, 60),
        seen.begin(OTHER, YOU, 60),
    ]
    seen.end(KEY, ME)
    assert ["done", "done"] == [seen.begin(KEY, owner, 60) for owner in (ME, YOU)]


def test_whoever_asks_twice_has_asked_once(seen: SeenStore) -> None:
    """The same owner may ask again, as where an answer was lost."""
    assert ["new", "new"] == [seen.begin(KEY, ME, 60) for _ in range(2)]


def test_failed_text_is_new_again(seen: SeenStore) -> None:
    """What was given back somebody else may handle."""
    seen.begin(KEY, ME, 60)
    seen.give_back(KEY, ME)
    assert "new" == seen.begin(KEY, YOU, 60)


def test_nobody_ends_what_is_anothers(seen: SeenStore) -> None:
    """Whoever is not at a text neither ends it nor gives it back."""
    seen.begin(KEY, ME, 60)
    seen.give_back(KEY, YOU)
    seen.end(KEY, YOU)
    assert "busy" == seen.begin(KEY, YOU, 60)
    seen.end(KEY, ME)
    seen.give_back(KEY, ME)
    assert "done" == seen.begin(KEY, YOU, 60)


def test_dead_handler_leaves_its_text(seen: SeenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease that ended is no lease: another process handles the text."""
    for module in (_seen, "iprog_async.inbound._seen_postgres"):
        monkeypatch.setattr(f"{getattr(module, '__name__', module)}.LEASE", 0.0)
    seen.begin(KEY, ME, 60)
    assert "new" == seen.begin(KEY, YOU, 60)


def test_text_is_forgotten(seen: SeenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its window the same words are another text."""
    for module in (_seen, "iprog_async.inbound._seen_postgres"):
        monkeypatch.setattr(f"{getattr(module, '__name__', module)}.LEASE", 0.0)
    seen.begin(KEY, ME, 0)
    seen.end(KEY, ME)
    assert "new" == seen.begin(OTHER, YOU, 60)
    assert "new" == seen.begin(KEY, YOU, 60)


def test_one_of_many_threads_has_it(seen: SeenStore) -> None:
    """However many begin at once, one of them is to handle the text."""
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(seen.begin, KEY, b"%d" % n, 60) for n in range(16)]
        turns = [each.result() for each in asked]
    assert (1, 15) == (turns.count("new"), turns.count("busy"))


def test_processes_share_what_was_seen(address: str, tmp_path: Path) -> None:
    """Two that open the same file or database know of each other; memories don't."""
    for place in (address, tmp_path / "stop.db"):
        one, two = open_seen(place), open_seen(place)
        assert ["new", "busy"] == [one.begin(KEY, ME, 60), two.begin(KEY, YOU, 60)]
        one.close()
        two.close()
    memories = [open_seen(None), open_seen(tmp_path / "stop.txt")]
    assert [MemorySeenStore] * 2 == [type(memory) for memory in memories]


@pytest.mark.parametrize(
    ("record", "turn"),
    [
        (None, "new"),
        (Record(YOU, 200, 200), "busy"),
        (Record(ME, 200, 200), "new"),
        (Record(YOU, 100, 200), "new"),
        (Record(ME, 200, 200, done=True), "done"),
        (Record(YOU, 90, 100, done=True), "new"),
    ],
)
def test_decision(record: Record | None, turn: str) -> None:
    """Each state of a text, a hundred seconds in, leads to one turn."""
    assert turn == decide(record, ME, 100)


def test_record_outlives_its_lease() -> None:
    """A window that is shorter than the lease lasts as long as the lease."""
    assert Record(ME, 100 + LEASE, 100 + LEASE) == begun(ME, 100, 1)


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        ({}, True),
        ({"raw": {"a": 1}}, True),
        ({"text": "hi"}, False),
        ({"sender": "+639181234567"}, False),
        ({"to": None}, False),
        ({"gateway": "other"}, False),
        ({"id": "1"}, False),
    ],
)
def test_key(other: dict[str, Any], is_same: bool) -> None:
    """Without an id who said what to whom through which gateway is the text."""
    assert is_same == (key_of(TEXT) == key_of(evolve(TEXT, **other)))


def test_key_of_an_id() -> None:
    """With an id nothing else counts."""
    texts = [Inbound(sender, "Hi", None, "g", "7") for sender in ("+639171234567", "8080")]
    assert key_of(texts[0]) == key_of(texts[1])
