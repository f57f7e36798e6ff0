from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import pytest
from support.core.fakes import NUMBER, FakeProvider, Sending, accept, to_many
from support.sync import ThreadGateway, serving

from iprog_async import ConnectionFailedError, Message, Outcome, Receipt, SmsError
from iprog_async.adapter import PreparedMessage
from iprog_async.sync import SmsClient
from iprog_async.sync._calls import Errand, Inbox, call
from iprog_async.sync._loop_thread import loop_thread
from iprog_async.testing import RawGateway, Reply, silence
from iprog_async_providers.iprog import IprogProvider


pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs signals")

OK = Reply.of_json({"status": 200, "message_id": "iSms-1"})


class TimeLimitError(Exception):
    """What a task queue raises in the midst of a task that takes too long."""


@contextmanager
def interrupting(error: type[BaseException]) -> Generator[Callable[[], None]]:
    """Return what has an error raised in the main thread, wherever it is."""

    def interrupt(*_: object) -> None:
        raise error

    former = signal.signal(signal.SIGUSR1, interrupt)
    try:
        yield lambda: os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, former)


def interrupt_when(
    gateway: ThreadGateway, seen: Callable[[RawGateway], bool], interrupt: Callable[[], None]
) -> threading.Thread:
    """Interrupt the main thread once the gateway is as told."""

    def watch() -> None:
        gateway.until(seen)
        interrupt()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@pytest.mark.parametrize("error", [KeyboardInterrupt, TimeLimitError])
def test_interrupted_send_says_that_it_may_have_left(error: type[BaseException]) -> None:
    """The words are those of the async client, and the connection is free for the next text."""
    with serving(RawGateway(silence(), OK)) as gateway, interrupting(error) as interrupt:
        provider = IprogProvider("1|token", base_url=gateway.base_url)
        with SmsClient(provider, max_connections=1) as sms:
            watcher = interrupt_when(gateway, lambda seen: len(seen.requests) == 1, interrupt)
            with pytest.raises(error) as caught:
                sms.send(NUMBER, "Hi")
            watcher.join()
            assert "iprog:iSms-1" == sms.send(NUMBER, "Ho").ref

    (note,) = caught.value.__notes__
    assert "unknown whether it could send the text" in note


def hanging(then: Callable[[], None], go_on: asyncio.Event) -> Sending:
    """Return what tells that it has begun, and accepts once it may go on."""

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        then()
        await go_on.wait()
        return await accept(batch)

    return send


def test_interrupted_send_that_did_not_leave_was_not_sent() -> None:
    """Where no request was on its way, the words say so."""
    with interrupting(KeyboardInterrupt) as interrupt:
        provider = FakeProvider(send=hanging(interrupt, asyncio.Event()))
        with SmsClient(provider) as sms, pytest.raises(KeyboardInterrupt) as caught:
            sms.send(NUMBER, "Hi")

    assert ["the text was cancelled before it left: it was not sent"] == caught.value.__notes__


def test_interrupted_send_with_a_key_goes_on(tmp_path: Path) -> None:
    """Others may wait for it; the same key tells its outcome, and nobody is texted twice."""
    go_on = asyncio.Event()
    with interrupting(TimeLimitError) as interrupt:
        provider = FakeProvider(send=hanging(interrupt, go_on))
        with SmsClient(provider, journal=tmp_path / "texts.db") as sms:
            with pytest.raises(TimeLimitError) as caught:
                sms.send(NUMBER, "Hi", key="order-1")
            sms.call(lambda _: set_on_loop(go_on))
            assert "id-0" == sms.send(NUMBER, "Hi", key="order-1").message_id

    assert "once more with the same key" in caught.value.__notes__[0]
    assert 1 == len(provider.sent)


async def set_on_loop(event: asyncio.Event) -> None:
    """Set an event where those run who wait for it."""
    event.set()


@pytest.mark.parametrize(
    ("ended", "note"),
    [
        (Receipt("fake", "id-0", "639171234567", 1), "the text was accepted: fake:id-0"),
        (ConnectionFailedError("could not reach it"), "could not reach it"),
    ],
    ids=["receipt", "error"],
)
def test_interruption_that_came_too_late_tells_the_outcome(
    ended: Receipt | SmsError, note: str
) -> None:
    """A call that had ended at that moment is not called cancelled."""
    inbox: Inbox = SimpleQueue()

    def interrupt() -> None:
        raise KeyboardInterrupt

    async def end() -> Receipt:
        inbox.put(Errand(interrupt, asyncio.get_running_loop().create_future()))
        if isinstance(ended, SmsError):
            raise ended
        return ended

    with pytest.raises(KeyboardInterrupt) as caught:
        call(loop_thread(), end(), inbox=inbox)

    assert [note] == caught.value.__notes__


def test_interrupted_source_ends_the_run() -> None:
    """Ctrl-C in a generator leaves the loop and the block; whoever reads on meets an error."""

    def messages() -> Iterator[Message]:
        yield from to_many(10)
        raise KeyboardInterrupt

    with SmsClient(FakeProvider()) as sms, sms.send_many(messages()) as run:
        with pytest.raises(KeyboardInterrupt):
            run.drain()
        with pytest.raises(RuntimeError, match="interrupted"):
            run.drain()

    assert run.counts.accepted <= 10
