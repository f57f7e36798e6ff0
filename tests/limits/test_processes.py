"""Real processes that share an account, against a gateway that notes when requests arrive."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from support.limits.fleet import ACCEPTED, Fleet, fleet, fullest

from iprog_async.testing import RawRequest, Reply


pytestmark = pytest.mark.slow


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return where the processes keep what they share."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_journal"))
    return str(tmp_path / "texts.db-limits")


async def work(processes: Fleet, count: int) -> None:
    """Let the processes send until so many requests have arrived, and end them."""
    await processes.start()
    await processes.until(lambda: len(processes.arrivals) >= count)
    await processes.end()


@pytest.mark.parametrize(("count", "per"), [(60, 2), (100, 1)])
async def test_four_processes_stay_within_the_rate(place: str, count: int, per: int) -> None:
    """No window of the gateway's clock has too many, and hardly any has much too few."""
    async with fleet(place, f"{count}/{per}s") as processes:
        await work(processes, 4 * count)

    times = sorted(processes.arrivals)
    assert fullest(times, per) <= count
    # What four windows take would take them sixteen, if each process had a quarter of the rate
    # and waited for it in turn. On a machine with time it takes a little more than three; the rate
    # is one that five processes keep on a machine that has hardly any.
    assert times[4 * count - 1] - times[0] < 16 * per


async def test_a_killed_process_takes_no_permit_with_it(place: str) -> None:
    """The others go on within the rate, and have all of it once the permits are safe."""
    async with fleet(place, "40/1s", processes=3) as processes:
        await processes.start()
        await processes.until(lambda: len(processes.arrivals) >= 40)
        processes.processes[0].kill()
        await processes.until(lambda: len(processes.arrivals) >= 200)
        await processes.end()

    assert fullest(processes.arrivals, 1) <= 40


async def test_one_pause_holds_for_all_processes(place: str) -> None:
    """Each process has the gateway's word at most once for what was under way, then all wait.

    Then one call of all shows whether it is over, and more come only as it answers.
    """
    concurrency, before = 20, 100
    at_once: list[int] = []
    refused: list[float] = []
    loop = asyncio.get_running_loop()

    def answer(request: RawRequest) -> Reply:
        at_once.append(request.under_way)
        if len(at_once) <= before or (refused and loop.time() >= refused[0] + 3):
            return ACCEPTED
        refused.append(loop.time())
        return Reply(429, headers={"retry-after": "3"})

    async with fleet(place, "", concurrency=concurrency, answer=answer, after=0.02) as processes:
        await processes.start()
        await processes.until(lambda: len(at_once) >= before + len(refused) + 60)
        said = await processes.end()

    assert ["ended"] * 4 == said
    assert 0 < len(refused) <= 4 * concurrency
    restart = enumerate(at_once[before + len(refused) :][:60], start=1)
    # After so many answers there is one more at once: of so many requests half were answered.
    assert all(under_way <= (number + 1) / 2 for number, under_way in restart)
