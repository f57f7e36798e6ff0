"""What the sandbox remembers: accounts, credit, and the texts it accepted."""

from __future__ import annotations

import itertools
import secrets
import threading
from datetime import UTC, datetime
from decimal import Decimal

from attrs import define, field

from iprog_async._core.segments import count_segments
from iprog_async.sandbox._simulation.exchange import Exchange, LruStore, current
from iprog_async.sandbox._simulation.failed_requests import (
    FailedRequest,
    FailedRequests,
    is_refused,
    note_refusal,
)
from iprog_async.sandbox._simulation.inbox import Inbox, InboxText, Newest
from iprog_async.sandbox._simulation.replies import ReceivedText
from iprog_async.sandbox._simulation.revision import Revision


# A number that ends like this is refused, so that a test can ask for it.
REFUSED_RECIPIENT = "0001"

_MOST_RECEIVED = 10_000

BLOCKED_WORD = "casino"
"""A text with this word meets the content filter of each gateway."""

OUT_OF_CREDIT = "out of credit"
"""Why a gateway refuses what the account can't pay for, as `note_refusal` is told."""


class OutOfCreditError(Exception):
    """The account can't pay for a text; nothing was accepted."""


@define
class SandboxState:
    """Shared by all gateways of one sandbox; safe to read from other threads.

    Args:
        credit: Credit of each gateway's account at the start, in segments.
        delivered_after: Seconds from a text's departure to its final status.
    """

    credit: Decimal = field(default=Decimal(1000), converter=Decimal)
    delivered_after: float = 1.0
    _credits: dict[str, Decimal] = field(factory=dict[str, Decimal], init=False)
    _broke: set[str] = field(factory=set[str], init=False)
    _strict: set[str] = field(factory=set[str], init=False)
    _exchanges: LruStore = field(factory=LruStore, init=False, repr=False)
    _refusals: FailedRequests = field(factory=FailedRequests, init=False, repr=False)
    _received: list[ReceivedText] = field(factory=list[ReceivedText], init=False, repr=False)
    _lock: threading.RLock = field(factory=threading.RLock, init=False, repr=False)
    _numbers: itertools.count[int] = field(factory=lambda: itertools.count(1), init=False)
    _serials: itertools.count[int] = field(factory=lambda: itertools.count(1), init=False)
    revision: Revision = field(factory=Revision, init=False, repr=False)
    _inbox: Inbox = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._inbox = Inbox(self.revision)

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)

    def new_id(self, prefix: str = "") -> str:
        """Return an id that no other text has."""
        return f"{prefix}{secrets.token_hex(4)}{next(self._numbers)}"

    def credit_of(self, gateway: str) -> Decimal:
        """Return what is left on a gateway's account: nothing where it was made to run out."""
        if gateway in self._broke:
            return Decimal(0)
        return self._credits.get(gateway, self.credit)

    def set_credit(self, gateway: str, amount: Decimal | int) -> None:
        """Set what is left on a gateway's account; an account that had run out has credit again."""
        with self._lock:
            self._credits[gateway] = Decimal(amount)
            self._broke.discard(gateway)
        self.revision.bump()

    def run_out(self, gateway: str, out: bool = True) -> None:
        """Let an account have no credit until told otherwise; then it has what it had."""
        (self._broke.add if out else self._broke.discard)(gateway)
        self.revision.bump()

    def has_run_out(self, gateway: str) -> bool:
        """Return whether an account was made to run out."""
        return gateway in self._broke

    def block_all(self, gateway: str, blocked: bool = True) -> None:
        """Let a gateway's content filter refuse every text, or only those that it should."""
        (self._strict.add if blocked else self._strict.discard)(gateway)
        self.revision.bump()

    def blocks_all(self, gateway: str) -> bool:
        """Return whether a gateway's content filter refuses every text."""
        return gateway in self._strict

    def blocks(self, gateway: str, text: str) -> bool:
        """Return whether a gateway's content filter refuses a text."""
        blocked = gateway in self._strict or BLOCKED_WORD in text.lower()
        if blocked:
            note_refusal("content filter")
        return blocked

    def accept(
        self,
        gateway: str,
        to: str,
        text: str,
        *,
        message_id: str,
        sender_id: str = "",
        due_at: datetime | None = None,
    ) -> InboxText:
        """Charge the account and put a text into the inbox.

        Raises:
            OutOfCreditError: The account can't pay for it.
        """
        with self._lock:
            cost = count_segments(text).count
            left = self.credit_of(gateway)
            if left < cost:
                note_refusal(OUT_OF_CREDIT)
                raise OutOfCreditError(gateway)
            self._credits[gateway] = left - cost
            now = self.now()
            exchange = current.get()
            if exchange is not None:
                self._exchanges.keep(exchange)
            accepted = InboxText(
                gateway,
                to,
                text,
                sender_id,
                message_id,
                now,
                due_at or now,
                self.delivered_after,
                serial=next(self._serials),
                exchange=exchange,
                revision=self.revision,
            )
            self._inbox.add(accepted)
            self.revision.bump()
            return accepted

    def receive(self, gateway: str, sender: str, to: str, text: str) -> ReceivedText:
        """Keep a text that a phone sent to a gateway, the newest ones of very many.

        Args:
            gateway: Prefix of the gateway.
            sender: The number of the phone.
            to: What the phone answers to.
            text: What it says.
        """
        received = ReceivedText(gateway, sender, to, text, self.new_id(), self.now())
        with self._lock:
            self._received.append(received)
            del self._received[:-_MOST_RECEIVED]
        self.revision.bump()
        return received

    def note_answer(self, received: ReceivedText) -> None:
        """Keep how an app answered when a text was pushed to it."""
        with self._lock:
            self._received = [
                received if each.message_id == received.message_id else each
                for each in self._received
            ]
        self.revision.bump()

    def received(self, gateway: str) -> list[ReceivedText]:
        """Return the texts that a gateway received, oldest first."""
        with self._lock:
            return [each for each in self._received if each.gateway == gateway]

    def end_exchange(self, exchange: Exchange) -> None:
        """Note that nothing more is sent for a request."""
        exchange.ended = True
        if exchange.kept:
            with self._lock:
                self._exchanges.weigh(exchange)
            self.revision.bump()
        elif is_refused(exchange):
            with self._lock:
                self._refusals.note(exchange, self.now())
            self.revision.bump()

    def refusals(self) -> list[FailedRequest]:
        """Return the last requests that came to nothing, the newest first."""
        with self._lock:
            return self._refusals.list()

    def find(self, gateway: str, message_id: str) -> InboxText | None:
        """Return an accepted text by its id."""
        with self._lock:
            return next(
                (
                    text
                    for text in self._inbox.all()
                    if text.gateway == gateway and text.message_id == message_id
                ),
                None,
            )

    def texts(self, gateway: str | None = None, to: str | None = None) -> list[InboxText]:
        """Return the accepted texts, oldest first; cancelled ones are left out.

        Args:
            gateway: Only those of this gateway.
            to: Only those to this number, however its country code is written.
        """
        with self._lock:
            texts = self._inbox.newest(gateway)
            return [t for t in reversed(texts) if not t.cancelled and t.is_for(gateway, to)]

    def newest(self, gateway: str | None = None) -> Newest:
        """Return what `texts` would list, the newest first, without looking at each."""
        with self._lock:
            return self._inbox.newest(gateway)

    def count(self) -> int:
        """Return how many texts `texts` would list."""
        with self._lock:
            return len(self._inbox.newest())

    def clear(self, gateway: str | None = None, to: str | None = None) -> int:
        """Forget accepted texts, all of them or those that `texts` would list; return how many.

        With all of them go the refused requests, of which no text came, and what was received.
        """
        with self._lock:
            if gateway is None and to is None:
                self._refusals.clear()
                self._received.clear()
            texts = self._inbox.all()
            kept = [text for text in texts if not text.is_for(gateway, to)]
            removed = len(texts) - len(kept)
            self._inbox.replace(kept)
            self.revision.bump()
            return removed

    def reset(self) -> None:
        """Forget every text and give each account the credit of the start."""
        with self._lock:
            self._inbox.replace([])
            self._credits.clear()
            self._broke.clear()
            self._strict.clear()
            self._exchanges.clear()
            self._refusals.clear()
            self._received.clear()
        self.revision.bump()
