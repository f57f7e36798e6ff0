"""What type checkers must reject: every line with the word below, and no other; never run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, assert_never

from iprog_async import (
    Accepted,
    DeliveryStatus,
    HttpPool,
    Message,
    NotSent,
    Outcome,
    Receipt,
    SmsClient,
    SmsProvider,
    SupportsStatus,
    sync,
)
from iprog_async.adapter import Batching, Call, PreparedMessage
from iprog_async.cli._vendor.protocols import OtpDesk
from iprog_async_providers.iprog import IprogProvider


class Mute:
    """A provider that tells neither status nor balance."""

    name = "mute"
    batching = Batching()

    def bind(self, call: Call, /) -> Self:
        """Return itself."""
        return self

    def prepare(self, message: Message, /, index: int = 0) -> PreparedMessage:
        """Prepare nothing."""
        raise NotImplementedError

    async def submit(self, batch: Sequence[PreparedMessage], /) -> Sequence[Outcome]:
        """Send nothing."""
        return []


async def use(mute: SmsClient[Mute], iprog: SmsClient[IprogProvider], receipt: Receipt) -> None:
    """Call what is not there."""
    await mute.send("0917", "Hi")
    await mute.status(receipt)  # REJECT
    await mute.wait(receipt)  # REJECT
    await mute.balance()  # REJECT
    await iprog.send("0917", "Hi", on_unknown="retry")  # REJECT
    await iprog.send(639171234567, "Hi")  # REJECT
    await iprog.send("0917", "Hi", "SHOP")  # REJECT
    iprog.send_many(["0917"])  # REJECT
    iprog.provider.campaigns  # REJECT  # noqa: B018 - looking it up is the point
    sync.SmsClient(Mute()).balance()  # REJECT
    sync.SmsClient(iprog.provider).call(lambda provider: provider.campaigns)  # REJECT
    DeliveryStatus("DELIVRD")  # REJECT


def build(provider: SmsProvider, settings: Any) -> None:
    """Build what makes no sense."""
    SmsClient("iprog")  # REJECT
    SmsClient(provider, engine="carrier pigeon")  # REJECT
    HttpPool(verify="ca.pem")  # REJECT
    HttpPool(verify=False)  # REJECT
    IprogProvider("token", token_in="header")  # REJECT
    unable: SupportsStatus = Mute()  # REJECT
    shapeless: OtpDesk = IprogProvider("token").reminders  # REJECT
    print(unable, shapeless, settings)  # noqa: T201 - so that the name is used


def forgetful(outcome: Outcome) -> str:
    """Forget a case."""
    match outcome:
        case Accepted():
            return "accepted"
        case NotSent():
            return "not sent"
        case _:
            assert_never(outcome)  # REJECT
