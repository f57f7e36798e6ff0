"""Sends at full speed through both engines, and measures itself.

Run as a process of its own: `python -m soak.sender ADDRESS SECONDS FOLDER`. It writes what
became of each text to files of the folder, and prints its levels as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from attrs import asdict, frozen

from iprog_async import HttpPool, Journal, Message, RetryPolicy, SmsClient, SmsError
from iprog_async_providers import IprogProvider
from soak.books import ACCEPTED, NOT_SENT, UNKNOWN, WRONG_ANSWER, Lane, mark_of
from soak.levels import Level
from soak.mishaps import CLIENT_TIMEOUT
from soak.texts import common_text, own_text, wire_number


Client = SmsClient[IprogProvider]

# Fewer connections than tasks that send: they queue, as in real life.
_CONNECTIONS = 24
_SINGLES = 12
_KEYED = 4
_ROUND = 200
_BATCH = 20
_RUN = 8
_MEASUREMENTS = 120


@frozen
class Place:
    """Where the sending goes on.

    Args:
        base_url: Address of the gateway.
        folder: For journals while they are in use, and for the books.
        ends_at: When nothing new is begun, in the loop's time.
    """

    base_url: str
    folder: Path
    ends_at: float

    def has_time(self) -> bool:
        """Return whether there is time left."""
        return asyncio.get_running_loop().time() < self.ends_at

    def goes_on(self, lane: Lane) -> bool:
        """Return whether a lane has time left; a busy machine may need more for a first success."""
        return self.has_time() or ACCEPTED not in lane.marks

    @asynccontextmanager
    async def client(
        self, pool: HttpPool, lane: Lane, journal: Journal | None = None
    ) -> AsyncGenerator[Client]:
        """Open a client over a shared pool, with an account of its own."""
        provider = IprogProvider(
            f"soak-token-{lane.name}", base_url=self.base_url, max_batch=_BATCH
        )
        retry = RetryPolicy(base=0.01)
        async with SmsClient(
            provider, pool=pool, timeout=CLIENT_TIMEOUT, retry=retry, journal=journal
        ) as client:
            yield client


async def _send(client: Client, lane: Lane, index: int, key: str | None = None) -> int:
    """Send one text, and return its mark."""
    wire = wire_number(index)
    try:
        receipt = await client.send(f"+{wire}", own_text(lane.name, index), key=key)
    except SmsError as exc:
        return UNKNOWN if exc.may_have_been_sent else NOT_SENT
    return ACCEPTED if receipt.message_id == f"iSms-{wire}" else WRONG_ANSWER


async def _singles(place: Place, pool: HttpPool, lane: Lane) -> None:
    """Send one text after the other in several tasks."""

    async def work(client: Client) -> None:
        while place.goes_on(lane):
            index = lane.take()
            lane.marks[index] = await _send(client, lane, index)

    async with place.client(pool, lane) as client, asyncio.TaskGroup() as tasks:
        for _ in range(_SINGLES):
            tasks.create_task(work(client))


async def _keyed(place: Place, pool: HttpPool, lane: Lane) -> None:
    """Send each text three times with one key, two of them at once."""

    async def work(client: Client) -> None:
        while place.goes_on(lane):
            index = lane.take()
            key = f"order-{index}"
            twice = [_send(client, lane, index, key) for _ in range(2)]
            marks = [*await asyncio.gather(*twice), await _send(client, lane, index, key)]
            # A refused text may be accepted the next time; what may be out stays so.
            lane.marks[index] = marks[-1]

    with closing(Journal.open(place.folder / f"{lane.name}.db")) as journal:
        async with place.client(pool, lane, journal) as client, asyncio.TaskGroup() as tasks:
            for _ in range(_KEYED):
                tasks.create_task(work(client))


async def _bulk(place: Place, pool: HttpPool, lane: Lane, *, alike: bool) -> None:
    """Make one bulk run after the other, each left midway and gone on with by its journal."""
    async with place.client(pool, lane) as client:
        while place.goes_on(lane):
            first = lane.take(_ROUND)
            messages = [
                Message(
                    f"+{wire_number(index)}",
                    common_text(lane.name) if alike else own_text(lane.name, index),
                )
                for index in range(first, first + _ROUND)
            ]
            await _bulk_round(place, client, lane, first, messages)


async def _bulk_round(
    place: Place, client: Client, lane: Lane, first: int, messages: list[Message]
) -> None:
    path = place.folder / f"{lane.name}.db"
    seen = 0
    async with client.send_many(
        messages, concurrency=_RUN, halt_after_unknown=_ROUND, journal=path
    ) as run:
        async for _ in run:
            seen += 1
            if seen == _ROUND // 2:
                break
    async with client.send_many(
        messages, concurrency=_RUN, halt_after_unknown=_ROUND, journal=path
    ) as run:
        async for outcome in run:
            index = first + outcome.index
            lane.marks[index] = mark_of(outcome, f"iSms-{wire_number(index)}")
    _remove(path)


def _remove(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


async def _measure(place: Place, seconds: float) -> list[Level]:
    levels: list[Level] = []
    while place.has_time():
        await asyncio.sleep(seconds / _MEASUREMENTS)
        levels.append(Level.now())
    return levels


async def soak(base_url: str, seconds: float, folder: Path) -> dict[str, object]:
    """Send for some seconds, and return the levels before, in between and after."""
    before = Level.now()
    place = Place(base_url, folder, asyncio.get_running_loop().time() + seconds)
    lanes: list[Lane] = []

    def lane(name: str) -> Lane:
        lanes.append(Lane(name))
        return lanes[-1]

    async with (
        HttpPool(engine="httpx", max_connections=_CONNECTIONS) as slow,
        HttpPool(engine="asyncio", max_connections=_CONNECTIONS) as fast,
        asyncio.TaskGroup() as tasks,
    ):
        for name, pool in (("httpx", slow), ("asyncio", fast)):
            tasks.create_task(_singles(place, pool, lane(f"{name}-singles")))
            tasks.create_task(_singles(place, pool, lane(f"{name}-more-singles")))
            tasks.create_task(_keyed(place, pool, lane(f"{name}-keyed")))
            tasks.create_task(_bulk(place, pool, lane(f"{name}-bulk-alike"), alike=True))
            tasks.create_task(_bulk(place, pool, lane(f"{name}-bulk-own"), alike=False))
        measuring = tasks.create_task(_measure(place, seconds))
    after = Level.now()
    books = folder / "outcomes"
    for each in lanes:
        each.save(books)
    return {
        "before": asdict(before),
        "levels": [asdict(level) for level in measuring.result()],
        "after": asdict(after),
    }


if __name__ == "__main__":
    _, base_url, seconds, folder = sys.argv
    report = asyncio.run(soak(base_url, float(seconds), Path(folder)))
    sys.stdout.write(json.dumps(report))
