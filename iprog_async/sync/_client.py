"""The client for synchronous code."""

from __future__ import annotations

import ssl
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from queue import SimpleQueue
from typing import Any, Literal, Self, TypeVar, overload

from iprog_async._bulk.plan import BulkPlan
from iprog_async._bulk.suppression import Suppress
from iprog_async._client import client as asynchronous
from iprog_async._client.from_config import provider_from_env, provider_from_url
from iprog_async._core.errors import ClientClosedError
from iprog_async._core.gsm7.replacement import EncodingSetting
from iprog_async._core.messages import Message
from iprog_async._core.observers import Observer
from iprog_async._core.outcomes import NotSent
from iprog_async._core.rates import Rate
from iprog_async._core.receipts import Receipt
from iprog_async._core.tracebacks import discreet
from iprog_async._http.pool import EngineName
from iprog_async._http.retry import RetryPolicy
from iprog_async._journal.journal import Journal
from iprog_async._policies.decisions import PolicyLike
from iprog_async._policies.send_between import WhenQuiet
from iprog_async._providers.protocols import SmsProvider
from iprog_async._sending.sender_ids import SenderIdSetting
from iprog_async.sync._bulk_run import BulkRun
from iprog_async.sync._calls import Inbox, call, check_thread
from iprog_async.sync._journal import AnyJournal, plain_journal
from iprog_async.sync._loop_thread import loop_thread
from iprog_async.sync._open_client import JournalSource, OpenClient, open_client
from iprog_async.sync._operations import awaited, cut_short, cut_short_keyed, each
from iprog_async.sync._questions import Questions
from iprog_async.sync._source import (
    check_source,
    read_in_thread,
    suppressing,
    tell,
    telling,
)
from iprog_async.sync._suppressions import AnySuppressions, plain_list


P_co = TypeVar("P_co", bound=SmsProvider, covariant=True)
T = TypeVar("T")
_CLOSED = "the client is closed; nothing was sent"


class SmsClient(Questions[P_co]):
    """Sends texts from synchronous code: `iprog_async.SmsClient`, waited for instead of awaited.

    One client serves any number of threads, with one pool of connections and one rate. All
    clients of a process share one event loop, in a thread in the background. A client made before
    a fork works in both processes: the child has a loop, connections and a rate of its own.

    Use it as a context manager, or `close` it. When the interpreter exits, clients that are open
    are closed.

    Args:
        provider: The gateway, as one account; the object itself stays untouched.
        engine: What moves the bytes: `"httpx"`, the default, or `"asyncio"`, which takes a
            fraction of its CPU time and needs the extra `fast`.
        max_connections: The most requests at once, 100 by default; others queue.
        verify: Trusted certificates, as an `ssl.SSLContext`; they are checked always.
        timeout: Seconds for one attempt, once it has a connection slot.
        deadline: Seconds for a whole call, with its waits and retries; unbounded if `None`.
        journal: Makes a send with a `key` idempotent, and bulk runs resumable: the path or address
            of a journal, which each process opens when it first sends and closes with the client;
            or an open one, which is yours to close, and which a forked process opens anew.
        retry: How often and how patiently a call is repeated, where that is safe.
        observers: Code of yours that is told of each request and each outcome, in the thread in
            the background: it must not wait, nor use this client.
        user_agent: What requests call this program; `iprog-async/VERSION` if `None`.
        suppressions: Numbers that must not be texted, as for `iprog_async.SmsClient`.
        policies: What decides whether a text may be sent now, as for `iprog_async.SmsClient`; asked
            in the thread in the background: they must not use this client.
        per_number: The most texts to one number within a time; from here on as for the other one.
        per_number_same_text: The same of equal texts to one number.
        credits_per_day: The most credits in any 24 hours.
        send_between: The hours at which texts leave, such as `"08:00-20:00"`.
        zone: Whose clocks, if not the number's.
        when_quiet: What becomes of a single text outside of these hours.
        sender_id: Sender ID of texts that have none of their own, or one for each country.
        encoding: Whether look-alikes may be replaced, as for `iprog_async.SmsClient`.

    Raises:
        ConfigurationError: An argument makes no sense; or a variable of the environment, such as
            `SSL_CERT_FILE` or `HTTPS_PROXY`, names what can't be used.
    """

    @discreet
    def __init__(
        self,
        provider: P_co,
        *,
        engine: EngineName | None = None,
        max_connections: int | None = None,
        verify: ssl.SSLContext | Literal[True] = True,
        timeout: float = 30.0,
        deadline: float | None = None,
        retry: RetryPolicy | None = None,
        journal: AnyJournal | None = None,
        observers: Iterable[Observer] = (),
        user_agent: str | None = None,
        suppressions: AnySuppressions | None = None,
        policies: Iterable[PolicyLike] = (),
        per_number: Rate | str | None = None,
        per_number_same_text: Rate | str | None = None,
        credits_per_day: int | None = None,
        send_between: str | None = None,
        zone: str | None = None,
        when_quiet: WhenQuiet = "wait",
        sender_id: SenderIdSetting | None = None,
        encoding: EncodingSetting = "auto",
    ) -> None:
        told, asked = tuple(observers), tuple(policies)

        def make(opened: Journal | None) -> asynchronous.SmsClient[P_co]:
            return asynchronous.SmsClient(
                provider,
                engine=engine,
                max_connections=max_connections,
                verify=verify,
                timeout=timeout,
                deadline=deadline,
                retry=retry,
                journal=opened,
                observers=told,
                user_agent=user_agent,
                suppressions=plain_list(suppressions),
                policies=asked,
                per_number=per_number,
                per_number_same_text=per_number_same_text,
                credits_per_day=credits_per_day,
                send_between=send_between,
                zone=zone,
                when_quiet=when_quiet,
                sender_id=sender_id,
                encoding=encoding,
            )

        # What is wrong is to be known now, and not with the first text.
        make(None)
        self._make = make
        self._journal = JournalSource(plain_journal(journal))
        self._open: OpenClient[P_co] | None = None
        self._closed = False

    @classmethod
    @discreet
    def from_env(cls, environ: Mapping[str, str] | None = None, **settings: Any) -> SmsClient[Any]:
        """Build a client from `SMS_URL`, or from the one gateway whose credentials are set.

        Args:
            environ: Instead of the process's environment.
            settings: Further arguments of `SmsClient`.

        Raises:
            ConfigurationError: Nothing is set, several gateways are, or a value is wrong.
        """
        return SmsClient(provider_from_env(environ), **settings)

    @classmethod
    @discreet
    def from_url(cls, address: str, **settings: Any) -> SmsClient[Any]:
        """Build a client from an address such as `"iprog://TOKEN@"`.

        Args:
            address: Provider, percent-encoded credentials and settings.
            settings: Further arguments of `SmsClient`.

        Raises:
            ConfigurationError: The address is wrong; it is not shown.
        """
        return SmsClient(provider_from_url(address), **settings)

    def send(
        self,
        to: str,
        text: str,
        *,
        sender_id: str | None = None,
        schedule_at: datetime | None = None,
        key: str | None = None,
        options: object | None = None,
        on_unknown: Literal["raise", "resend"] = "raise",
        encoding: EncodingSetting | None = None,
        not_after: datetime | None = None,
    ) -> Receipt:
        """Send one text, and return the gateway's word that it accepted it.

        What interrupts the waiting, such as Ctrl-C or a task's time limit, cancels the call, and
        carries a note that says whether the text may have left.

        Args:
            to: Phone number as people write it.
            text: What the phone shows.
            sender_id: Name or number the phone shows as sender.
            schedule_at: When to send, as an aware `datetime` to come; at once if `None`.
            key: Your own name for this text: a second send with the same key and number returns
                the first receipt. It needs a journal on the client.
            options: The adapter's own options.
            on_unknown: `"resend"` sends again when the outcome is unknown: better twice than never.
            encoding: Whether look-alikes may be replaced; the client's if `None`.
            not_after: Until when it may leave, as an aware `datetime`; whenever it can if `None`.

        Raises:
            WrongLoopError: An event loop runs in this thread; not sent.
            ConfigurationError: It has a key and no journal, or a setting is wrong; not sent.
            InvalidMessageError: It can't be sent as it is; not sent.
            SuppressedError: The number must not be texted; not sent.
            SuppressionsError: Whether it may be texted can't be looked up; not sent.
            UnsupportedError: The gateway has no such feature; not sent.
            ClientClosedError: The client was closed; not sent.
            JournalError: It has a key, and can't be put on record; not sent, now or before.
            ConnectionFailedError: The gateway can't be reached; not sent.
            PolicyError: A policy failed instead of deciding; not sent.
            PolicyRefusedError: A policy does not allow it; not sent.
            SendLaterError: A policy does not allow it yet, and says when; not sent.
            ExpiredError: It could not leave by `not_after`, or would have to wait longer; not sent.
            LimitExceededError: The number, or everybody, got too many texts lately; not sent.
            ProviderError: The gateway refused, which several kinds of it tell apart; not sent.
            OutcomeUnknownError: It may have been sent; with `not_resent` not by its last try.
        """
        here = self.here()
        sending = here.client.send(
            to,
            text,
            sender_id=sender_id,
            schedule_at=schedule_at,
            key=key,
            options=options,
            on_unknown=on_unknown,
            encoding=encoding,
            not_after=not_after,
        )
        return call(here.thread, sending, describe=cut_short if key is None else cut_short_keyed)

    def send_many(
        self,
        messages: Iterable[Message],
        *,
        concurrency: int = 100,
        window: int | None = None,
        linger: float = 0.05,
        halt_after_unknown: int = 20,
        journal: AnyJournal | None = None,
        suppress: Suppress | None = None,
        max_credits: int | None = None,
        halt_after_failed: int | None = None,
        one_per_number: bool = False,
        sender_id: SenderIdSetting | None = None,
        encoding: EncodingSetting | None = None,
        not_after: datetime | None = None,
    ) -> BulkRun:
        """Send many texts; every message comes to an outcome of its own.

        The messages, and a function as `suppress`, are read and asked in the thread that iterates
        over the run, between two outcomes: they may use a database, and this client.

        Args:
            messages: An iterable of `Message`, read as it is needed.
            concurrency: As for `iprog_async.SmsClient.send_many`, like all that follow.
            window: How many messages are looked at together.
            linger: How many seconds to wait for company from a slow source.
            halt_after_unknown: Stop once so many people's outcomes are unknown in a row.
            journal: Makes the run resumable; the client's if `None`.
            suppress: Numbers never to text.
            max_credits: The run stops before it would spend more credits than this.
            halt_after_failed: Stop after so many accepted texts in a row that have failed.
            one_per_number: Send each number its first message only.
            sender_id: Sender ID of texts that have none of their own, or one for each country.
            encoding: Whether look-alikes may be replaced; the client's if `None`.
            not_after: Until when messages may leave that have none of their own.

        Returns:
            The run: `with client.send_many(…) as run: for outcome in run: …`

        Raises:
            WrongLoopError: An event loop runs in this thread; nothing was sent.
            ClientClosedError: The client was closed; nothing was sent.
            ConfigurationError: A number is out of range, `suppress` can't be read, or the
                messages are a generator that has been read already; nothing was sent.
            JournalError: As the run is entered: its journal can't be used; nothing was sent.
            RunHaltedError: As it is read: it stopped by itself; the rest was not sent by it.
        """
        check_source(messages)
        here = self.here()
        inbox: Inbox = SimpleQueue()
        messages, suppress = suppressing(messages, suppress, here.client.provider)
        run = here.client.send_many(
            read_in_thread(messages, inbox),
            concurrency=concurrency,
            window=window,
            linger=linger,
            halt_after_unknown=halt_after_unknown,
            journal=plain_journal(journal),
            suppress=suppress,
            max_credits=max_credits,
            halt_after_failed=halt_after_failed,
            one_per_number=one_per_number,
            sender_id=sender_id,
            encoding=encoding,
            not_after=not_after,
        )
        return BulkRun(here.thread, run, inbox, concurrency=concurrency, owner=self)

    def plan_many(
        self,
        messages: Iterable[Message],
        *,
        concurrency: int = 100,
        window: int | None = None,
        linger: float = 0.05,
        journal: AnyJournal | None = None,
        suppress: Suppress | None = None,
        max_credits: int | None = None,
        price: Decimal | int | str | None = None,
        left_out: Callable[[NotSent], None] | None = None,
        one_per_number: bool = False,
        sender_id: SenderIdSetting | None = None,
        encoding: EncodingSetting | None = None,
        not_after: datetime | None = None,
    ) -> BulkPlan:
        """Return what `send_many` would do with the same arguments; nothing leaves this machine.

        Args:
            messages: An iterable of `Message`; a generator is used up.
            concurrency: As for `iprog_async.SmsClient.plan_many`, like all that follow.
            window: How many messages are looked at together.
            linger: As for `send_many`.
            journal: Messages that it has as settled are not sent again.
            suppress: Numbers never to text.
            max_credits: The most that the run may spend.
            price: What a segment costs, in any currency.
            left_out: Told of each message that would not be sent, in this thread.
            one_per_number: As for `send_many`.
            sender_id: Sender ID of texts that have none of their own, or one for each country.
            encoding: As for `send_many`.
            not_after: As for `send_many`.

        Raises:
            WrongLoopError: An event loop runs in this thread.
            ClientClosedError: The client was closed.
            ConfigurationError: A number is out of range, `suppress` can't be read, or the
                messages are a generator that has been read already.
            JournalError: The journal can't be read, or a run is using it.
        """
        check_source(messages)
        here = self.here()
        inbox: Inbox = SimpleQueue()
        found: list[NotSent] = []
        messages, suppress = suppressing(messages, suppress, here.client.provider)
        planning = here.client.plan_many(
            read_in_thread(telling(messages, found, left_out), inbox),
            concurrency=concurrency,
            window=window,
            linger=linger,
            journal=plain_journal(journal),
            suppress=suppress,
            max_credits=max_credits,
            price=price,
            left_out=None if left_out is None else found.append,
            one_per_number=one_per_number,
            sender_id=sender_id,
            encoding=encoding,
            not_after=not_after,
        )
        plan = call(here.thread, planning, inbox=inbox)
        tell(found, left_out)
        return plan

    @overload
    def call(self, operation: Callable[[P_co], Awaitable[T]]) -> T: ...

    @overload
    def call(self, operation: Callable[[P_co], AsyncIterator[T]]) -> Iterator[T]: ...

    def call(self, operation: Callable[[P_co], Awaitable[T] | AsyncIterator[T]]) -> T | Iterator[T]:
        """Do one of the gateway's own operations, and return what it returns.

        For example `sms.call(lambda provider: provider.otp.send("0917 123 4567"))`.

        Args:
            operation: Is given the provider, bound to this client, and returns what is to be
                awaited, or iterated over.

        Returns:
            The result; or an iterator, where the operation is one that lists.

        Raises:
            WrongLoopError: An event loop runs in this thread; nothing was sent.
            SmsError: Whatever the operation raises, or that the client was closed.
        """
        here = self.here()
        made = operation(here.client.provider)
        if isinstance(made, AsyncIterator):
            return each(here.thread, made, owner=self)
        return call(here.thread, awaited(made))

    def close(self) -> None:
        """Close the client in this process; twice is fine.

        Texts with a key that are under way come to their outcome first.
        """
        self._closed = True
        if self._open is not None:
            self._open.close()

    def __enter__(self) -> Self:
        if self._closed:
            raise ClientClosedError(_CLOSED)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def here(self) -> OpenClient[P_co]:
        """Return the client as this process has it; it is opened for whoever comes first."""
        check_thread()
        if self._open is not None and self._open.thread.is_current:
            return self._open
        thread = loop_thread()
        with thread.opening:
            if self._open is None or self._open.thread is not thread:
                if self._closed:
                    raise ClientClosedError(_CLOSED)
                self._open = opened = open_client(thread, self._make, self._journal)
                # One that nobody holds any more keeps no connection open.
                weakref.finalize(self, opened.close_soon).atexit = False
                if self._closed:
                    # By another thread, which found nothing open yet.
                    opened.close()
                    raise ClientClosedError(_CLOSED)
            return self._open
