"""Plainly wrong arguments, as a typo or an unset variable makes them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
from support.core.fakes import FakeProvider, TellingProvider

from iprog_async import (
    ConfigurationError,
    Failover,
    InvalidMessageError,
    Journal,
    JournalError,
    Message,
    RoundRobin,
    SmsClient,
    Suppressions,
    SuppressionsError,
    provider_from_url,
)


TO, TEXT = "0917 123 4567", "Hi"
SECRET = "iprog://S3CRET-token@"


_UNSENDABLE: list[tuple[str, tuple[Any, ...], str]] = [
    ("send", (None, TEXT), "phone number is empty: None"),
    ("send", (639171234567, TEXT), "is of type int; give it as text"),
    ("send", (TO, None), "is empty: None"),
    ("send", (TO, b"Hi"), "is of type bytes, not str"),
    ("status", ("",), "'' is no reference; it looks like iprog:"),
    ("status", (None,), "None is neither a receipt nor its reference"),
    ("wait", (None,), "give what send returned, or the receipt's ref"),
    ("wait", ("",), "'' is no reference"),
    ("wait", ({"ref": "fake:1"},), "is neither a receipt nor its reference"),
]


@pytest.mark.parametrize(("method", "given", "words"), _UNSENDABLE)
async def test_what_can_not_be_sent_or_asked_for(
    method: str, given: tuple[Any, ...], words: str
) -> None:
    """A wrong number, text or receipt is an `InvalidMessageError` that says what was given."""
    provider = TellingProvider(states=["delivered"])
    async with SmsClient(provider) as sms:
        with pytest.raises(InvalidMessageError) as caught:
            await getattr(sms, method)(*given)

    assert (True, []) == (words in str(caught.value), provider.sent)


@pytest.mark.parametrize("messages", [None, 5, "Hi", b"Hi", Message(TO, TEXT)], ids=repr)
async def test_what_is_no_messages(messages: Any) -> None:
    """What can't be read message by message is a `TypeError`, at once and not in the run."""
    async with SmsClient(FakeProvider()) as sms:
        with pytest.raises(TypeError, match="messages is an iterable or async iterable of"):
            sms.send_many(messages)
        with pytest.raises(TypeError, match=f"not {type(messages).__name__}; nothing was sent"):
            await sms.plan_many(messages)


def _read_to_its_end() -> Any:
    messages = (Message(TO, TEXT) for _ in range(1))
    list(messages)
    return messages


def _closed() -> Any:
    messages = (Message(TO, TEXT) for _ in range(1))
    messages.close()
    return messages


@pytest.mark.parametrize("make", [_read_to_its_end, _closed])
async def test_generator_that_has_ended(make: Callable[[], Any]) -> None:
    """A generator with nothing left is no empty list of messages: it says what to do."""
    async with SmsClient(FakeProvider()) as sms:
        with pytest.raises(ConfigurationError, match=r"read already.*make a new one"):
            sms.send_many(make())
        with pytest.raises(ConfigurationError, match=r"read already.*make a new one"):
            await sms.plan_many(make())


async def _messages() -> AsyncGenerator[Message]:
    yield Message(TO, TEXT)


@pytest.mark.parametrize(
    "make", [lambda: (Message(TO, TEXT) for _ in range(1)), _messages], ids=["sync", "async"]
)
async def test_generator_that_a_plan_has_read(make: Callable[[], Any]) -> None:
    """What `plan_many` has read to its end is not sent as nothing at all."""
    messages = make()
    async with SmsClient(FakeProvider()) as sms:
        found = await sms.plan_many(messages)
        with pytest.raises(ConfigurationError, match="read already"):
            sms.send_many(messages)
        async with sms.send_many(make()) as run:
            counts = await run.drain()

    assert (1, 1) == (found.recipients, counts.accepted)


class _OldSequence:
    """Iterable by the old protocol alone."""

    def __getitem__(self, place: int) -> Message:
        if place:
            raise IndexError
        return Message(TO, TEXT)


async def test_what_iter_can_read_is_taken() -> None:
    """An object with nothing but `__getitem__` is an iterable, too."""
    async with SmsClient(FakeProvider()) as sms, sms.send_many(_OldSequence()) as run:  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - what iter() takes
        counts = await run.drain()

    assert 1 == counts.accepted


_ANY: Any = FakeProvider()
_WRONG: list[tuple[Callable[..., object], Any, dict[str, Any], str]] = [
    (SmsClient, None, {}, "not NoneType"),
    (SmsClient, SECRET, {}, "not str; for an address there are SmsClient.from_url"),
    (SmsClient, FakeProvider, {}, "not the class FakeProvider"),
    (Failover, None, {}, "not NoneType"),
    (RoundRobin, [_ANY], {}, "not list"),
    (SmsClient.from_url, None, {}, "an SMS address is a str, not NoneType"),
    (provider_from_url, SECRET.encode(), {}, "a str, not bytes"),
    (SmsClient, _ANY, {"retry": 3}, "retry= takes a RetryPolicy, not 3"),
    (SmsClient, _ANY, {"pool": 3}, "pool= takes a HttpPool, not 3"),
    (SmsClient, _ANY, {"timeout": "x"}, "timeout is a number of seconds"),
    (SmsClient, _ANY, {"deadline": "x"}, "deadline is a number of seconds"),
    (SmsClient, _ANY, {"timeout": float("nan")}, "more than zero, not nan"),
]


@pytest.mark.parametrize(("make", "given", "settings", "words"), _WRONG)
def test_wrong_settings(
    make: Callable[..., object], given: object, settings: dict[str, Any], words: str
) -> None:
    """A wrong setting is a `ConfigurationError` that says what is taken, and shows no address."""
    with pytest.raises(ConfigurationError) as caught:
        make(given, **settings)

    assert (True, False) == (words in str(caught.value), "S3CRET" in str(caught.value))


@pytest.mark.parametrize("settings", [{"timeout": "x"}, {"interval": None}, {"interval": "1"}])
async def test_wrong_waiting(settings: dict[str, Any]) -> None:
    """How long to wait is a number."""
    async with SmsClient(TellingProvider(states=["delivered"])) as sms:
        with pytest.raises(ConfigurationError, match=next(iter(settings))):
            await sms.wait("fake:1", **settings)


def test_journal_without_a_path() -> None:
    """An empty path is no directory to look into, and no path a `TypeError` that names the type."""
    with pytest.raises(JournalError, match=r"its path is empty\. Nothing was sent"):
        Journal.open("")
    with pytest.raises(TypeError, match="not NoneType"):
        Journal.open(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - what is tested


@pytest.mark.parametrize("place", [":memory:", Path(":memory:"), "file::memory:?cache=shared"])
def test_what_has_to_last_is_not_kept_in_memory(
    place: str | Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What SQLite would keep in memory becomes no file of that name, and the error says why."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(JournalError, match=r"has to last.* give the path of a file"):
        Journal.open(place)
    with pytest.raises(SuppressionsError, match="would be forgotten"):
        Suppressions.open(place)

    assert [] == [*tmp_path.iterdir()]


async def test_run_with_a_journal_without_a_path() -> None:
    """A run with an empty path does not begin."""
    provider = FakeProvider()
    async with SmsClient(provider) as sms:
        with pytest.raises(JournalError, match="its path is empty"):
            async with sms.send_many([Message(TO, TEXT)], journal=""):
                pass

    assert [] == provider.sent


@pytest.mark.parametrize("name", ["aiohttp", "fast", ""])
async def test_engine_that_there_is_not(name: Any) -> None:
    """A wrong engine is answered with the choices, and with how to get the fast one."""
    with pytest.raises(ConfigurationError) as caught:
        SmsClient(FakeProvider(), engine=name)

    for word in (
        repr(name),
        "'httpx', the default",
        "'asyncio', the fast one",
        "iprog-async[fast]",
    ):
        assert word in str(caught.value)
