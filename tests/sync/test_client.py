from __future__ import annotations

import asyncio
import gc
import inspect
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.core.fakes import (
    NUMBER,
    FakeProvider,
    TellingProvider,
    accept,
    lose,
    refusing,
    to_many,
)
from support.core.misbehaving import await_cancelled
from support.sync import serving

import iprog_async
from iprog_async import (
    Balance,
    ClientClosedError,
    ConfigurationError,
    InvalidMessageError,
    Journal,
    Outcome,
    OutcomeUnknownError,
    Rate,
    Receipt,
    RejectedError,
    RetryPolicy,
    SmsError,
    UnsupportedError,
    WaitTimeoutError,
    WrongLoopError,
)
from iprog_async.adapter import PreparedMessage
from iprog_async.sandbox import Sandbox
from iprog_async.sync import SmsClient
from iprog_async.sync import _client as client_module
from iprog_async.sync._open_client import OpenClient, open_client
from iprog_async.testing import InstantClock, RawGateway, Reply, SmsOutbox
from iprog_async_providers.infopromo import InfopromoProvider
from iprog_async_providers.iprog import IprogProvider


OK = Reply.of_json({"status": 200, "message_id": "iSms-1"})


def test_accepted_text_gives_its_receipt() -> None:
    """A text goes out over a real socket, and its receipt comes back, with no loop of ours."""
    with serving(RawGateway(OK)) as gateway:
        provider = IprogProvider("1|token", base_url=gateway.base_url)
        with SmsClient(provider) as sms:
            receipt = sms.send("0917 123 4567", "x" * 161)

    assert ("iprog:iSms-1", "639171234567", 2) == (receipt.ref, receipt.to, receipt.segments)


@pytest.mark.parametrize(
    ("provider", "number", "error"),
    [
        (FakeProvider(send=refusing()), NUMBER, RejectedError),
        (FakeProvider(send=lose), NUMBER, OutcomeUnknownError),
        (FakeProvider(), "nobody", InvalidMessageError),
    ],
    ids=["refused", "lost", "no number"],
)
def test_errors_are_those_of_the_async_client(
    provider: FakeProvider, number: str, error: type[SmsError]
) -> None:
    """What the async client raises is raised in the thread that waits."""
    with SmsClient(provider) as sms, pytest.raises(error):
        sms.send(number, "Hi")


def test_unknown_is_sent_again_only_when_told(sms_clock: InstantClock) -> None:
    """`on_unknown="resend"` reaches the client on the loop."""
    provider = FakeProvider(send=lose)
    retry = RetryPolicy(attempts=3)
    with SmsClient(provider, retry=retry) as sms, pytest.raises(OutcomeUnknownError):
        sms.send(NUMBER, "Hi", on_unknown="resend")

    assert 3 == len(provider.sent)


def test_status_is_polled_until_it_is_final(sms_clock: InstantClock) -> None:
    """`wait` returns the final status, and raises if there is none in time."""
    receipt = Receipt("fake", "id-0", "639171234567", 1)
    with SmsClient(TellingProvider(states=["pending", "delivered"])) as sms:
        assert "delivered" == sms.wait(receipt).state
    with SmsClient(TellingProvider(states=["pending"])) as sms:
        assert "pending" == sms.status(receipt).state
        with pytest.raises(WaitTimeoutError):
            sms.wait(receipt, timeout=5)


def test_a_journal_is_followed(tmp_path: Path, sms_clock: InstantClock) -> None:
    """`follow` brings the texts of the client's own journal to their final status."""
    provider = TellingProvider(states=["pending", "delivered"])
    told: list[bool] = []
    with SmsClient(provider, journal=tmp_path / "j.db") as sms:
        sms.send(NUMBER, "Hi", key="a")
        found = sms.follow(progress=lambda seen: told.append(seen.finished))

    assert (1, [False, True]) == (found.delivered, told)


def test_balance() -> None:
    """The balance is returned; a gateway that tells none says so."""
    with SmsClient(TellingProvider(states=["pending"])) as sms:
        assert Balance(None, text="Unlimited") == sms.balance()
    with SmsClient[Any](FakeProvider()) as dumb, pytest.raises(UnsupportedError):
        dumb.balance()


def test_operations_of_a_gateway(sms_sandbox: Sandbox) -> None:
    """What a provider has besides is called on the loop: what it awaits, and what it lists."""
    with SmsClient.from_url(sms_sandbox.address("iprog")) as sms:
        ticket = sms.call(lambda provider: provider.otp.send(NUMBER))
        assert "639171234567" == ticket.phone_number
    with SmsClient.from_url(sms_sandbox.address("infopromo")) as sms:
        promo: SmsClient[InfopromoProvider] = sms
        for number in range(3):
            promo.send(f"+63917123456{number}", "Hi")
        listed = promo.call(lambda provider: provider.messages.list())
        next(listed)
        assert 2 == len([*listed])


def test_operation_that_awaits_what_was_cancelled() -> None:
    """It is cancelled as its coroutine is, and nobody says that the interpreter exits."""

    async def operation(_: object) -> None:
        await await_cancelled()

    with SmsClient(FakeProvider()) as sms, pytest.raises(asyncio.CancelledError):
        sms.call(operation)


def test_outbox_of_tests_takes_its_texts(sms_outbox: SmsOutbox) -> None:
    """An app's tests keep the texts of this client in memory, too."""
    with SmsClient.from_env() as sms:
        sms.send(NUMBER, "Hi")

    assert ["Hi"] == [message.text for message in sms_outbox.messages]


@pytest.mark.parametrize(
    "settings",
    [{"timeout": 0}, {"engine": "twisted"}, {"journal": 5}, {"retry": "often"}, {"verify": False}],
    ids=lambda settings: next(iter(settings)),
)
def test_wrong_settings_are_known_at_once(settings: dict[str, Any]) -> None:
    """What is wrong with the arguments is said by the constructor, before the first text."""
    with pytest.raises(ConfigurationError):
        SmsClient(FakeProvider(), **settings)


def test_closed_client_sends_nothing() -> None:
    """After `close`, used or not, there is an error; closing twice is fine."""
    provider = FakeProvider()
    unused, used = SmsClient(provider), SmsClient(provider)
    used.send(NUMBER, "Hi")
    for sms in (unused, used):
        sms.close()
        sms.close()
        with pytest.raises(ClientClosedError):
            sms.send(NUMBER, "Ho")
        with pytest.raises(ClientClosedError), sms:
            pass

    assert 1 == len(provider.sent)


async def test_running_loop_is_not_blocked() -> None:
    """In a thread that runs a loop there is one error that names the client to use instead."""
    provider = FakeProvider()
    sms = SmsClient(provider)
    attempts = (
        lambda: sms.send(NUMBER, "Hi"),
        lambda: sms.send_many(to_many(2)),
        lambda: sms.plan_many(to_many(2)),
        lambda: sms.call(lambda _: accept([])),
    )
    for attempt in attempts:
        with pytest.raises(WrongLoopError, match=r"iprog_async\.SmsClient"):
            attempt()
    assert [] == provider.sent

    await asyncio.to_thread(sms.send, NUMBER, "Hi")
    await asyncio.to_thread(sms.close)
    assert 1 == len(provider.sent)


def test_closing_while_another_thread_opens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A client that is closed in the midst of a first send is closed, and its journal with it."""
    provider = FakeProvider()
    sms = SmsClient(provider, journal=tmp_path / "j.db")
    opened: list[OpenClient[FakeProvider]] = []

    def open_meanwhile(*arguments: Any) -> OpenClient[FakeProvider]:
        opened.append(open_client(*arguments))
        in_threads(1, lambda _: sms.close())
        return opened[0]

    monkeypatch.setattr(client_module, "open_client", open_meanwhile)
    with pytest.raises(ClientClosedError, match="nothing was sent"):
        sms.send(NUMBER, "Hi")

    assert [] == provider.sent
    assert opened[0] not in opened[0].thread.clients
    # Whoever has a journal open has such a file.
    assert [] == list(tmp_path.glob("j.db.lock-*"))


def in_threads(count: int, work: Callable[[int], object]) -> None:
    """Do something in many threads at once, and wait for all of them."""
    with ThreadPoolExecutor(count) as threads:
        for done in [threads.submit(work, number) for number in range(count)]:
            done.result()


def test_all_threads_share_one_pool_and_one_rate() -> None:
    """Twenty threads use three connections, and five texts go out in a tenth of a second."""
    started = time.monotonic()
    with serving(RawGateway(OK)) as gateway:
        provider = IprogProvider("1|token", base_url=gateway.base_url, rate=Rate(5, 0.1))
        with SmsClient(provider, max_connections=3) as sms:
            in_threads(20, lambda number: sms.send(f"+63917{number:07}", "Hi"))

    assert time.monotonic() - started >= 0.3
    assert 20 == len(gateway.gateway.requests)
    assert gateway.gateway.connections <= 3


def test_all_clients_share_one_loop() -> None:
    """However many clients a process has, there is one thread in the background."""
    loops: set[asyncio.AbstractEventLoop] = set()

    async def look(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        loops.add(asyncio.get_running_loop())
        return await accept(batch)

    def send(_: int) -> None:
        with SmsClient(FakeProvider(send=look)) as sms:
            sms.send(NUMBER, "Hi")

    in_threads(10, send)

    assert 1 == len(loops)


def test_key_in_threads_at_once_is_one_text(tmp_path: Path) -> None:
    """Of ten threads with one key, one sends; all get its receipt, also from a later client."""
    outbox = SmsOutbox()
    path = tmp_path / "texts.db"
    receipts: list[str | None] = []
    with SmsClient(outbox.provider, journal=path) as sms:
        in_threads(10, lambda _: receipts.append(sms.send(NUMBER, "Hi", key="order-1").ref))
    with Journal.open(path) as journal, SmsClient(outbox.provider, journal=journal) as again:
        receipts.append(again.send(NUMBER, "Hi", key="order-1").ref)

    assert (11, 1) == (len(receipts), len(set(receipts)))
    assert 1 == len(outbox.messages)


def test_journal_is_opened_when_it_is_first_needed(tmp_path: Path) -> None:
    """Making a client opens no file, so that one can be made before processes are forked off."""
    path = tmp_path / "texts.db"
    with SmsClient(FakeProvider(), journal=path) as sms:
        assert not path.exists()
        sms.send(NUMBER, "Hi", key="order-1")
        assert path.exists()


def test_client_that_nobody_holds_is_closed() -> None:
    """A client made for one text, as in a view, leaves no connection behind."""
    with serving(RawGateway(OK)) as gateway:
        SmsClient(IprogProvider("1|token", base_url=gateway.base_url)).send(NUMBER, "Hi")
        gc.collect()
        gateway.until(lambda seen: seen.open_connections == 0)

        assert 1 == len(gateway.gateway.requests)


def test_drained_run_gives_its_counts() -> None:
    """They are those that the run shows."""
    with SmsClient(FakeProvider()) as sms, sms.send_many(to_many(3)) as run:
        assert 3 == run.drain().accepted == run.counts.accepted


def test_every_argument_reaches_the_client_on_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the async client can be told, this one passes on, but for what lives in a loop."""
    theirs = set(inspect.signature(iprog_async.SmsClient).parameters) - {"pool", "http"}
    given: dict[str, Any] = {}

    class Spy:
        def __init__(self, provider: object, **arguments: object) -> None:
            given.update(arguments, provider=provider)

    monkeypatch.setattr("iprog_async._client.client.SmsClient", Spy)
    told: dict[str, Any] = {name: object() for name in theirs - {"journal"}}
    told |= {"observers": (object(),), "policies": (object(),)}
    SmsClient(told.pop("provider"), **told)

    assert theirs == set(inspect.signature(SmsClient).parameters) == set(given)
    assert told == {name: given[name] for name in told}
    assert given["journal"] is None
