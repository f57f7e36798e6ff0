"""Options and settings of the whole suite."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
from collections.abc import Callable, Container, Generator
from itertools import filterfalse
from pathlib import Path

import pytest
from hypothesis import settings
from support.fast_set import ROWS, further_rows_left_out, mark_further_rows
from support.postgres.fixtures import (
    journal_stock,
    own_database,
    own_server,
    postgres_address,
    postgres_database,
    postgres_journal,
)
from support.prepared.fixtures import programs

from iprog_async._sending.unknown_limit import UnknownLimit


__all__ = [
    "journal_stock",
    "own_database",
    "own_server",
    "postgres_address",
    "postgres_database",
    "postgres_journal",
    "programs",
]

_SLOW = "slow: takes long, or starts many processes; runs with --slow, or where its path is named"
_EVERY_ROW = "every_row: all rows of the table run with --slow, whatever --further-rows says"
_EXAMPLES = {"quick": 10, "thorough": 100}  # of a property, without --slow and with it
# Where `tmp_path` is, if there is room.
_MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder there that is the user's own
_ENOUGH = 2 << 30


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags that make the suite, or some of its tests, longer."""
    parser.addoption("--slow", action="store_true", help="run the slow tests, too")
    parser.addoption("--rows", type=int, default=ROWS, help="of a table, without --slow")
    parser.addoption("--further-rows", type=int, help="of the others, with --slow; as a rule all")
    parser.addoption("--chosen-by", default="", help="a word: another one chooses other rows")
    parser.addoption("--kills", default="20", help="how often running senders are killed")
    parser.addoption("--orders", default="300", help="how many orders a shop with workers gets")
    parser.addoption("--outboxes", default="1", help="how many outboxes meet all incidents")
    parser.addoption("--outbox-texts", default="300", help="how many texts each of them has")
    parser.addoption("--campaigns", default="10", help="how many campaigns of a fleet meet trouble")
    parser.addoption("--soak", default="5", help="how many seconds the soak test sends")


def pytest_configure(config: pytest.Config) -> None:
    """Undo what the environment does to those that the tests start."""
    config.addinivalue_line("markers", _SLOW)
    config.addinivalue_line("markers", _EVERY_ROW)
    # They are many, and would all compile the same modules.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # Hundreds of journals would wait for a disk.
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ENOUGH:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))
    # A shell has background jobs, and their children, ignore Ctrl-C.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name, examples in _EXAMPLES.items():
        settings.register_profile(name, deadline=None, max_examples=examples)
    settings.load_profile("thorough" if config.getoption("--slow") else "quick")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Start workers for the whole suite only: for a file they take longer than its tests."""
    return 0 if _named(config) else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare the garbage collector the tests themselves, ten thousand that stay to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


@pytest.hookimpl(tryfirst=True)  # `-m` counts what is marked here
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the slow tests, unless they are asked for, and rows that nobody asked for."""
    mark_further_rows(items, int(str(config.getoption("--rows"))))
    is_left_out = _slow_rows(config, items) if config.getoption("--slow") else _slow_tests(config)
    config.hook.pytest_deselected(items=[*filter(is_left_out, items)])
    items[:] = filterfalse(is_left_out, items)


def _slow_tests(config: pytest.Config) -> Callable[[pytest.Item], bool]:
    """Return what tells a slow test, other than those that the command line names."""
    named = _named(config)

    def is_left_out(item: pytest.Item) -> bool:
        slow = item.get_closest_marker("slow") is not None
        return slow and not any(map(item.path.is_relative_to, named))

    return is_left_out


def _slow_rows(config: pytest.Config, items: list[pytest.Item]) -> Callable[[pytest.Item], bool]:
    """Return what tells a slow row that `--further-rows` leaves out."""
    rows: int | None = config.getoption("--further-rows")
    left_out: Container[pytest.Item] = ()
    if rows is not None:
        left_out = further_rows_left_out(items, rows, str(config.getoption("--chosen-by")))
    return left_out.__contains__


def _named(config: pytest.Config) -> list[Path]:
    """Return the files and folders that the command line names, besides those that always run."""
    places = set(config.args) - set(config.getini("testpaths"))
    return [(config.invocation_params.dir / place.partition("::")[0]).resolve() for place in places]


def _trust(*_: object) -> bool:
    return True


@pytest.fixture
def whole_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let bulk runs trust a gateway from the start, so that their first batches are whole."""
    monkeypatch.setattr(UnknownLimit, "trusts", _trust)
