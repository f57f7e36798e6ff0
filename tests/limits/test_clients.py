"""Clients with a journal share an account's limits; what they keep names nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from iprog_async import (
    Failover,
    Journal,
    Message,
    OutcomeUnknownError,
    RateLimitError,
    RetryPolicy,
    RunHaltedError,
    SmsClient,
)
from iprog_async.testing import RawGateway, Reply
from iprog_async_providers.iprog import IprogProvider
from iprog_async_providers.ugsms import UgsmsV1Provider


ACCEPTED = Reply.of_json({"status": 200, "message_id": "iSms-1", "sms_rate": "1"})
LIMITED = Reply(429, headers={"retry-after": "600"})
PASSWORD = "hunter2-of-the-shop"
NUMBER, OTHER = "+63 917 123 4567", "+63 917 123 4568"


def kept_in(folder: Path) -> bytes:
    """Return all that the processes of a journal's machine keep of what they share."""
    return b"".join(file.read_bytes() for file in folder.glob("texts.db-limits*"))


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return where the journal is."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_journal"))
    return str(tmp_path / "texts.db")


async def test_a_client_shares_a_pause_with_clients_of_other_pools(place: str) -> None:
    """What one was told holds for the next one, as in another process."""
    off = RetryPolicy(attempts=1, max_pause=0)
    with Journal.open(place) as journal:
        async with RawGateway(ACCEPTED, LIMITED, ACCEPTED) as gateway:
            provider = IprogProvider("token", base_url=gateway.base_url, rate="50/s")
            for expected in (1, 2):
                async with SmsClient(Failover(provider, retry=off), journal=journal) as sms:
                    if expected == 1:
                        await sms.send(NUMBER, "Hi")
                    with pytest.raises(RateLimitError):
                        await sms.send(NUMBER, "Hi")

            # The last client's text did not leave.
            assert 2 == len(gateway.requests)


async def test_a_run_shares_by_the_journal_that_is_its_own(place: str) -> None:
    """A run with a path or an address obeys the pause that another one was told."""
    off = RetryPolicy(attempts=1, max_pause=0)
    async with RawGateway(LIMITED, ACCEPTED) as gateway:
        provider = IprogProvider("token", base_url=gateway.base_url, rate="50/s")
        for number in (NUMBER, OTHER):
            router = Failover(provider, retry=off)
            async with (
                SmsClient(router) as sms,
                sms.send_many([Message(number, "Hi")], journal=place) as run,
            ):
                with pytest.raises(RunHaltedError) as halted:
                    assert ["not_sent"] == [outcome.state async for outcome in run]
                assert isinstance(halted.value.cause, RateLimitError)

        assert 1 == len(gateway.requests)


async def test_the_file_holds_no_credential_host_or_number(tmp_path: Path) -> None:
    """Accounts are named by a salted hash."""
    path = tmp_path / "texts.db"
    with Journal.open(path) as journal:
        async with RawGateway(Reply(503)) as gateway:
            provider = UgsmsV1Provider("shop@example.ug", PASSWORD, base_url=gateway.base_url)
            async with SmsClient(provider, journal=journal) as sms:
                with pytest.raises(OutcomeUnknownError):
                    await sms.send("0701 234 567", "Hi")

    kept = kept_in(tmp_path)
    assert kept
    for secret in ("shop@example.ug", PASSWORD, "127.0.0.1", "701234567", "ugsms"):
        assert secret.encode() not in kept
