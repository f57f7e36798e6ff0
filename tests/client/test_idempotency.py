"""Single sends with a key: once, however often and however concurrently they are asked for."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from support.core.fakes import NUMBER, Wire, to_many
from support.journal.journaling import (
    ACCEPTED,
    BROKEN,
    BUSY,
    REFUSED,
    posting,
    run_over,
    states_in,
)

from iprog_async import (
    InvalidMessageError,
    Journal,
    JournalError,
    JournalUnknownError,
    Message,
    OutcomeUnknownError,
    Receipt,
    RejectedError,
    Unknown,
)


class _Held:
    """A gateway that answers only when it may."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer when it may."""
        self.arrived.set()
        await self.may_answer.wait()
        return ACCEPTED


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the journal is."""
    return tmp_path / "j.db"


async def test_one_key_is_sent_once(path: Path) -> None:
    """A second send with the key returns the first receipt, also after the file was reopened."""
    wire = Wire(ACCEPTED)
    receipts: list[Receipt] = []
    for _ in range(2):
        with Journal.open(path) as journal:
            client = posting(wire, journal)
            receipts += [await client.send(NUMBER, "Hi", key="a") for _ in range(2)]
    assert ([receipts[0]] * 4, 1) == (receipts, len(wire.requests))


async def test_one_key_at_once_is_one_request(path: Path) -> None:
    """Tasks that send with one key at the same time get one receipt of one request."""
    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        client = posting(wire, journal)
        receipts = await asyncio.gather(*(client.send(NUMBER, "Hi", key="a") for _ in range(10)))
    assert ([receipts[0]] * 10, 1) == (receipts, len(wire.requests))


async def test_other_keys_and_numbers_are_other_texts(path: Path) -> None:
    """What is sent once is a key together with its number."""
    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        client = posting(wire, journal)
        for number in (NUMBER, to_many(1)[0].to):
            for key in ("a", "b"):
                await client.send(number, "Hi", key=key)
    assert 4 == len(wire.requests)


async def test_a_cancelled_caller_leaves_the_send_going(path: Path) -> None:
    """Whoever waits with it gets the receipt, and the file has it."""
    gateway = _Held()
    wire = Wire(gateway)
    with Journal.open(path) as journal:
        client = posting(wire, journal)
        first = asyncio.create_task(client.send(NUMBER, "Hi", key="a"))
        second = asyncio.create_task(client.send(NUMBER, "Hi", key="a"))
        await gateway.arrived.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        gateway.may_answer.set()
        assert "id-1" == (await second).message_id
    assert (1, ["accepted"]) == (len(wire.requests), states_in(path))


async def test_a_send_that_nobody_waits_for_is_recorded(path: Path) -> None:
    """After all callers were cancelled the outcome is on record before the client is closed."""
    gateway = _Held()
    wire = Wire(gateway)
    with Journal.open(path) as journal:
        client = posting(wire, journal)
        caller = asyncio.create_task(client.send(NUMBER, "Hi", key="a"))
        await gateway.arrived.wait()
        caller.cancel()
        closing = asyncio.create_task(client.aclose())
        await asyncio.sleep(0)
        gateway.may_answer.set()
        await closing
    assert ["accepted"] == states_in(path)


async def test_an_error_that_nobody_waits_for_is_dropped(path: Path) -> None:
    """A send that fails after its callers were cancelled complains to nobody."""
    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        client = posting(wire, journal)
        caller = asyncio.create_task(client.send(NUMBER, "Hi", key="a"))
        await asyncio.sleep(0)
        caller.cancel()
        journal.close()
        await asyncio.gather(caller, return_exceptions=True)
        await client.aclose()
    assert (True, []) == (caller.cancelled(), wire.requests)


@pytest.mark.parametrize("reply", [BROKEN, httpx.ReadError("reset")])
async def test_an_unknown_outcome_stays_unknown(
    reply: httpx.Response | Exception, path: Path
) -> None:
    """A send in doubt is not repeated until the journal's owner says so."""
    wire = Wire(reply)
    for _ in range(2):
        with Journal.open(path) as journal:
            client = posting(wire, journal)
            for _ in range(2):
                with pytest.raises(OutcomeUnknownError):
                    await client.send(NUMBER, "Hi", key="a")
    assert 1 == len(wire.requests)
    with Journal.open(path, resend_unknown=True) as journal:
        receipt = await posting(Wire(ACCEPTED), journal).send(NUMBER, "Hi", key="a")
    assert "id-1" == receipt.message_id


async def test_a_single_send_may_be_repeated_by_itself(path: Path) -> None:
    """`on_unknown="resend"` of one send repeats it, though the journal's rules do not."""
    with Journal.open(path) as journal:
        with pytest.raises(OutcomeUnknownError):
            await posting(Wire(BROKEN), journal).send(NUMBER, "Hi", key="a")
        wire = Wire(ACCEPTED)
        client = posting(wire, journal)
        receipt = await client.send(NUMBER, "Hi", key="a", on_unknown="resend")
    assert ("id-1", 1, ["accepted"]) == (receipt.message_id, len(wire.requests), states_in(path))


@pytest.mark.parametrize("reply", [REFUSED, BUSY])
async def test_a_refusal_of_a_second_sending_leaves_the_doubt(
    reply: httpx.Response, path: Path
) -> None:
    """A second try that is refused says nothing about the first: the message stays unknown."""
    with Journal.open(path) as journal, pytest.raises(OutcomeUnknownError):
        await posting(Wire(BROKEN), journal).send(NUMBER, "Hi", key="a")
    with Journal.open(path, resend_unknown=True) as journal:
        with pytest.raises(OutcomeUnknownError, match="the first time") as caught:
            await posting(Wire(reply), journal).send(NUMBER, "Hi", key="a")
        error = caught.value
        copies = [error, copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))]  # noqa: S301 - just written by ourselves
        assert [RejectedError] * 4 == [type(each.not_resent) for each in copies]
        (entry,) = [entry async for entry in journal.unknown()]
    assert "fake" == entry.provider


@pytest.mark.parametrize("reply", [REFUSED, BUSY])
async def test_a_second_sending_that_is_refused_is_the_last(
    reply: httpx.Response, path: Path
) -> None:
    """That one is known not to be sent, so there is nothing to send again."""
    wire = Wire(BROKEN, reply, ACCEPTED)
    with Journal.open(path) as journal, pytest.raises(OutcomeUnknownError, match="the first time"):
        await posting(wire, journal).send(NUMBER, "Hi", key="a", on_unknown="resend")
    assert 2 == len(wire.requests)


async def test_a_second_sending_that_the_journal_keeps_from_leaving(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What became of the first one is told: it has left, and only the second one has not."""
    wire = Wire(BROKEN)
    with Journal.open(path) as journal:
        sleep = wire.clock.sleep

        async def close_meanwhile(seconds: float) -> None:
            await asyncio.to_thread(journal.close)
            await sleep(seconds)

        monkeypatch.setattr(wire.clock, "sleep", close_meanwhile)
        with pytest.raises(OutcomeUnknownError, match="HTTP 500") as caught:
            await posting(wire, journal).send(NUMBER, "Hi", key="a", on_unknown="resend")
    (note,) = caught.value.__notes__
    assert (None, 1) == (caught.value.not_resent, len(wire.requests))
    assert note.startswith("it was to be sent again, and that attempt was not sent")


@pytest.mark.parametrize(("reply", "asked"), [(REFUSED, 1), (BUSY, 2)])
async def test_a_refusal_is_final_unless_it_heals(
    reply: httpx.Response, asked: int, path: Path
) -> None:
    """A refusal that can heal is sent again; another is told again."""
    wire = Wire(reply)
    with Journal.open(path) as journal:
        for _ in range(2):
            with pytest.raises(RejectedError):
                await posting(wire, journal).send(NUMBER, "Hi", key="a")
    assert asked == len(wire.requests)


async def test_a_run_leaves_a_single_send_alone(path: Path) -> None:
    """A run that meets a key on its way elsewhere does not send it, and goes on with the rest."""
    gateway = _Held()
    wire, other = Wire(gateway), Wire(ACCEPTED)
    with Journal.open(path) as journal:
        client = posting(wire, journal)
        sending = asyncio.create_task(client.send(NUMBER, "Hi", key="a"))
        await gateway.arrived.wait()
        messages = [Message(NUMBER, "Hi", key="a"), Message(NUMBER, "Hi", key="b")]
        first, second = await run_over(posting(other), messages, journal=journal)
        assert isinstance(first, Unknown)
        assert isinstance(met := first.error.not_resent, JournalError)
        assert (True, "message") == (met.healable, met.blame)
        assert ("accepted", 1) == (second.state, len(other.requests))
        gateway.may_answer.set()
        await sending
        assert set() == set(journal.under_way)


async def test_a_single_send_leaves_a_run_alone(path: Path) -> None:
    """A key that a run is sending is not sent by a single send at the same time."""
    gateway = _Held()
    with Journal.open(path) as journal:
        client = posting(Wire(gateway), journal)
        async with client.send_many([Message(NUMBER, "Hi", key="a")]) as run:
            await gateway.arrived.wait()
            with pytest.raises(JournalUnknownError, match="is on its way through this journal"):
                await client.send(NUMBER, "Hi", key="a")
            gateway.may_answer.set()
            assert 1 == (await run.drain()).accepted
        assert "id-1" == (await client.send(NUMBER, "Hi", key="a")).message_id


async def test_two_clients_of_one_journal(path: Path) -> None:
    """Two clients that send one key at once send it once, and both get its receipt."""
    gateway = _Held()
    wire = Wire(gateway)
    with Journal.open(path) as journal:
        first, second = posting(wire, journal), posting(wire, journal)
        sending = [
            asyncio.create_task(client.send(NUMBER, "Hi", key="a")) for client in (first, second)
        ]
        await gateway.arrived.wait()
        gateway.may_answer.set()
        assert 1 == len(set(await asyncio.gather(*sending)))
    assert 1 == len(wire.requests)


async def test_a_loop_that_ends_leaves_nothing_in_doubt(path: Path) -> None:
    """A text that was still waiting for its turn when its task was cancelled was not sent."""
    gateway = _Held()
    wire = Wire(gateway)
    with Journal.open(path) as journal:
        client = posting(wire, journal)
        slots = [await wire.pool.slots.acquire() for _ in range(wire.pool.slots.size)]
        tasks = asyncio.all_tasks()
        sending = asyncio.create_task(client.send(NUMBER, "Hi", key="a"))
        for _ in range(1000):
            if (await journal.counts())["unknown"]:
                break
        for task in asyncio.all_tasks() - tasks:
            task.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        for slot in slots:
            wire.pool.slots.release(slot)
        assert 1 == (await journal.counts())["waiting"]
    assert [] == wire.requests


async def test_a_closed_journal_sends_nothing(path: Path) -> None:
    """A send with a key that can't be put on record is not made; one without a key is."""
    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        client = posting(wire, journal)
        journal.close()
        with pytest.raises(JournalUnknownError, match="is closed"):
            await client.send(NUMBER, "Hi", key="a")
        assert [] == wire.requests
        await client.send(NUMBER, "Hi")
    assert 1 == len(wire.requests)


async def test_resending_by_the_call(path: Path) -> None:
    """`on_unknown="resend"` repeats a text with a key whose outcome is unknown."""
    wire = Wire(BROKEN, ACCEPTED)
    with Journal.open(path) as journal:
        client = posting(wire, journal)
        receipt = await client.send(NUMBER, "Hi", key="a", on_unknown="resend")
    assert ("id-1", 2) == (receipt.message_id, len(wire.requests))
    assert ["accepted"] == states_in(path)


@pytest.mark.parametrize("key", [7, "\ud800"])
async def test_a_key_that_is_no_text_sends_nothing(key: object, path: Path) -> None:
    """A key that can't be found again is refused before anything leaves."""
    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        client = posting(wire, journal)
        with pytest.raises(InvalidMessageError, match="the key"):
            await client.send(NUMBER, "Hi", key=key)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a wrong one
    assert [] == wire.requests


_NEXT_PROCESS = """
import asyncio, json, sys
from iprog_async import Journal, SmsClient
from iprog_async_providers import IprogProvider

async def main(path):
    # Nobody listens at this address: whatever is sent would fail.
    provider = IprogProvider("token", base_url="http://127.0.0.1:9")
    with Journal.open(path) as journal:
        async with SmsClient(provider, journal=journal) as sms:
            receipt = await sms.send("0917 123 4567", "Hi", key="a")
            print(json.dumps(receipt.to_dict()))

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.slow
async def test_the_next_process_gets_the_receipt(path: Path) -> None:
    """A key that another process sent is not sent again, whatever the gateway."""
    with Journal.open(path) as journal:
        receipt = await posting(Wire(ACCEPTED), journal).send(NUMBER, "Hi", key="a")
    command = [sys.executable, "-c", _NEXT_PROCESS, str(path)]
    ran = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=True
    )
    assert receipt.to_dict() == json.loads(ran.stdout)
