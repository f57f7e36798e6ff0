"""A machine that slept, or a process that was stopped, texts nobody when it wakes up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.core.fakes import NUMBER
from support.engines.wire import BOTH, OK, EngineName, client_of

from iprog_async import ConnectionFailedError, Journal, RetryPolicy
from iprog_async._engines import base
from iprog_async._journal import ledger, rows_claim
from iprog_async.testing import RawGateway


pytest.importorskip("httptools")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return what the machine's clock says, one time after the other, and the last for good."""
    times: list[float] = []

    def reading() -> Iterator[float]:
        while True:
            yield times.pop(0) if len(times) > 1 else times[0]

    readings = reading()
    for module in (ledger, rows_claim, base):
        monkeypatch.setattr(module, "uptime", lambda: next(readings))
    return times


@pytest.mark.parametrize("engine", BOTH)
async def test_nothing_leaves_long_after_its_claim(
    engine: EngineName, clock: list[float], tmp_path: Path
) -> None:
    """A text whose connection took hours is not sent, and waits in the journal."""
    # Claimed as it is looked up, taken at once, and connected hours later.
    clock += [1.0, 1.0, 20_000.0]
    async with RawGateway(OK) as gateway:
        with Journal.open(tmp_path / "j.db") as journal:
            async with client_of(gateway.base_url, engine, journal=journal) as client:
                with pytest.raises(ConnectionFailedError, match=r"slept.*did not leave"):
                    await client.send(NUMBER, "Hi", key="order-1")
            assert 0 == gateway.begun
            assert 1 == (await journal.counts())["not_sent"]


@pytest.mark.parametrize("engine", BOTH)
async def test_a_claim_that_grew_old_is_asked_for_again(
    engine: EngineName, clock: list[float], tmp_path: Path
) -> None:
    """Where retries are allowed, the text goes out once, with a new claim."""
    clock += [1.0, 1.0, 20_000.0]
    retry = RetryPolicy(attempts=2, base=0)
    async with RawGateway(OK) as gateway:
        with Journal.open(tmp_path / "j.db") as journal:
            client = client_of(gateway.base_url, engine, journal=journal, retry=retry)
            async with client:
                receipt = await client.send(NUMBER, "Hi", key="order-1")
            assert ("iSms-1", 1) == (receipt.message_id, gateway.begun)
            assert 1 == (await journal.counts())["accepted"]
