from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.core.fakes import NUMBER, FakeProvider, accept, lose, prepared, to_many

from iprog_async import (
    Accepted,
    ConfigurationError,
    InvalidMessageError,
    Message,
    NotSent,
    Outcome,
    RunHaltedError,
    SuppressedError,
)
from iprog_async._bulk.suppression import AskedBefore
from iprog_async.adapter import PreparedMessage
from iprog_async.sync import SmsClient
from iprog_async.sync._source import suppressing
from iprog_async_providers import InfopromoProvider


def test_every_message_comes_to_an_outcome() -> None:
    """A list comes out as its outcomes, each once, and then the run ends for good."""
    with SmsClient(FakeProvider()) as sms, sms.send_many(to_many(500)) as run:
        outcomes = [*run]
        assert [] == [*run]

    assert [*range(500)] == sorted(outcome.index for outcome in outcomes)
    assert {Accepted} == {type(outcome) for outcome in outcomes}
    assert 500 == run.counts.accepted


def test_messages_are_read_in_the_thread_that_iterates() -> None:
    """A generator, and a function that suppresses, run where a database's cursor belongs."""
    threads: set[threading.Thread] = set()

    def messages() -> Iterator[Message]:
        for message in to_many(200):
            threads.add(threading.current_thread())
            yield message

    def suppress(number: str) -> bool:
        threads.add(threading.current_thread())
        return number.endswith("7")

    with SmsClient(FakeProvider()) as sms:
        with sms.send_many(messages(), suppress=suppress) as run:
            outcomes = [*run]
        plan = sms.plan_many(messages(), suppress=suppress)

    assert {threading.current_thread()} == threads
    suppressed = [outcome for outcome in outcomes if isinstance(outcome, NotSent)]
    assert {SuppressedError} == {type(outcome.error) for outcome in suppressed}
    assert (20, 180) == (len(suppressed), run.counts.accepted)
    assert (20, 180) == (plan.suppressed, plan.recipients)


def test_generator_may_use_the_client() -> None:
    """A source that texts, and begins runs of its own, with the same client does not wait for ever.

    The function that suppresses may, too.
    """
    provider = FakeProvider()
    with SmsClient(provider) as sms:

        def messages() -> Iterator[Message]:
            for message in to_many(100):
                sms.send(message.to, "Soon")
                yield message
            with sms.send_many(to_many(50, "Inner")) as inner:
                yield from (outcome.message for outcome in inner)

        def suppress(_: str) -> bool:
            sms.send(NUMBER, "Asked")
            return False

        with sms.send_many(messages(), suppress=suppress) as run:
            assert 150 == run.drain().accepted

    texts = [prepared.message.text for batch in provider.sent for prepared in batch]
    assert {"Soon": 100, "Asked": 150} == {word: texts.count(word) for word in ("Soon", "Asked")}


def test_no_answer_is_lost_between_two_threads(eager_threads: None) -> None:
    """One thread asks of a number again and again, while the other one hears each answer."""
    number = to_many(1)[0].to
    messages, asked = suppressing(to_many(1) * 20_000, lambda _: False, FakeProvider())
    assert isinstance(asked, AskedBefore)
    rows = (prepared(index, number) for index in range(20_000))
    ready = threading.Semaphore(0)

    def read() -> None:
        for _ in messages:
            ready.release()

    reader = threading.Thread(target=read)
    reader.start()
    heard = [ready.acquire() and asked.is_suppressed(row) for row in rows]
    reader.join()

    assert [False] * 20_000 == heard


def test_an_answer_is_for_the_message_that_it_was_asked_about() -> None:
    """A row that was refused before does not leave its answer to a later one of its number."""
    stopped: set[str] = set()

    def messages() -> Iterator[Message]:
        yield Message(NUMBER, "")
        stopped.add(NUMBER)
        yield Message(NUMBER, "Hi")

    provider = FakeProvider()
    with (
        SmsClient(provider) as sms,
        sms.send_many(messages(), suppress=stopped.__contains__) as run,
    ):
        errors = [outcome.error for outcome in run if isinstance(outcome, NotSent)]

    assert [InvalidMessageError, SuppressedError] == list(map(type, errors))
    assert [] == provider.sent


class Particular(FakeProvider):
    """Reads a number only where there is a certain text."""

    def e164(self, number: str, /) -> str:
        """Refuse."""
        raise InvalidMessageError(f"{number} alone is no number")


def test_a_function_that_could_not_be_asked_texts_nobody() -> None:
    """Whether the number is suppressed is not known, and each row says so."""
    provider = Particular()
    with SmsClient(provider) as sms, sms.send_many(to_many(3), suppress=lambda _: False) as run:
        errors = [outcome.error for outcome in run if isinstance(outcome, NotSent)]

    assert 3 == len(errors)
    assert all("could not be asked" in str(error) for error in errors)
    assert [] == provider.sent


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.parametrize("answer", [1, "error", "cancellation", "coroutine"])
def test_what_a_function_says_of_a_number_holds(answer: Any) -> None:
    """A true answer, an error, and what would have to be awaited: in each case nobody is texted."""

    async def later() -> bool:
        return False

    def suppress(_: str) -> object:
        if answer == "error":
            raise OSError("no database")
        if answer == "cancellation":
            raise asyncio.CancelledError
        return later() if answer == "coroutine" else answer

    provider = FakeProvider()
    with SmsClient(provider) as sms, sms.send_many(to_many(5), suppress=suppress) as run:
        assert 5 == run.drain().not_sent
    assert [] == provider.sent


def test_numbers_to_suppress_may_be_a_generator() -> None:
    """Numbers come from anything, such as a query, which is read in the same thread."""
    threads: set[threading.Thread] = set()

    def numbers() -> Iterator[str]:
        threads.add(threading.current_thread())
        yield to_many(2)[1].to

    with SmsClient(FakeProvider()) as sms, sms.send_many(to_many(3), suppress=numbers()) as run:
        assert (2, 1) == (run.drain().accepted, run.counts.not_sent)
    assert {threading.current_thread()} == threads


def test_what_is_left_out_is_told_in_the_same_thread() -> None:
    """`left_out` hears of each message that would not be sent, where the plan is made."""
    told: list[tuple[int, threading.Thread]] = []
    messages = [*to_many(3), Message("nobody", "Hi"), *to_many(200)[3:], Message("x", "Hi")]
    with SmsClient(FakeProvider()) as sms:
        sms.plan_many(
            messages,
            left_out=lambda outcome: told.append((outcome.index, threading.current_thread())),
        )

    assert [(index, threading.current_thread()) for index in (3, 201)] == told


def test_memory_is_bounded() -> None:
    """A reader that takes its time holds up the source."""
    read = 0

    def messages() -> Iterator[Message]:
        nonlocal read
        for number in range(10_000):
            read += 1
            yield Message(f"+63917{number:07}", "Hi")

    sms = SmsClient(FakeProvider())
    with sms, sms.send_many(messages(), concurrency=2, window=10) as run:
        for place, _ in enumerate(run):
            # Windows, what is on its way, what waits for the reader, and an errand.
            assert read <= place + 10 * 4 + 2 * 4 + 64
            if place == 500:
                break


def test_break_stops_the_run() -> None:
    """Leaving the block early sends nothing more; the rest of the source is not read."""
    read: list[int] = []

    def messages() -> Iterator[Message]:
        for number, message in enumerate(to_many(5_000)):
            read.append(number)
            yield message

    provider = FakeProvider()
    with SmsClient(provider) as sms:
        with sms.send_many(messages(), concurrency=1, window=5) as run:
            for _ in run:
                break
        sent = len(provider.sent)
        sms.send(NUMBER, "Ho")

    assert sent + 1 == len(provider.sent)
    assert len(read) < 500


def test_stop_lets_what_is_on_its_way_end() -> None:
    """After `stop` the loop ends by itself, with an outcome for each message that left."""
    provider = FakeProvider()
    with SmsClient(provider) as sms, sms.send_many(to_many(5_000), concurrency=1) as run:
        outcomes: list[Outcome] = []
        for outcome in run:
            outcomes.append(outcome)
            run.stop()

    assert len(provider.sent) == sum(isinstance(outcome, Accepted) for outcome in outcomes) < 5_000


def test_error_of_the_source_comes_after_its_messages() -> None:
    """What a generator raises ends the loop, once what came before has its outcome."""

    def messages() -> Iterator[Message]:
        yield from to_many(70)
        raise OSError("the file is gone")

    outcomes: list[Outcome] = []
    with SmsClient(FakeProvider()) as sms, sms.send_many(messages()) as run:
        with pytest.raises(OSError, match="the file is gone"):
            outcomes.extend(run)
        assert [] == [*run]

    assert 70 == run.counts.accepted


def test_halted_run_says_why() -> None:
    """A run that stops itself raises the reason after the last outcome."""
    sms = SmsClient(FakeProvider(send=lose))
    with sms, sms.send_many(to_many(200), halt_after_unknown=5) as run:
        with pytest.raises(RunHaltedError):
            run.drain()
        assert run.halted is not None

    assert (200, 5) == (run.counts.total, run.counts.unknown)


def test_leaving_names_what_was_on_its_way() -> None:
    """A run that is left while a provider is at work waits for nobody."""
    begun = threading.Event()

    async def hang(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        begun.set()
        await asyncio.Event().wait()
        return await accept(batch)

    with SmsClient(FakeProvider(send=hang)) as sms, sms.send_many(to_many(3)) as run:
        begun.wait()

    assert 0 == run.counts.total


def test_journal_makes_a_run_resumable(tmp_path: Path) -> None:
    """A second run over the same messages texts nobody; a plan says so before."""
    provider = FakeProvider()
    with SmsClient(provider, journal=tmp_path / "june.db") as sms:
        for resumed in (0, 20):
            assert resumed == sms.plan_many(to_many(20)).resumed
            with sms.send_many(to_many(20)) as run:
                assert (20, resumed) == (run.drain().accepted, run.counts.resumed)

    assert 20 == len(provider.sent)


async def _later() -> AsyncIterator[Message]:
    yield to_many(1)[0]


def test_what_can_not_be_read_is_refused() -> None:
    """An async iterable, one message, and a run outside of `with` or entered twice are errors."""
    with SmsClient(FakeProvider()) as sms:
        for wrong in (_later(), to_many(1)[0], 5):
            with pytest.raises(TypeError):
                sms.send_many(wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - what the test is about
        run = sms.send_many(to_many(1))
        with pytest.raises(ConfigurationError, match="a bulk run is used as: with"):
            next(run)
        with run, pytest.raises(ConfigurationError, match="entered once"), run:
            pass


def test_two_threads_may_read_one_run() -> None:
    """Each outcome goes to one of them, and both come to the end."""
    seen: list[int] = []
    with SmsClient(FakeProvider()) as sms, sms.send_many(to_many(2_000)) as run:
        threads = [
            threading.Thread(target=lambda: seen.extend(outcome.index for outcome in run))
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert [*range(2_000)] == sorted(seen)


def test_a_function_is_asked_where_the_client_has_the_sender_id() -> None:
    """A gateway that sends nothing without one reads the number before it is known."""
    asked: list[str] = []
    with SmsClient(InfopromoProvider("1|token", region="PH"), sender_id="ACME") as sms:
        plan = sms.plan_many([Message("0917 123 4567", "Hi")], suppress=asked.append)

    assert (["+639171234567"], 1) == (asked, plan.recipients)
