from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.core.fakes import FakeProvider, to_many
from support.core.misbehaving import CLOSED, ask_cancelled

from iprog_async import (
    ConfigurationError,
    Journal,
    Message,
    NotSent,
    Outcome,
    SmsClient,
    SuppressedError,
)
from iprog_async_providers import InfopromoProvider


async def send(messages: Any, suppress: Any, **settings: Any) -> tuple[list[Outcome], FakeProvider]:
    """Send with a client of its own; return the outcomes by index, and what was sent."""
    provider = FakeProvider()
    async with (
        SmsClient(provider) as client,
        client.send_many(messages, suppress=suppress, **settings) as run,
    ):
        outcomes = [outcome async for outcome in run]
    return sorted(outcomes, key=lambda outcome: outcome.index), provider


def numbers_sent(provider: FakeProvider) -> set[str]:
    """Return who was texted."""
    return {prepared.e164 for batch in provider.sent for prepared in batch}


def file_of(path: Path, text: str | bytes) -> Path:
    """Write a file of numbers."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "given",
    [
        {"+639170000001"},
        ["0917 000 0001", "0917 000 0001"],
        (number for number in ["639170000001"]),
        "+639170000001".__eq__,
    ],
    ids=["set", "list", "generator", "function"],
)
async def test_suppressed_number_is_never_texted(given: Any) -> None:
    """However the number is written and kept, its message is `NotSent` with its own error."""
    outcomes, provider = await send(to_many(3), given)

    assert {"+639170000000", "+639170000002"} == numbers_sent(provider)
    assert isinstance(outcomes[1], NotSent)
    assert isinstance(outcomes[1].error, SuppressedError)
    assert ("+639170000001", False) == (outcomes[1].error.number, outcomes[1].error.healable)


@pytest.mark.parametrize("as_text", [True, False])
async def test_file_of_numbers(tmp_path: Path, as_text: bool) -> None:
    """A file has a number a line; comments, blank lines and a byte order mark are no numbers."""
    text = "\ufeff0917 000 0000 # asked on Monday\n\n# all of these\n+44 20 7946 0000\n639170000002"
    path = file_of(tmp_path / "stop.txt", text)

    _, provider = await send(to_many(3), str(path) if as_text else path)

    assert {"+639170000001"} == numbers_sent(provider)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["0917 000 0000", "Juan"], "number 1 of suppress= is no phone number: 'Juan'"),
        ([None], "number 0 of suppress="),
    ],
)
async def test_entry_that_is_no_number(given: Any, words: str) -> None:
    """An entry that nobody understands stops the run before it texts whoever was meant."""
    with pytest.raises(ConfigurationError, match=words):
        await send(to_many(1), given)


async def test_line_that_is_no_number(tmp_path: Path) -> None:
    """The error of a file names the line."""
    path = file_of(tmp_path / "stop.txt", "09170000000\n09170000001,Juan\n")

    with pytest.raises(ConfigurationError, match=r"line 2 of .*stop\.txt is no phone number"):
        await send(to_many(1), path)


@pytest.mark.parametrize("content", [None, b"\xff\xfe0\x009\x00"], ids=["missing", "UTF-16"])
async def test_file_that_can_not_be_read(tmp_path: Path, content: bytes | None) -> None:
    """Without its list the run does not begin."""
    path = tmp_path / "stop.txt"
    if content is not None:
        file_of(path, content)

    with pytest.raises(ConfigurationError, match=r"stop\.txt"):
        await send(to_many(1), path)


async def _ask(e164: str) -> bool:
    raise AssertionError(e164)


class _Asker:
    async def __call__(self, e164: str) -> bool:
        raise AssertionError(e164)


@pytest.mark.parametrize("ask", [_ask, _Asker(), partial(_ask)], ids=["function", "object", "part"])
async def test_function_to_be_awaited(ask: Any) -> None:
    """What would have to be awaited is refused: its coroutine is always true."""
    with pytest.raises(ConfigurationError, match="plain function"):
        await send(to_many(1), ask)


def _asks(e164: str) -> Any:
    return _ask(e164)


def _promises(_: str) -> Any:
    return asyncio.get_running_loop().create_future()


@pytest.mark.parametrize("ask", [_asks, _promises])
async def test_answer_to_be_awaited(ask: Any) -> None:
    """A plain function that returns something to be awaited says nothing about anybody."""
    outcomes, provider = await send(to_many(2), ask)

    errors = [outcome.error for outcome in outcomes if isinstance(outcome, NotSent)]
    assert [ConfigurationError] * 2 == [type(error) for error in errors]
    assert [] == provider.sent


def _raise(error: Exception) -> object:
    raise error


FAILING: dict[str, Callable[[str], object]] = {
    "an error": lambda number: _raise(LookupError(number)),
    "an error that can't be shown": lambda _: _raise(LookupError(CLOSED)),
    "an end": lambda _: _raise(StopIteration()),
    "a cancellation": lambda _: ask_cancelled(),
    "no answer": lambda _: CLOSED,
}


@pytest.mark.parametrize("ask", FAILING.values(), ids=FAILING)
async def test_function_that_fails_texts_nobody(ask: Any) -> None:
    """Who can't be asked about is not texted, and the run goes on."""
    outcomes, provider = await send(to_many(2), ask)

    assert (["not_sent"] * 2, []) == ([outcome.state for outcome in outcomes], provider.sent)


async def test_long_list_lets_others_run() -> None:
    """A list of thousands is read, and the loop is not held up."""
    messages = to_many(1000)

    _, provider = await send(messages, [message.to for message in messages[1:]])

    assert {messages[0].to} == numbers_sent(provider)


async def test_suppressed_message_is_not_the_first_of_its_kind() -> None:
    """Two equal messages for a suppressed number are both suppressed, and none a duplicate."""
    outcomes, _ = await send([Message("+639170000001", "Hi")] * 2, {"+639170000001"})

    errors = [outcome.error for outcome in outcomes if isinstance(outcome, NotSent)]
    assert [SuppressedError] * 2 == [type(error) for error in errors]


async def test_suppressed_message_is_never_claimed(tmp_path: Path) -> None:
    """The journal has nothing about it: another run without the list sends it."""
    with Journal.open(tmp_path / "june.db") as journal:
        await send(to_many(2), {"+639170000001"}, journal=journal)
        before = await journal.counts()
        outcomes, _ = await send(to_many(2), None, journal=journal)

    assert (1, 0) == (before["accepted"], before["not_sent"])
    assert ["accepted", "accepted"] == [outcome.state for outcome in outcomes]


async def test_numbers_are_read_whatever_the_gateway_wants_of_a_text() -> None:
    """One that sends nothing without a sender ID reads the national numbers of its region."""
    message = Message("0917 123 4567", "Hi")
    async with SmsClient(InfopromoProvider("1|token", region="PH"), sender_id="ACME") as sms:
        plan = await sms.plan_many([message], suppress=[message.to])

    assert (1, 0) == (plan.suppressed, plan.recipients)
