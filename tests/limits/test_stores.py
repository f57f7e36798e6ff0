"""What holds for every store of shared limits."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import textwrap
import time
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from support.limits.places import open_place
from support.waiting import LONG

from iprog_async._limits.store import LimitStore, MemoryStore


Stores = Callable[[], LimitStore]
"""Returns one more store object, as one more process has it."""

NAME, OTHER = b"one account", b"another one"


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def one_more(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    """Return what opens one place again and again."""
    if request.param == "postgres":
        journal = request.getfixturevalue("postgres_journal")
        return lambda: open_place(journal)
    if request.param == "sqlite":
        return lambda: open_place(str(tmp_path / "texts.db-limits"))
    memory = MemoryStore(time.monotonic)
    return lambda: memory


@pytest.fixture
async def stores(one_more: Stores) -> AsyncIterator[Stores]:
    """Return what opens one place again and again, and closes it all in the end."""
    async with AsyncExitStack() as opened:

        def open_one() -> LimitStore:
            store = one_more()
            opened.push_async_callback(store.aclose)
            return store

        yield open_one


def replace(new: str) -> Callable[[str, float], tuple[str, str]]:
    """Return what puts a state in the place of another, and returns that one."""
    return lambda state, _: (new, state)


async def test_a_state_begins_empty(stores: Stores) -> None:
    """What nobody has told yet is the empty text."""
    assert "" == await stores().change(NAME, replace("a"))


async def test_a_change_sees_the_one_before_it_whoever_made_it(stores: Stores) -> None:
    """Every process finds what the last one left."""
    first, second = stores(), stores()

    await first.change(NAME, replace("a"))

    assert "a" == await second.change(NAME, replace("b"))
    assert "b" == await first.change(NAME, replace("c"))


async def test_states_are_told_apart_by_name(stores: Stores) -> None:
    """Two accounts have nothing to do with each other."""
    store = stores()

    await store.change(NAME, replace("a"))

    assert "" == await store.change(OTHER, replace("b"))
    assert "a" == await store.change(NAME, replace("c"))


async def test_no_change_is_lost(stores: Stores) -> None:
    """However many change a state at once, each sees what the others made of it."""

    def one_more(state: str, _: float) -> tuple[str, None]:
        return str(int(state or 0) + 1), None

    async def count(store: LimitStore) -> None:
        for _ in range(10):
            await store.change(NAME, one_more)

    await asyncio.gather(*(count(stores()) for _ in range(8)))

    assert "80" == await stores().change(NAME, replace(""))


async def test_time_goes_on_for_all_alike(stores: Stores) -> None:
    """Whoever comes later sees a later time, on whichever process."""
    seen = [await store.change(NAME, lambda _, now: ("", now)) for store in (stores(), stores())]

    assert sorted(seen) == seen


async def test_a_change_that_fails_changes_nothing(stores: Stores) -> None:
    """An error leaves the state as it was, and the store usable."""
    store = stores()
    await store.change(NAME, replace("a"))

    def fail(state: str, now: float) -> tuple[str, None]:
        raise RuntimeError(state, now)

    with pytest.raises(RuntimeError):
        await store.change(NAME, fail)

    assert "a" == await store.change(NAME, replace("b"))


async def test_all_have_the_same_salt(stores: Stores) -> None:
    """Names of accounts are the same in all processes, and salted."""
    salt = await stores().salt()

    assert salt
    assert salt == await stores().salt()


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_store_ends_in_silence(one_more: Stores, is_closed: bool) -> None:
    """Whether it is closed after its event loop, or never, nothing warns of what it held."""
    gc.collect()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        store = one_more()
        asyncio.run(store.change(NAME, replace("a")))
        if is_closed:
            asyncio.run(store.aclose())
        del store
        gc.collect()

    assert [] == [str(warning.message) for warning in warned]


_FORKED = """
import asyncio, gc, os, sys
sys.path.insert(0, sys.argv[2])
from support.limits.places import open_place

def change(new):
    print(asyncio.run(store.change(b"one account", lambda state, _: (new, state))), flush=True)

store = open_place(sys.argv[1])
change("a")
if os.fork() == 0:
    change("b")
    asyncio.run(store.aclose())
    del store
    gc.collect()
    os._exit(0)
os.wait()
change("c")
if os.fork() == 0:
    del store
    gc.collect()
    os._exit(0)
os.wait()
change("d")
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_store_outlives_its_forked_copies(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """A child opens the place itself, leaves the parent its own, and nothing warns."""
    place = (
        request.getfixturevalue("postgres_journal") if kind == "postgres" else str(tmp_path / "l")
    )
    ended = subprocess.run(  # noqa: S603 - ours
        [
            *(sys.executable, "-W", "error::ResourceWarning", "-c", textwrap.dedent(_FORKED)),
            *(place, str(Path(__file__).parents[1])),
        ],
        capture_output=True,
        text=True,
        timeout=LONG,
        check=True,
    )
    assert ("\na\nb\nc\n", "") == (ended.stdout, ended.stderr)
