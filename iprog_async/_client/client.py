"""The client: what applications hold and await."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from iprog_async._bulk.options import BulkOptions
from iprog_async._bulk.plan import BulkPlan, make_plan, to_price
from iprog_async._bulk.run import BulkRun
from iprog_async._bulk.source import Messages
from iprog_async._bulk.suppression import Suppress
from iprog_async._client.client_bulk import ClientBulk
from iprog_async._client.connections import (
    check_exclusive,
    check_open_journal,
    open_pool,
    prepare_pool,
)
from iprog_async._client.from_config import provider_from_env, provider_from_url
from iprog_async._client.questions import Questions
from iprog_async._client.single_sends import SingleSends
from iprog_async._core.checks import check_asynchronous, check_provider, check_seconds, check_type
from iprog_async._core.errors import ClientClosedError
from iprog_async._core.gsm7.replacement import EncodingSetting, read_setting
from iprog_async._core.messages import Message, check_not_after
from iprog_async._core.observers import Observer, Observers
from iprog_async._core.outcomes import NotSent
from iprog_async._core.rates import Rate
from iprog_async._core.receipts import Receipt
from iprog_async._core.tracebacks import discreet
from iprog_async._http.pool import EngineName, HttpPool
from iprog_async._http.retry import RetryPolicy
from iprog_async._http.session import Limits, Session
from iprog_async._journal.journal import Journal
from iprog_async._journal.keys import without_journal
from iprog_async._policies.decisions import PolicyLike
from iprog_async._policies.of_client import ClientPolicies
from iprog_async._policies.send_between import WhenQuiet
from iprog_async._providers.protocols import SmsProvider
from iprog_async._sending.encoding import prepare
from iprog_async._sending.sender_ids import SenderIdSetting, read_sender_ids
from iprog_async._suppressions.policy import obeying
from iprog_async._suppressions.suppressions import Suppressions


if TYPE_CHECKING:
    import httpx

P_co = TypeVar("P_co", bound=SmsProvider, covariant=True)


class SmsClient(Questions[P_co]):
    """Sends texts through one provider; use it as an async context manager.

    It belongs to the event loop it is first used on, and serves any number of tasks there.

    Args:
        provider: The gateway, as one account; the object itself stays untouched.
        pool: Connections shared with other clients; it is not closed with this client.
        http: A client of your own, for its proxies, certificates or event hooks, which is never
            closed. One whose transport retries by itself, past httpcore, can text people twice.
        engine: What moves the bytes: `"httpx"`, the default, or `"asyncio"`, which takes a
            fraction of its CPU time, needs the extra `fast`, uses no proxies, and has a stricter
            reading of HTTP: what breaks its rules is an unknown outcome.
        max_connections: The most requests at once, 100 by default; others queue.
        verify: Trusted certificates, as an `ssl.SSLContext`; they are checked always.
        timeout: Seconds for one attempt, once it has a connection slot.
        deadline: Seconds for a whole call, with its waits and retries; unbounded if `None`.
        journal: An open journal: a send with a `key` becomes idempotent, bulk runs resumable,
            and its processes share rates and pauses. It is yours to close.
        retry: How often and how patiently a call is repeated, where that is safe.
        observers: Code of yours that is told of each request and each outcome.
        user_agent: What requests call this program; `iprog-async/VERSION` if `None`.
        suppressions: Numbers that must not be texted, such as those of people who answered STOP:
            `Suppressions.open("stop.db")`. It is asked before `policies`, and yours to close.
        policies: What decides, right before each text is claimed, whether it may be sent now:
            functions, or objects with a method `decide`, asked in this order.
        per_number: The most texts to one number within a time, such as `"5/day"`: in any 24 hours.
            All limits are counted by all processes with the same journal, or without one by this
            client. One more text is `LimitExceededError`, and not sent.
        per_number_same_text: The same of equal texts to one number, such as `"1/10min"`.
        credits_per_day: The most credits in any 24 hours: one for each segment, or more where the
            gateway says that it took more.
        send_between: The hours at which texts leave, such as `"08:00-20:00"`, by the clocks of the
            number's region. Rows of a run wait for them.
        zone: Whose clocks instead, such as `"Asia/Manila"`.
        when_quiet: What becomes of a single text outside of these hours. `"wait"`: it is
            `SendLaterError`, with the time. `"schedule"`: the gateway is to send it at that time,
            where it can.
        sender_id: Of texts that name none: one, or one by country: `{"PH": "ACME", None: "Acme"}`.
        encoding: `"auto"`: as they are given. `"gsm-7"`: where it saves a segment, look-alikes
            (curly quotes, dashes, blanks) are replaced, as `to_gsm7` does; a `Gsm7` replaces more.

    Raises:
        ConfigurationError: `pool`, `http` and `engine` exclude one another; or a variable of the
            environment, such as `SSL_CERT_FILE` or `HTTPS_PROXY`, names what can't be used.
    """

    def __init__(
        self,
        provider: P_co,
        *,
        pool: HttpPool | None = None,
        http: httpx.AsyncClient | None = None,
        engine: EngineName | None = None,
        max_connections: int | None = None,
        verify: ssl.SSLContext | Literal[True] = True,
        timeout: float = 30.0,
        deadline: float | None = None,
        retry: RetryPolicy | None = None,
        journal: Journal | None = None,
        observers: Iterable[Observer] = (),
        user_agent: str | None = None,
        suppressions: Suppressions | None = None,
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
        own_verify = None if verify is True else verify
        check_exclusive(pool, http, engine, max_connections, user_agent, own_verify)
        check_provider(provider)
        check_type("pool", pool, HttpPool)
        check_type("retry", retry, RetryPolicy)
        check_type("suppressions", suppressions, Suppressions)
        check_seconds("timeout", timeout)
        if deadline is not None:
            check_seconds("deadline", deadline)
        check_open_journal(journal)
        self._owns_pool = pool is None
        self._pool = pool or open_pool(http, engine, max_connections, verify, user_agent)
        self._closed = False
        self._journal = journal
        self._observers = Observers(observers)
        retry = retry or RetryPolicy()
        limits = Limits(timeout=timeout, deadline=deadline)
        self._session = Session(self._pool, retry, limits, self._observers)
        self._provider = bound = provider.bind(self._session.call)
        self._share = prepare_pool(self._pool, self._provider, journal)
        self._encoding = replaced = read_setting(encoding)
        self._suppressions = suppressions
        clock, observed, check_open = self._pool.clock, self._observers, self._check_open
        self._policies = ClientPolicies.of_arguments(
            [*obeying(suppressions), *policies],
            clock,
            per_number=per_number,
            per_number_same_text=per_number_same_text,
            credits_per_day=credits_per_day,
            send_between=send_between,
            zone=zone,
            when_quiet=when_quiet,
        )
        self._gate = gate = self._policies.gate(bound, clock, replaced)
        if journal is not None:
            self._policies.share(journal)
        names, hours = read_sender_ids(sender_id), self._policies.hours
        self.bulk = ClientBulk(
            bound, clock, self._share_with, observed, replaced, check_open, gate, names, hours
        )
        """Bulk runs, for this library's own use."""
        self.sends = SingleSends(bound, clock, retry, journal, observed, check_open, gate)
        """Single sends, for this library's own use."""

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

    @property
    def provider(self) -> P_co:
        """The provider, bound to this client: for the vendor's own operations."""
        return self._provider

    @property
    def journal(self) -> Journal | None:
        """The journal that it was given."""
        return self._journal

    @property
    def suppressions(self) -> Suppressions | None:
        """The numbers that it does not text, if it was given a list."""
        return self._suppressions

    async def send(
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

        Args:
            to: Phone number as people write it.
            text: What the phone shows.
            sender_id: Name or number the phone shows as sender.
            schedule_at: When to send, as an aware `datetime` to come; at once if `None`.
            key: Your own name for this text, such as an order number: a second send with the
                same key and number returns the first receipt. It needs a journal on the client.
            options: The adapter's own options.
            on_unknown: `"resend"` sends again what is unknown: better twice than never; an alarm.
            encoding: As for `SmsClient`; the client's if `None`.
            not_after: Until when it may leave, as an aware `datetime`; whenever it can if `None`.

        Raises:
            ConfigurationError: It has a key and no journal, or a setting is wrong; not sent.
            InvalidMessageError: It can't be sent as it is; not sent.
            SuppressedError: The number must not be texted; not sent.
            SuppressionsError: Whether it may be texted can't be looked up; not sent.
            UnsupportedError: The gateway has no such feature; not sent.
            ClientClosedError: The client was closed; not sent.
            WrongLoopError: The client belongs to another event loop; not sent.
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
        if key is not None and self._journal is None:
            raise without_journal()
        message = Message(to, text, sender_id, schedule_at, key, options, encoding, not_after)
        check_not_after(message)
        sender_ids = self.bulk.sender_ids_for(None)
        prepared = prepare(self._provider, message, 0, self._encoding, sender_ids)
        # Only the exact word repeats a text; a misspelt one must not.
        return await self.sends.send(prepared, resend_unknown=on_unknown == "resend")

    def send_many(
        self,
        messages: Messages,
        *,
        concurrency: int = 100,
        window: int | None = None,
        linger: float = 0.05,
        halt_after_unknown: int = 20,
        journal: Journal | str | os.PathLike[str] | None = None,
        suppress: Suppress | None = None,
        max_credits: int | None = None,
        halt_after_failed: int | None = None,
        one_per_number: bool = False,
        sender_id: SenderIdSetting | None = None,
        encoding: EncodingSetting | None = None,
        not_after: datetime | None = None,
    ) -> BulkRun:
        """Send many texts; every message comes to an outcome of its own.

        Args:
            messages: An iterable or async iterable of `Message`, read a window at a time.
            concurrency: The most requests of this run at once.
            window: How many messages are looked at together to find equal texts, which
                travel in one request; chosen to fit the gateway and the texts if `None`.
            linger: How many seconds to wait for further messages of a slow source.
            halt_after_unknown: Stop once so many people's outcomes are unknown, with no text
                accepted in between. Until the gateway has accepted a text for one recipient,
                and then one for several where they travel together, and again after each
                unknown outcome, requests are small (1, 2, 4, …), and no more people are under
                way than may still become unknown. Of a gateway that had shown so much, a lost
                request counts as one, whoever it was for.
            journal: Makes the run resumable: an open journal, or the path of one that is opened
                for this run; the client's if `None`.
            suppress: Numbers never to text: as people write them, or the path of a file with
                one a line and comments after `#`, or a function that is asked for each number
                as E.164. A message for one is `NotSent` with `SuppressedError`.
            max_credits: The run stops before it would spend more credits than this: one for
                each segment, or more where the gateway says that it took more. Unknown outcomes
                count as sent.
            halt_after_failed: Stop after so many accepted texts in a row that the gateway
                reports as failed in the answers that accept them; a run whose first twenty all
                fail warns in the log in any case.
            one_per_number: Send each number its first message only, whatever the texts and keys:
                a later one is `NotSent` with `NumberRepeatedError`, and one for a number that an
                earlier run of the journal texted with `JournalConflictError`.
            sender_id: As for `SmsClient`; the client's if `None`.
            encoding: As for `SmsClient`; the client's if `None`.
            not_after: Until when messages may leave that have none of their own. One that could
                not leave by then is `NotSent` with `ExpiredError`.

        Returns:
            The run: `async with client.send_many(…) as run: async for outcome in run: …`

        Raises:
            ClientClosedError: The client was closed; nothing was sent.
            ConfigurationError: A number is out of range, `suppress` can't be read, or the
                messages are a generator that has been read already; nothing was sent.
            JournalError: As the run is entered: its journal can't be used; nothing was sent.
            RunHaltedError: As it is read: it stopped by itself; the rest was not sent by it.
        """
        return self.bulk.run(
            messages,
            BulkOptions(
                concurrency=concurrency,
                window=window,
                linger=linger,
                suppress=suppress,
                one_per_number=one_per_number,
                sender_ids=self.bulk.sender_ids_for(sender_id),
                encoding=self.bulk.encoding_for(encoding),
                max_credits=max_credits,
                halt_after_unknown=halt_after_unknown,
                halt_after_failed=halt_after_failed,
                not_after=not_after,
            ),
            journal=self._journal if journal is None else journal,
        )

    async def plan_many(
        self,
        messages: Messages,
        *,
        concurrency: int = 100,
        window: int | None = None,
        linger: float = 0.05,
        journal: Journal | str | os.PathLike[str] | None = None,
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
            messages: An iterable or async iterable of `Message`; a generator is used up.
            concurrency: As for `send_many`: a window is as large as it needs.
            window: As for `send_many`.
            linger: As for `send_many`.
            journal: As for `send_many`: messages that it has as settled are not sent again. A
                file that is not there yet is not made.
            suppress: As for `send_many`.
            max_credits: As for `send_many`; see the plan's `exceeds_max_credits`.
            price: What a segment costs, in any currency.
            left_out: Told of each message that would not be sent: invalid, a duplicate,
                suppressed, a second one with `one_per_number`, or for a number that an earlier
                run sent another text. The plan itself keeps only the first invalid ones.
            one_per_number: As for `send_many`.
            sender_id: As for `send_many`.
            encoding: As for `send_many`.
            not_after: As for `send_many`.

        Raises:
            ConfigurationError: A number is out of range, `suppress` can't be read, or the
                messages are a generator that has been read already.
            JournalError: The journal can't be read, or a run is using it.
        """
        options = BulkOptions(
            concurrency=concurrency,
            window=window,
            linger=linger,
            suppress=suppress,
            one_per_number=one_per_number,
            sender_ids=self.bulk.sender_ids_for(sender_id),
            encoding=self.bulk.encoding_for(encoding),
            max_credits=max_credits,
            not_after=not_after,
        )
        check_asynchronous("journal", journal)
        price_of_segment = to_price(price)
        preparation = self.bulk.prepare(messages, options)
        return await make_plan(
            preparation,
            self._journal if journal is None else journal,
            price=price_of_segment,
            max_credits=max_credits,
            left_out=left_out,
            gate=self._gate,
        )

    async def aclose(self) -> None:
        """Close the client, and its connections unless they are shared; twice is fine."""
        self._closed = True
        # Whoever is cancelled while it closes leaves nothing open: all of it is done, last first.
        async with AsyncExitStack() as closing:
            if self._owns_pool:
                closing.push_async_callback(self._pool.aclose)
            closing.push_async_callback(self._policies.aclose)
            closing.callback(self._session.close)
            await self.sends.aclose()

    async def __aenter__(self) -> Self:
        self._check_open()
        self._pool.enter()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _share_with(self, journal: Journal) -> None:
        self._share(journal)
        self._policies.share(journal)

    def _check_open(self) -> None:
        if self._closed:
            raise ClientClosedError("the client is closed; nothing was sent")
