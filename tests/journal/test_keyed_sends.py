from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.core_fakes import NUMBER
from support.journal_gateway import FakeGateway, Fate, send_all, until

from iprog_async import (
    AuthenticationError,
    InvalidMessageError,
    Journal,
    JournalError,
    Message,
    OutcomeUnknownError,
    RejectedError,
)


KEY = "order-42"
OTHER = "+639177654321"


async def test_the_second_send_gives_the_first_receipt(tmp_path: Path) -> None:
    """The same key sends once, in one process and in the next, whatever its text is."""
    gateway = FakeGateway()
    with Journal.open(tmp_path / "j.db") as journal:
        async with gateway.client(journal) as sms:
            first = await sms.send(NUMBER, "Hi", key=KEY)
            again = await sms.send(NUMBER, "Hi", key=KEY)
    with Journal.open(tmp_path / "j.db") as journal:
        async with gateway.client(journal) as sms:
            later = await sms.send("0917 123 4567", "Hi there", key=KEY)

    assert (first, first) == (again, later)
    assert {(NUMBER, "Hi"): 1} == gateway.texts


async def test_other_keys_and_numbers_are_sent(tmp_path: Path) -> None:
    """A key belongs to its number, and another key is another text."""
    gateway = FakeGateway()
    with Journal.open(tmp_path / "j.db") as journal:
        async with gateway.client(journal) as sms:
            for number, key in ((NUMBER, KEY), (OTHER, KEY), (NUMBER, "order-43")):
                await sms.send(number, "Hi", key=key)

    assert {(NUMBER, "Hi"): 2, (OTHER, "Hi"): 1} == gateway.texts


async def test_concurrent_sends_make_one_request(tmp_path: Path) -> None:
    """All who ask for a key at once wait for the same request."""
    gateway = FakeGateway()
    with Journal.open(tmp_path / "j.db") as journal:
        async with gateway.client(journal) as sms:
            sends = [sms.send(NUMBER, "Hi", key=KEY) for _ in range(50)]
            receipts = await asyncio.gather(*sends)

    assert [receipts[0]] * 50 == receipts
    assert 1 == gateway.requests


async def test_two_clients_on_one_journal(tmp_path: Path) -> None:
    """While one client sends a key, another one is told so, and sends nothing."""
    gateway, arrived, go_on = FakeGateway(), asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        arrived.set()
        await go_on.wait()

    gateway.on_request = hold
    with Journal.open(tmp_path / "j.db") as journal:
        async with gateway.client(journal) as one, gateway.client(journal) as other:
            first = asyncio.create_task(one.send(NUMBER, "Hi", key=KEY))
            await arrived.wait()
            with pytest.raises(JournalError, match=f"key '{KEY}' is on its way") as caught:
                await other.send(NUMBER, "Hi", key=KEY)
            go_on.set()
            receipt = await first
            assert receipt == await other.send(NUMBER, "Hi", key=KEY)

    assert ("message", True) == (caught.value.blame, caught.value.healable)
    assert 1 == gateway.requests


async def test_a_run_beside_a_single_send(tmp_path: Path) -> None:
    """A run leaves a key alone that a single send has under way, and sends the others."""
    gateway, arrived, go_on = FakeGateway(), asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        gateway.on_request = None
        arrived.set()
        await go_on.wait()

    gateway.on_request = hold
    with Journal.open(tmp_path / "j.db") as journal:
        async with gateway.client(journal) as sms:
            single = asyncio.create_task(sms.send(NUMBER, "Hi", key=KEY))
            await arrived.wait()
            messages = [Message(NUMBER, "Hi", key=KEY), Message(OTHER, "Hi", key=KEY)]
            outcomes = await send_all(sms, messages, journal)
            go_on.set()
            await single
            again = await send_all(sms, messages, journal)

    assert ["not_sent", "accepted"] == [outcome.state for outcome in outcomes]
    assert ["accepted", "accepted"] == [outcome.state for outcome in again]
    assert {(NUMBER, "Hi"): 1, (OTHER, "Hi"): 1} == gateway.texts


async def test_a_cancelled_caller_leaves_the_send_going_on(tmp_path: Path) -> None:
    """A web handler that gives up texts nobody twice: the next one gets the receipt."""
    gateway, go_on = FakeGateway(), asyncio.Event()

    async def hold() -> None:
        await go_on.wait()

    gateway.on_request = hold
    with Journal.open(tmp_path / "j.db") as journal:
        async with gateway.client(journal) as sms:
            caller = asyncio.create_task(sms.send(NUMBER, "Hi", key=KEY))
            await until(lambda: gateway.requests == 1)
            caller.cancel()
            await asyncio.gather(caller, return_exceptions=True)
            next_caller = asyncio.create_task(sms.send(NUMBER, "Hi", key=KEY))
            await asyncio.sleep(0)
            go_on.set()
            receipt = await next_caller

    assert (True, 1) == (caller.cancelled(), gateway.requests)
    assert "id-639171234567" == receipt.message_id


async def test_closing_the_client_waits_for_a_deserted_send(tmp_path: Path) -> None:
    """A send whose caller is gone still comes to its outcome, on record."""
    gateway = FakeGateway()
    with Journal.open(tmp_path / "j.db") as journal:
        async with gateway.client(journal) as sms:
            caller = asyncio.create_task(sms.send(NUMBER, "Hi", key=KEY))
            await asyncio.sleep(0)
            caller.cancel()
        assert {"accepted": 1, "not_sent": 0, "unknown": 0, "waiting": 0} == await journal.counts()


@pytest.mark.parametrize("fate", ["lose", "swallow"])
async def test_unknown_stays_unknown(fate: Fate, tmp_path: Path) -> None:
    """A key whose text may have gone out is not sent again, in this process or the next."""
    gateway = FakeGateway(fate, "accept")
    for _ in range(2):
        with Journal.open(tmp_path / "j.db") as journal:
            async with gateway.client(journal) as sms:
                for _ in range(2):
                    with pytest.raises(OutcomeUnknownError, match="no answer"):
                        await sms.send(NUMBER, "Hi", key=KEY)

    assert 1 == gateway.requests


async def test_unknown_is_sent_again_when_told(tmp_path: Path) -> None:
    """The caller's word for one send, or the journal's for all, sends an unknown text again."""
    gateway = FakeGateway("lose", "lose", "accept")
    with Journal.open(tmp_path / "j.db") as journal:
        async with gateway.client(journal) as sms:
            with pytest.raises(OutcomeUnknownError):
                await sms.send(NUMBER, "Hi", key=KEY)
    with Journal.open(tmp_path / "j.db", resend_unknown=True) as journal:
        async with gateway.client(journal) as sms:
            with pytest.raises(OutcomeUnknownError):
                await sms.send(NUMBER, "Hi", key=KEY)
    with Journal.open(tmp_path / "j.db") as journal:
        async with gateway.client(journal) as sms:
            receipt = await sms.send(NUMBER, "Hi", key=KEY, on_unknown="resend")
            assert receipt == await sms.send(NUMBER, "Hi", key=KEY, on_unknown="resend")

    assert 3 == gateway.requests


@pytest.mark.parametrize(
    ("fate", "error", "requests"),
    [("later", RejectedError, 2), ("broke", AuthenticationError, 2), ("refuse", RejectedError, 1)],
)
async def test_what_was_not_sent(
    fate: Fate, error: type[Exception], requests: int, tmp_path: Path
) -> None:
    """A refusal that may pass is asked again with the next send; one for good is remembered."""
    gateway = FakeGateway(fate, "accept")
    with Journal.open(tmp_path / "j.db") as journal:
        async with gateway.client(journal) as sms:
            with pytest.raises(error):
                await sms.send(NUMBER, "Hi", key=KEY)
            if requests == 2:
                await sms.send(NUMBER, "Hi", key=KEY)
            else:
                with pytest.raises(error, match="inappropriate language"):
                    await sms.send(NUMBER, "Hi", key=KEY)

    assert requests == gateway.requests


@pytest.mark.parametrize("key", [42, b"order", "half \ud800", ["list"]])
async def test_keys_that_cannot_be_stored(key: Any, tmp_path: Path) -> None:
    """A key that would not be found again is refused before anything is sent."""
    gateway = FakeGateway()
    with Journal.open(tmp_path / "j.db") as journal:
        async with gateway.client(journal) as sms:
            with pytest.raises(InvalidMessageError, match=r"the key .* of a message"):
                await sms.send(NUMBER, "Hi", key=key)

    assert 0 == gateway.requests


async def test_without_a_key_the_journal_is_not_asked(tmp_path: Path) -> None:
    """A single send without a key goes out each time, and leaves no row."""
    gateway = FakeGateway()
    with Journal.open(tmp_path / "j.db") as journal:
        async with gateway.client(journal) as sms:
            for _ in range(2):
                await sms.send(NUMBER, "Hi")
        assert [] == [entry async for entry in journal.entries()]

    assert 2 == gateway.requests


async def test_a_broken_journal_sends_nothing(tmp_path: Path) -> None:
    """A key that can't be put on record is not sent."""
    gateway = FakeGateway()
    journal = Journal.open(tmp_path / "j.db")
    journal.close()
    async with gateway.client(journal) as sms:
        with pytest.raises(JournalError, match="is closed"):
            await sms.send(NUMBER, "Hi", key=KEY)

    assert 0 == gateway.requests


async def test_a_deserted_send_that_fails_is_quiet(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The error of a send whose callers are gone is nobody's, and no complaint of asyncio."""
    journal = Journal.open(tmp_path / "j.db")
    journal.close()
    async with FakeGateway().client(journal) as sms:
        caller = asyncio.create_task(sms.send(NUMBER, "Hi", key=KEY))
        await asyncio.sleep(0)
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)

    assert [] == [record for record in caplog.records if record.levelno >= logging.WARNING]


_SECOND = """
import asyncio, json, sys
from iprog_async import Journal, SmsClient, SmsError
from iprog_async_providers import IprogProvider

async def main(path):
    with Journal.open(path) as journal:
        # Nobody listens at this address: whatever is sent would fail.
        provider = IprogProvider("token", base_url="http://127.0.0.1:9")
        async with SmsClient(provider, journal=journal) as sms:
            receipt = await sms.send("0917 123 4567", "Hi", key="order-42")
            print(json.dumps(receipt.to_dict()))

asyncio.run(main(sys.argv[1]))
"""


async def test_a_second_process_gets_the_receipt(tmp_path: Path) -> None:
    """The next process with the key asks no gateway."""
    path = tmp_path / "j.db"
    with Journal.open(path) as journal:
        async with FakeGateway().client(journal) as sms:
            receipt = await sms.send(NUMBER, "Hi", key=KEY)
    command = [sys.executable, "-c", _SECOND, str(path)]
    ran = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=True
    )
    assert receipt.to_dict() == json.loads(ran.stdout)
