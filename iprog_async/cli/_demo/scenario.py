"""What `iprog-async demo` does: real sends, through every adapter, to a local sandbox."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from attrs import evolve, frozen

from iprog_async._client.client import SmsClient
from iprog_async._core.errors import (
    InvalidMessageError,
    OutcomeUnknownError,
    ProviderError,
    SmsError,
)
from iprog_async._core.receipts import DeliveryStatus, Receipt
from iprog_async._core.redaction import one_line
from iprog_async._http.pool import HttpPool
from iprog_async._providers.numbers import read_number
from iprog_async._providers.protocols import SmsProvider, SupportsStatus
from iprog_async.sandbox import BLOCKED_WORD, Fault, Sandbox


# Each gateway takes the first that it can reach.
_NUMBERS = ("+639171234567", "+256701234567", "+447700900123")
_WAIT = 30.0
_INTERVAL = 0.2


@frozen(kw_only=True)
class Sent:
    """One text and what became of it.

    Args:
        provider: Name of the adapter.
        to: Recipient.
        text: What was sent.
        seconds: From the call to its outcome, without the wait for the delivery.
        receipt: The gateway's word that it took it.
        status: Where its delivery ended; `None` where the gateway does not tell.
        error: What went wrong.
        can_tell: Whether the gateway tells of deliveries.
        copies: How many of it the sandbox accepted.
    """

    provider: str
    to: str
    text: str
    seconds: float = 0.0
    receipt: Receipt | None = None
    status: DeliveryStatus | None = None
    error: SmsError | None = None
    can_tell: bool = False
    copies: int = 0

    @property
    def ok(self) -> bool:
        """Whether it was accepted, once, and delivered as far as can be known."""
        delivered = self.status is not None and self.status.state == "delivered"
        return (
            self.receipt is not None
            and self.error is None
            and self.copies == 1
            and (delivered or not self.can_tell)
        )


@frozen(kw_only=True)
class Trouble:
    """One way to fail, shown on purpose.

    Args:
        title: What was done.
        expected: What the library must say.
        expected_copies: How many of the text the sandbox must have accepted.
        sent: What happened.
    """

    title: str
    expected: type[SmsError]
    expected_copies: int
    sent: Sent

    @property
    def ok(self) -> bool:
        """Whether the library said what is true."""
        return (
            isinstance(self.sent.error, self.expected) and self.sent.copies == self.expected_copies
        )


@frozen
class Demonstration:
    """All that was sent."""

    texts: list[Sent]
    troubles: list[Trouble]

    @property
    def ok(self) -> bool:
        """Whether everything went as promised."""
        texts_ok = bool(self.texts) and all(sent.ok for sent in self.texts)
        return texts_ok and all(trouble.ok for trouble in self.troubles)


async def demonstrate(sandbox: Sandbox) -> Demonstration:
    """Send through every adapter at once, over one pool; then fail on purpose through one."""
    async with HttpPool() as pool:
        texts = await asyncio.gather(*(_deliver(sandbox, pool, name) for name in sandbox.providers))
        working = [sent.provider for sent in texts if sent.receipt is not None]
        troubles: list[Trouble] = []
        # One of the troubles is a content filter, which some gateways do not have.
        for name in sorted(working, key=lambda name: name not in sandbox.filtering)[:1]:
            client = SmsClient.from_url(sandbox.address(name), pool=pool)
            troubles += await _fail(sandbox, name, client)
    return Demonstration([_counted(sandbox, sent) for sent in texts], troubles)


async def _deliver(sandbox: Sandbox, pool: HttpPool, name: str) -> Sent:
    """Send one text and wait for it; a plug-in that breaks stops nobody else."""
    try:
        client = SmsClient.from_url(sandbox.address(name), pool=pool)
        return await _send_and_wait(name, client)
    except Exception as exc:
        what = f"the plug-in broke: {type(exc).__name__}: {exc}"
        return Sent(provider=name, to="-", text="", error=SmsError(one_line(what)))


async def _send_and_wait(name: str, client: SmsClient[Any]) -> Sent:
    sent = await _send(name, client, number_for(client.provider), f"Hello from {name}!")
    provider = client.provider
    if sent.receipt is None or sent.receipt.message_id is None:
        return sent
    if not isinstance(provider, SupportsStatus):
        return sent
    try:
        status = await client.wait(sent.receipt, timeout=_WAIT, interval=_INTERVAL)
    except SmsError as exc:
        return evolve(sent, error=exc, can_tell=True)
    return evolve(sent, status=status, can_tell=True)


async def _fail(sandbox: Sandbox, name: str, client: SmsClient[Any]) -> list[Trouble]:
    to = number_for(client.provider)
    bad_number = await _send(name, client, "12345", "To nobody")
    refused = await _send(name, client, to, f"Win at the {BLOCKED_WORD}!")
    sandbox.add_fault(Fault("*", "drop_after"))
    lost = await _send(name, client, to, "Your answer got lost")
    cases = (
        ("an invalid phone number", InvalidMessageError, 0, bad_number),
        ("a text that the gateway's filter stops", ProviderError, 0, refused),
        ("the answer is lost after the gateway took it", OutcomeUnknownError, 1, lost),
    )
    return [
        Trouble(title=title, expected=error, expected_copies=copies, sent=_counted(sandbox, sent))
        for title, error, copies, sent in cases
    ]


async def _send(name: str, client: SmsClient[Any], to: str, text: str) -> Sent:
    started = time.perf_counter()
    receipt: Receipt | None = None
    error: SmsError | None = None
    try:
        receipt = await client.send(to, text)
    except SmsError as exc:
        error = exc
    seconds = time.perf_counter() - started
    return Sent(provider=name, to=to, text=text, seconds=seconds, receipt=receipt, error=error)


def number_for(provider: SmsProvider) -> str:
    """Return the first example number that a gateway can reach; the first of all if none."""
    for number in _NUMBERS:
        try:
            read_number(provider, number)
        except SmsError:
            continue
        return number
    return _NUMBERS[0]


def _counted(sandbox: Sandbox, sent: Sent) -> Sent:
    return evolve(sent, copies=sum(text.text == sent.text for text in sandbox.inbox))
