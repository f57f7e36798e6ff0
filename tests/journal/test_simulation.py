"""Runs over one campaign through every kind of trouble, by chance but repeatably."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import httpx
import pytest
from attrs import define, field
from support.core.fakes import Wire, to_many
from support.journal.journaling import (
    ACCEPTED,
    BROKEN,
    BUSY,
    REFUSED,
    SLOW_DOWN,
    WRONG_TOKEN,
    PostingProvider,
    as_killed,
    numbers_of,
    posting,
    run_over,
)

from iprog_async import Journal, Message, Outcome, SmsClient
from iprog_async.adapter import Batching


_PEOPLE = 12
_WEIGHTS = {
    "accept": 8,
    "busy": 2,
    "slow down": 1,
    "wrong token": 1,
    "lost before": 2,
    "lost after": 2,
    "unreachable": 1,
}


@define
class Gateway:
    """A gateway that does anything, and a process that may be killed at each request.

    Args:
        chance: What decides.
        path: The journal's file.
        copy: Where the file is left by a kill.
        kill_at: Number of the request at which the process is killed; 0 for never.
        texts: How many texts each number has had.
        bad: Numbers for which it refuses a whole request.
    """

    chance: random.Random
    path: Path
    copy: Path
    kill_at: int
    texts: Counter[str]
    bad: set[str]
    killed: asyncio.Event = field(factory=asyncio.Event)
    seen: int = 0

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Do something, and answer or not."""
        if self.killed.is_set():
            # A dead process sends nothing.
            await asyncio.Event().wait()
        self.seen += 1
        response = self._decide(numbers_of(request))
        if self.seen == self.kill_at:
            as_killed(self.path, self.copy)
            self.killed.set()
            await asyncio.Event().wait()
        # Others may overtake it, and be there when the process is killed.
        for _ in range(self.chance.randrange(4)):
            await asyncio.sleep(0)
        if self.killed.is_set():
            await asyncio.Event().wait()
        if isinstance(response, Exception):
            raise response
        return response

    def _decide(self, numbers: list[str]) -> httpx.Response | Exception:
        what = self.chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        if what in ("accept", "lost after"):
            if self.bad.intersection(numbers):
                return REFUSED
            self.texts.update(numbers)
        answers: dict[str, httpx.Response | Exception] = {
            "accept": ACCEPTED,
            "busy": BUSY,
            "slow down": SLOW_DOWN,
            "wrong token": WRONG_TOKEN,
            "unreachable": httpx.ConnectError("refused"),
        }
        lost = (BROKEN, httpx.ReadError("reset"), httpx.ReadTimeout("late"))
        return answers[what] if what in answers else self.chance.choice(lost)


async def _run(
    gateway: Gateway, messages: list[Message], batch: int, campaign_path: Path
) -> list[Outcome]:
    """Run until the end, a halt or the kill, and return the outcomes, if it was not killed."""
    with Journal.open(campaign_path) as journal:
        wire = Wire(gateway.answer)
        client = SmsClient(PostingProvider(limits=Batching(max_batch=batch)), pool=wire.pool)
        run = asyncio.create_task(
            run_over(client, messages, journal=journal, concurrency=3, window=5)
        )
        killed = asyncio.create_task(gateway.killed.wait())
        await asyncio.wait([run, killed], return_when=asyncio.FIRST_COMPLETED)
        for task in (run, killed):
            task.cancel()
        await asyncio.wait([run, killed])
    # Any other error than the kill is one of ours.
    return [] if run.cancelled() else run.result()


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 10))]
)
async def test_nobody_is_texted_twice_or_lost(seed: int, batch: int, tmp_path: Path) -> None:
    """Whatever gateways and kills do to run after run, each person has one text at the most."""
    chance = random.Random(seed)  # noqa: S311 - chance, not secrets
    people = to_many(_PEOPLE)
    texts: Counter[str] = Counter()
    bad = {message.to for message in chance.sample(people, 2)}
    path = tmp_path / "0.db"
    for round_number in range(5):
        copy = tmp_path / f"{round_number + 1}.db"
        kill_at = chance.choice([0, chance.randrange(1, _PEOPLE)])
        gateway = Gateway(chance, path, copy, kill_at, texts, bad)
        outcomes = await _run(gateway, people, batch, path)
        path = copy if gateway.killed.is_set() else path

        assert [1] * len(texts) == list(texts.values())
        for outcome in outcomes:
            if outcome.state != "unknown":
                assert (outcome.state == "accepted") == (texts[outcome.message.to] == 1)

    with Journal.open(path) as journal:
        doubtful = {entry.number async for entry in journal.unknown()}

    def answer(request: httpx.Request) -> httpx.Response:
        numbers = numbers_of(request)
        if bad.intersection(numbers):
            return REFUSED
        texts.update(numbers)
        return ACCEPTED

    with Journal.open(path, resend_unknown=True) as journal:
        outcomes = await run_over(posting(Wire(answer)), people, journal=journal)
    assert _PEOPLE == len(outcomes)
    for outcome in outcomes:
        number = outcome.message.to
        if number in bad:
            assert (0, True) == (texts[number], outcome.state != "accepted")
        else:
            assert "accepted" == outcome.state
            assert texts[number] == 1 or (number in doubtful and texts[number] == 2)
