"""What an earlier sending may have sent stays unknown, whatever becomes of it the second time."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.journal.journaling import states_in

from iprog_async import (
    ConnectionFailedError,
    Journal,
    Message,
    OutcomeUnknownError,
    Outgoing,
    Refuse,
    RejectedError,
    SmsClient,
)
from iprog_async.testing import SmsOutbox


NUMBER = "+639171234567"
OVER = datetime.now(UTC) - timedelta(hours=1)


def _stopped(_: Outgoing) -> Refuse:
    return Refuse("STOP")


WAYS: dict[str, dict[str, Any]] = {
    "refused by the gateway": {"refusal": RejectedError},
    "unreachable": {"refusal": ConnectionFailedError},
    "refused by a policy": {"policies": [_stopped]},
    "too late": {"not_after": OVER},
}


@asynccontextmanager
async def resuming(
    path: Path, gateway: SmsOutbox, refusal: Any = None, **settings: Any
) -> AsyncGenerator[SmsClient[Any]]:
    """Give a client that sends again what is unknown, and is refused."""
    if refusal is not None:
        gateway.refuse(refusal, times=10)
    with Journal.open(path, resend_unknown=True) as journal:
        async with SmsClient(gateway.provider, journal=journal, **settings) as client:
            yield client


@pytest.mark.parametrize("way", WAYS)
async def test_single_send_stays_unknown(tmp_path: Path, way: str) -> None:
    """The error says that it may have been sent, as the journal does."""
    path, gateway = tmp_path / "j.db", SmsOutbox()
    settings = dict(WAYS[way])
    end = settings.pop("not_after", None)
    gateway.lose(times=1)
    with Journal.open(path) as journal:
        async with SmsClient(gateway.provider, journal=journal) as client:
            with pytest.raises(OutcomeUnknownError):
                await client.send(NUMBER, "Hi", key="a")

    async with resuming(path, gateway, **settings) as client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.send(NUMBER, "Hi", key="a", not_after=end)

    assert "the first time" in str(caught.value)
    assert ["unknown"] == states_in(path)


@pytest.mark.parametrize("way", WAYS)
async def test_row_of_a_run_stays_unknown(tmp_path: Path, way: str) -> None:
    """Outcomes and counts of the run that sends again are those of the journal."""
    path, gateway = tmp_path / "j.db", SmsOutbox()
    settings = dict(WAYS[way])
    end = settings.pop("not_after", None)
    gateway.lose(times=1)
    with Journal.open(path) as journal:
        async with SmsClient(gateway.provider) as client:
            first = client.send_many([Message(NUMBER, "Hi")], journal=journal)
            async with first as run:
                assert 1 == (await run.drain()).unknown

    async with (
        resuming(path, gateway, **settings) as client,
        client.send_many([Message(NUMBER, "Hi")], not_after=end) as run,
    ):
        outcomes = [outcome async for outcome in run]

    assert ["unknown"] == [outcome.state for outcome in outcomes]
    assert (0, 1) == (run.counts.not_sent, run.counts.unknown)
    assert ["unknown"] == states_in(path)
