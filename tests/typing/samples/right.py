"""What type checkers must accept, with the types that they must see; never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import assert_never, assert_type

from iprog_async import (
    Accepted,
    Balance,
    Counts,
    DeliveryStatus,
    HttpPool,
    Message,
    NotSent,
    Outcome,
    OutcomeUnknownError,
    Receipt,
    SmsClient,
    SmsError,
    SupportsBalance,
    SupportsStatus,
    Unknown,
    sync,
)
from iprog_async_providers.infopromo import InfopromoProvider, StoredMessage
from iprog_async_providers.iprog import IprogProvider, OtpTicket


async def use(client: SmsClient[IprogProvider]) -> None:
    """Call what IPROG can do."""
    assert_type(await client.send("0917", "Hi"), Receipt)
    assert_type(await client.status("iprog:1"), DeliveryStatus)
    assert_type(await client.wait("iprog:1"), DeliveryStatus)
    assert_type(await client.balance(), Balance)
    assert_type(client.provider, IprogProvider)
    await client.provider.otp.verify("0917", "123456")
    async with client.send_many([Message("0917", "Hi")]) as run:
        assert_type(await run.drain(), Counts)
        async for outcome in run:
            assert_type(outcome, Accepted | NotSent | Unknown)
            assert_type(name(outcome), str)


def use_synchronously(client: sync.SmsClient[IprogProvider]) -> None:
    """Call the same without a loop, and what only IPROG or Infopromo has."""
    assert_type(client.send("0917", "Hi"), Receipt)
    assert_type(client.wait("iprog:1"), DeliveryStatus)
    assert_type(client.balance(), Balance)
    assert_type(client.call(lambda provider: provider.otp.send("0917")), OtpTicket)
    with client.send_many([Message("0917", "Hi")]) as run:
        assert_type(run.drain(), Counts)
        for outcome in run:
            assert_type(outcome, Accepted | NotSent | Unknown)


def list_synchronously(client: sync.SmsClient[InfopromoProvider]) -> None:
    """Iterate over what a gateway lists."""
    listed = client.call(lambda provider: provider.messages.list())
    assert_type(listed, Iterator[StoredMessage])


def name(outcome: Outcome) -> str:
    """Cover every case."""
    match outcome:
        case Accepted(receipt=receipt):
            return assert_type(assert_type(receipt, Receipt).ref, str | None) or receipt.to
        case NotSent(error=error):
            return str(assert_type(error, SmsError))
        case Unknown(error=unknown):
            return assert_type(unknown, OutcomeUnknownError).reason
        case _:
            assert_never(outcome)


def by_state(outcome: Outcome) -> str:
    """Narrow by the state alone."""
    if outcome.state == "accepted":
        return assert_type(outcome, Accepted).receipt.to
    if outcome.state == "unknown":
        return assert_type(outcome, Unknown).error.provider
    return str(assert_type(outcome, NotSent).error)


async def sources(client: SmsClient[IprogProvider]) -> None:
    """Take plain and async sources."""

    def plain() -> Iterator[Message]:
        yield Message("0917", "Hi")

    async def asynchronous() -> AsyncIterator[Message]:
        yield Message("0917", "Hi")

    client.send_many(plain())
    client.send_many(asynchronous())
    client.send_many(())


def shared() -> None:
    """Pass clients on as what they can do."""

    def polls(client: SmsClient[SupportsStatus]) -> None: ...
    def counts(client: SmsClient[SupportsBalance]) -> None: ...

    client = SmsClient(IprogProvider("token"), pool=HttpPool())
    assert_type(client, SmsClient[IprogProvider])
    polls(client)
    counts(client)
