"""What a call of the public surface raises is in its docstring, with what it means for the text."""

from __future__ import annotations

import asyncio
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.core.fakes import NUMBER, FakeProvider, Wire, lose, refusing
from support.policies.rules import always

import iprog_async_providers
from iprog_async import (
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    Decision,
    ExpiredError,
    InvalidMessageError,
    Journal,
    LimitExceededError,
    OutcomeUnknownError,
    Outgoing,
    PolicyError,
    PolicyRefusedError,
    ProviderError,
    Refuse,
    RetryPolicy,
    SendLaterError,
    SmsClient,
    SmsError,
    SuppressedError,
    Suppressions,
    SuppressionsError,
    UnsupportedError,
    WaitUntil,
    WrongLoopError,
    sync,
)
from iprog_async_providers import IprogProvider, UgsmsV2Provider


SOON = datetime.now(UTC) + timedelta(hours=1)
MORNING = datetime.now(UTC) + timedelta(days=1)
UNREACHABLE = Wire(httpx.ConnectError("refused"))
IPROG = IprogProvider("token")


def failing(_: Outgoing) -> Decision:
    """Fail, as a policy whose database is away."""
    raise OSError("away")


# The error, what the client has, and what the text has.
SETTINGS: list[tuple[type[SmsError], dict[str, Any], dict[str, Any]]] = [
    (ConfigurationError, {}, {"key": "a"}),
    (InvalidMessageError, {}, {"text": ""}),
    (UnsupportedError, {"provider": UgsmsV2Provider("key")}, {"schedule_at": MORNING}),
    (PolicyError, {"policies": [failing]}, {}),
    (PolicyRefusedError, {"policies": [always(Refuse("no"))]}, {}),
    (SendLaterError, {"policies": [always(WaitUntil(MORNING))]}, {}),
    (ExpiredError, {"policies": [always(WaitUntil(MORNING))]}, {"not_after": SOON}),
    (ProviderError, {"provider": FakeProvider(send=refusing())}, {}),
    (OutcomeUnknownError, {"provider": FakeProvider(send=lose)}, {}),
    (
        ConnectionFailedError,
        {"provider": IPROG, "http": UNREACHABLE.http, "retry": RetryPolicy.off()},
        {},
    ),
]


def documented(function: Callable[..., Any]) -> dict[str, str]:
    """Return the errors that a docstring names, with what it says about each."""
    _, _, raised = (inspect.getdoc(function) or "").partition("\nRaises:\n")
    block, _, _ = raised.partition("\n\n")
    return dict(re.findall(r"^    (\w+): ((?:.|\n     )+)", block, re.MULTILINE))


def check_documented(error: type[SmsError]) -> None:
    """See that both clients' `send` say what an error means for the text."""
    clients: tuple[Any, ...] = (SmsClient, sync.SmsClient)
    for client in clients:
        words = documented(client.send)[error.__name__]
        assert ("may have been sent" if error.may_have_been_sent else "not sent") in words


async def send(settings: dict[str, Any], text: dict[str, Any]) -> None:
    """Send one text."""
    of_client: dict[str, Any] = {"provider": FakeProvider(), **settings}
    of_text: dict[str, Any] = {"to": NUMBER, "text": "Hi", **text}
    async with SmsClient(**of_client) as client:
        await client.send(**of_text)


@pytest.mark.parametrize(
    ("error", "settings", "text"), SETTINGS, ids=[row[0].__name__ for row in SETTINGS]
)
async def test_what_a_send_raises(
    error: type[SmsError], settings: dict[str, Any], text: dict[str, Any]
) -> None:
    """Each of them is raised, and told."""
    with pytest.raises(error) as caught:
        await send(settings, text)

    assert caught.value.may_have_been_sent is error.may_have_been_sent
    check_documented(error)


async def test_what_a_send_raises_for_what_it_is_kept_in(tmp_path: Path) -> None:
    """The journal, the list of numbers and the limits."""
    journal, path = Journal.open(tmp_path / "j.db"), tmp_path / "stop.txt"
    path.write_text(NUMBER)
    suppressions = Suppressions.open(path)
    async with SmsClient(FakeProvider(), per_number="1/day", journal=journal) as client:
        await client.send(NUMBER, "Hi")
        with pytest.raises(LimitExceededError):
            await client.send(NUMBER, "Hi")
    async with SmsClient(FakeProvider(), journal=journal, suppressions=suppressions) as client:
        with pytest.raises(SuppressedError):
            await client.send(NUMBER, "Hi")
        path.unlink()
        with pytest.raises(SuppressionsError):
            await client.send(NUMBER, "Hi")
    async with SmsClient(FakeProvider(), journal=journal) as client:
        journal.close()
        with pytest.raises(OutcomeUnknownError):
            await client.send(NUMBER, "Hi", key="a")
    with pytest.raises(ClientClosedError):
        await client.send(NUMBER, "Hi")

    for error in (
        LimitExceededError,
        SuppressedError,
        SuppressionsError,
        OutcomeUnknownError,
        ClientClosedError,
    ):
        check_documented(error)


async def test_what_a_send_on_another_loop_raises() -> None:
    """A client belongs to one event loop, and the one for synchronous code to none."""

    async def elsewhere() -> None:
        with pytest.raises(WrongLoopError):
            await client.send(NUMBER, "Hi")

    async with SmsClient(IPROG, http=Wire().http) as client:
        await asyncio.to_thread(asyncio.run, elsewhere())
    with sync.SmsClient(FakeProvider()) as other, pytest.raises(WrongLoopError):
        other.send(NUMBER, "Hi")
    check_documented(WrongLoopError)


@pytest.mark.parametrize(
    "name", ["send", "send_many", "plan_many", "status", "wait", "follow", "balance"]
)
def test_both_clients_say_the_same(name: str) -> None:
    """What one of them raises the other one does, beside its own word for a loop."""
    told = documented(getattr(SmsClient, name)).keys() | {"WrongLoopError", "ClientClosedError"}
    assert told == documented(getattr(sync.SmsClient, name)).keys()


def modules_in(package: Any) -> Iterator[Any]:
    """Iterate over the modules of a package, without those that play a gateway."""
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if found.name.endswith("_sandbox"):
            continue
        module = import_module(found.name)
        yield module
        if found.ispkg:
            yield from modules_in(module)


def operations() -> Iterator[Any]:
    """Iterate over the methods of all adapters' modules."""
    for module in modules_in(iprog_async_providers):
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if cls.__module__ == module.__name__:
                methods = inspect.getmembers(cls, inspect.iscoroutinefunction)
                yield from (method for name, method in methods if not name.startswith("_"))


def test_operations_of_gateways_say_that_one_may_be_away() -> None:
    """Whoever is told that an answer may be lost is told the same of the connection."""
    told = {
        method.__qualname__: documented(method).keys()
        for method in operations()
        if documented(method).keys() & {"NoAnswerError", "OutcomeUnknownError"}
    }
    assert len(told) > 25
    both = {"ConnectionFailedError", "ProviderError"}
    assert {} == {name: both - errors for name, errors in told.items() if both - errors}
