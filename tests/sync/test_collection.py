"""What nobody holds any more, and the loop's own thread collects."""

from __future__ import annotations

import gc
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.core.fakes import NUMBER, FakeProvider

from iprog_async import Message
from iprog_async.sync import Journal, SmsClient, Suppressions
from iprog_async.sync._loop_thread import loop_thread


def _entries(folder: Path) -> Iterator[Any]:
    journal = Journal.open(folder / "kept.db")
    with SmsClient(FakeProvider(), journal=journal) as sms:
        for key in "ab":
            sms.send(NUMBER, "Hi", key=key)
    return journal.entries()


def _list(folder: Path) -> Iterator[Any]:
    suppressions = Suppressions.open(folder / "stop.db")
    suppressions.add("+639171234567")
    suppressions.add("+639181234567")
    return suppressions.list()


def _run(_: Path) -> Generator[Any]:
    with SmsClient(FakeProvider()) as sms:
        messages = (Message(f"0917{number:07d}", "Hi") for number in range(1000))
        with sms.send_many(messages) as run:
            yield from run


@pytest.mark.parametrize("begin", [_entries, _list, _run])
def test_the_loop_does_not_wait_for_itself(begin: Any, tmp_path: Path) -> None:
    """Whatever was half read is closed, and the loop goes on."""
    gc.disable()
    try:
        half_read = begin(tmp_path)
        next(half_read)
        cycle: list[Any] = [half_read]
        cycle.append(cycle)
        del half_read, cycle
        collected = threading.Event()

        def collect() -> None:
            gc.collect()
            collected.set()

        loop_thread().post(collect)
        assert collected.wait(200)
    finally:
        gc.enable()

    with closing(SmsClient(FakeProvider())) as sms:
        assert NUMBER == f"+{sms.send(NUMBER, 'Hi').to}"
