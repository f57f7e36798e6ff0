from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Iterator

import pytest
from support.core.clock import settle
from support.core.fakes import NUMBER, TOKEN, Wire, iprog_ok, to_many

from iprog_async import HttpPool, Message, OutcomeUnknownError, Rate, SmsClient, WrongLoopError
from iprog_async._http.send_context import was_in_flight
from iprog_async.testing import Behaviour, RawGateway, RawRequest, Reply, answer, silence
from iprog_async_providers.iprog import IprogProvider


OK = Reply.of_json({"status": 200, "message_id": "iSms-1"})


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    """Fail on warnings about unclosed sockets and forgotten coroutines."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
        gc.collect()
    assert [] == [str(one.message) for one in caught]


def client_of(gateway: RawGateway, pool: HttpPool | None = None) -> SmsClient[IprogProvider]:
    """Return a client of a raw gateway."""
    return SmsClient(IprogProvider(TOKEN, base_url=gateway.base_url), pool=pool)


async def test_cancellation_in_flight_says_so_and_frees_the_slot() -> None:
    """A cancelled send that was on its way carries a note; its connection is not used again."""
    async with RawGateway(silence(), OK) as gateway, HttpPool(max_connections=1) as pool:
        client = client_of(gateway, pool)
        task = asyncio.create_task(client.send(NUMBER, "Hi"))
        await gateway.until(lambda seen: len(seen.requests) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task

        assert was_in_flight(caught.value)
        assert "unknown whether it could send the text" in caught.value.__notes__[0]
        assert 0 == pool.in_flight
        await client.send(NUMBER, "Ho")
        assert [1, 2] == [request.connection for request in gateway.requests]


async def test_cancellation_in_the_queue_is_certainly_not_sent() -> None:
    """Who waits for a connection has sent nothing, and leaves nothing behind."""
    cancelled = asyncio.Event()

    async def answer_late(_: RawRequest, writer: asyncio.StreamWriter) -> bool:
        await cancelled.wait()
        writer.write(OK.head() + OK.body)
        return True

    async with RawGateway(Behaviour("late", answer_late), OK) as gateway:
        async with HttpPool(max_connections=1) as pool:
            client = client_of(gateway, pool)
            first = asyncio.create_task(client.send(NUMBER, "Hi"))
            await gateway.until(lambda seen: len(seen.requests) == 1)
            queued = asyncio.create_task(client.send(NUMBER, "Ho"))
            await settle()
            queued.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await queued
            cancelled.set()
            await first

        assert not was_in_flight(caught.value)
        assert (0, 1) == (pool.in_flight, len(gateway.requests))


async def test_cancelled_read_is_not_called_unknown() -> None:
    """Asking for a balance texts nobody."""
    async with RawGateway(silence()) as gateway, client_of(gateway) as client:
        task = asyncio.create_task(client.balance())
        await gateway.until(lambda seen: len(seen.requests) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task

    assert not was_in_flight(caught.value)


@pytest.mark.slow
async def test_pool_survives_a_storm_of_cancellations() -> None:
    """After 500 cancellations no slot and no connection is lost, and the next text goes out."""
    async with RawGateway(answer(OK, after=0.003)) as gateway:
        async with HttpPool(max_connections=20) as pool:
            provider = IprogProvider(TOKEN, base_url=gateway.base_url)
            # Far less than the test may take: a lost connection shows as a lost answer.
            client = SmsClient(provider, pool=pool, timeout=30)
            tasks = [asyncio.create_task(client.send(NUMBER, f"Hi {n}")) for n in range(500)]
            await gateway.until(lambda seen: len(seen.requests) >= 5)
            for position, task in enumerate(tasks):
                task.cancel()
                if position % 25 == 0:
                    await asyncio.sleep(0.001)
            await asyncio.gather(*tasks, return_exceptions=True)

            assert 0 == pool.in_flight
            receipts = await asyncio.gather(*(client.send(NUMBER, f"Ho {n}") for n in range(60)))
            assert 60 == len(receipts)
            assert 0 == pool.in_flight
            assert gateway.open_connections <= 20
        await gateway.until(lambda seen: seen.open_connections == 0)


async def test_leaving_a_bulk_run_names_what_was_on_its_way() -> None:
    """Requests under way are abandoned as unknown; queued ones are certainly not sent."""
    async with RawGateway(silence()) as gateway, HttpPool(max_connections=2) as pool:
        client = client_of(gateway, pool)
        messages = [Message(to.to, f"Hi {n}") for n, to in enumerate(to_many(5))]
        async with client.send_many(messages, concurrency=5) as run:
            await gateway.until(lambda seen: len(seen.requests) == 2)

        assert (2, 2, 3) == (len(run.abandoned), run.counts.unknown, run.in_flight)
        assert {OutcomeUnknownError} == {type(outcome.error) for outcome in run.abandoned}
        assert 0 == pool.in_flight


async def test_call_that_waits_in_the_queue_when_the_pool_closes_is_not_sent() -> None:
    """Closing is final: nothing that waited for a slot goes out on a new connection."""
    async with RawGateway(silence()) as gateway:
        pool = HttpPool(max_connections=1)
        client = client_of(gateway, pool)
        first = asyncio.create_task(client.send(NUMBER, "Hi"))
        await gateway.until(lambda seen: len(seen.requests) == 1)
        second = asyncio.create_task(client.send(NUMBER, "Ho"))
        await settle()

        await pool.aclose()
        first.cancel()
        results = await asyncio.gather(first, second, return_exceptions=True)

        assert ["CancelledError", "ClientClosedError"] == [type(one).__name__ for one in results]
        assert 1 == len(gateway.requests)


async def test_rate_of_a_provider_spaces_its_requests() -> None:
    """With one text in 20 ms, the fourth begins 60 ms after the first."""
    async with RawGateway(OK) as gateway:
        provider = IprogProvider(TOKEN, base_url=gateway.base_url, rate=Rate(1, 0.02))
        async with SmsClient(provider) as client:
            loop = asyncio.get_running_loop()
            started = loop.time()
            await asyncio.gather(*(client.send(NUMBER, f"Hi {n}") for n in range(4)))

    assert loop.time() - started >= 0.06


def test_leaving_on_another_loop_breaks_nothing() -> None:
    """A client that outlived its loop can be closed; it can't be entered again."""
    wire = Wire(iprog_ok)

    async def use() -> None:
        async with wire.client() as mine:
            await mine.send(NUMBER, "Hi")

    async def enter_again() -> None:
        with pytest.raises(WrongLoopError):
            await wire.pool.__aenter__()
        with pytest.raises(WrongLoopError):
            await wire.client().__aenter__()
        await wire.pool.aclose()

    asyncio.run(use())
    asyncio.run(enter_again())

    assert wire.pool.closed
