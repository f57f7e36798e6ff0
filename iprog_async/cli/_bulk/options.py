"""What `iprog-async bulk` was told to do."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir
from typing import Annotated, Any, cast

from attrs import evolve, fields_dict, frozen
from cyclopts import Parameter, validators

from iprog_async._bulk.suppression import IsSuppressed, load_suppression
from iprog_async._client.client import SmsClient
from iprog_async._core.errors import ConfigurationError, InvalidMessageError
from iprog_async._core.gsm7.replacement import EncodingSetting
from iprog_async._core.rates import Rate
from iprog_async._http.pool import HttpPool
from iprog_async._journal.journal import Journal
from iprog_async._journal.places import shown, would_be_made
from iprog_async._journal.postgres.address import is_address
from iprog_async._providers.base import BaseProvider
from iprog_async._providers.protocols import SmsProvider
from iprog_async._sending.sender_ids import SenderIdSetting
from iprog_async._suppressions.suppressions import Suppressions
from iprog_async.cli._bulk.price import Price
from iprog_async.cli._options.encoding import Encoding, Replace, encoding_of
from iprog_async.cli._options.engine import EngineChoice, best_engine
from iprog_async.cli._options.policies import (
    CreditsPerDay,
    PerNumber,
    PerNumberSameText,
    SendBetweenHours,
    Zone,
    hours_of,
    limits_of,
)
from iprog_async.cli._options.sender_ids import From, sender_ids_of
from iprog_async.cli._options.shared import AsJson, SuppressionList, Url, provider_of
from iprog_async.cli._options.when import NotAfter
from iprog_async.fleet import DEFAULT_QUEUE


_CONCURRENCY = 100

_REPEATED = {
    "text": "--text",
    "column": "--column",
    "key_column": "--key-column",
    "sender_id": "--from",
    "limit": "--limit",
    "first_to": "--first-to",
    "at": "--at",
    "not_after": "--not-after",
    "encoding": "--encoding",
    "replace": "--replace",
    "journal": "--journal",
    "campaign": "--campaign",
    "concurrency": "--concurrency",
    "rate": "--rate",
    "suppress": "--suppress",
    "suppressions": "--suppressions",
    "max_credits": "--max-credits",
    "halt_after_failed": "--halt-after-failed",
    "send_between": "--send-between",
    "zone": "--zone",
    "per_number": "--per-number",
    "per_number_same_text": "--per-number-same-text",
    "credits_per_day": "--credits-per-day",
    "price": "--price",
    "currency": "--currency",
    "engine": "--engine",
    "results": "--results",
    "one_per_number": "--one-per-number",
    "allow_changed_text": "--allow-changed-text",
}
"""What a command that resumes a run has in common with the one that began it."""


_Flag = Parameter(negative="", show_default=False)
_Natural = Parameter(validator=validators.Number(gte=1))


@frozen(kw_only=True)
class CommandOptions:
    """The options of the command; what is said of them here is their help.

    Args:
        file: The CSV file, which is the command's argument.
        text: What the phones show. {name} is filled in from the row's column "name"; {{ is a
            brace. A row that lacks a value is not sent. "-" reads the text from stdin.
        column: Column of the phone numbers.
        key_column: Column with a key, such as an order number: with two keys, two equal texts for
            one number are both sent.
        limit: Read the first so many rows of the file only; a later run with the same --journal and
            without it goes on with the others.
        first_to: A number that gets the first text before anybody else, as a trial. If it is not
            accepted, nothing more is sent. With --journal it is sent once, however often this runs.
        at: When the phones are to get it, such as "tomorrow 8:00", where the gateway schedules;
            with --enqueue, when the workers are to begin.
        journal: A file that records what is sent, so that the run can go on later and nobody gets
            a text twice; or the postgresql:// address of a database that several machines share.
        campaign: A name that is stored in a new journal; then give the same one each time.
        concurrency: The most requests at once.
        rate: The most requests in a time, such as 60/min; by default the limit that the gateway
            documents.
        suppress: A file of numbers never to text, one a line.
        max_credits: Stop before more credits than this are spent. A segment counts as one, or as
            what the gateway says it took.
        halt_after_failed: Stop after so many accepted texts in a row that the gateway reports as
            failed; by default there is only a warning if the first twenty are.
        price: What a segment costs, such as 0.35; the preview then shows the cost of the run.
        currency: Code of the currency of --price, such as PHP.
        engine: How requests are made; by default the fastest one that is installed.
        results: A CSV file to write the outcomes to, as they come; with --dry-run the rows that
            would not be sent, with line and reason.
        enqueue: Send nothing from here, but load the texts into the journal, which is a postgresql://
            address, for `iprog-async worker` on any machines.
        queue: Which workers are to send: those of this --queue; with --enqueue.
        priority: Texts with a higher one are sent first; with --enqueue.
        dry_run: Show the preview and send nothing.
        yes: Send without asking.
        resend_unknown: Send again what the journal has as unknown: whoever got it gets it a second
            time.
        one_per_number: Send each number its first text only, whatever its other rows say.
        allow_changed_text: Also send to numbers that got another text in an earlier run.
        allow_lost_records: Go on with a journal that lost its newest records. Whoever got the text
            and is not on record gets it again.
    """

    text: str
    column: str = "phone"
    key_column: str | None = None
    sender_id: From = None
    limit: Annotated[int | None, _Natural] = None
    first_to: str | None = None
    at: str | None = None
    not_after: NotAfter = None
    encoding: Encoding = "auto"
    replace: Replace = ()
    journal: str | None = None
    campaign: str = ""
    concurrency: Annotated[int, _Natural] = _CONCURRENCY
    rate: str | None = None
    suppress: str | None = None
    suppressions: SuppressionList = None
    max_credits: Annotated[int | None, _Natural] = None
    halt_after_failed: Annotated[int | None, _Natural] = None
    send_between: SendBetweenHours = None
    zone: Zone = None
    per_number: PerNumber = None
    per_number_same_text: PerNumberSameText = None
    credits_per_day: CreditsPerDay = None
    price: str | None = None
    currency: str | None = None
    engine: EngineChoice | None = None
    results: str | None = None
    enqueue: Annotated[bool, _Flag] = False
    queue: str = DEFAULT_QUEUE
    priority: int = 0
    dry_run: Annotated[bool, _Flag] = False
    yes: Annotated[bool, _Flag] = False
    resend_unknown: Annotated[bool, _Flag] = False
    one_per_number: Annotated[bool, _Flag] = False
    allow_changed_text: Annotated[bool, _Flag] = False
    allow_lost_records: Annotated[bool, _Flag] = False
    file: Annotated[str, Parameter(parse=False)] = ""
    url: Url = None
    as_json: AsJson = False

    def check(self) -> None:
        """Raise `InvalidMessageError` for arguments that make no sense together."""
        self.segment_price()
        self._check_enqueue()
        self.policies()
        self.text_encoding()
        self.sender_ids()
        if self.journal is None:
            for given, flag in (
                (self.campaign, "--campaign"),
                (self.resend_unknown, "--resend-unknown"),
                (self.allow_changed_text, "--allow-changed-text"),
                (self.allow_lost_records, "--allow-lost-records"),
            ):
                if given:
                    raise InvalidMessageError(f"{flag} says something about a --journal; give one")

    def _check_enqueue(self) -> None:
        if not self.enqueue:
            for given, flag in (
                (self.queue != DEFAULT_QUEUE, "--queue"),
                (self.priority, "--priority"),
            ):
                if given:
                    raise InvalidMessageError(f"{flag} is for the workers: give --enqueue, too")
            return
        if not self.has_address:
            raise InvalidMessageError(
                "--enqueue loads texts into a database: give its address with --journal, such as "
                "postgresql://user@host/database. Nothing was sent"
            )
        if self.suppressions is not None:
            raise InvalidMessageError(
                "--suppressions is asked by whoever sends: give it to iprog-async worker. "
                "Nothing was sent"
            )
        if self.first_to is not None:
            raise InvalidMessageError(
                "--first-to sends a text from here, and --enqueue sends none: try it with "
                "iprog-async send. Nothing was sent"
            )
        for asked, flag in (
            (self.per_number, "--per-number"),
            (self.per_number_same_text, "--per-number-same-text"),
            (self.credits_per_day, "--credits-per-day"),
            (self.engine, "--engine"),
            (self.concurrency if self.concurrency != _CONCURRENCY else None, "--concurrency"),
        ):
            if asked is not None:
                raise InvalidMessageError(
                    f"{flag} is for those that send: give it to iprog-async worker, and not to "
                    "--enqueue. Nothing was loaded"
                )
        if self.rate is not None:
            raise InvalidMessageError(
                "--rate is for those that send: put ?rate= into the address (SMS_URL, --url) of "
                "iprog-async worker, and not --rate to --enqueue. Nothing was loaded"
            )
        if self.allow_lost_records:
            raise InvalidMessageError(
                "--allow-lost-records is for a journal in a file, and --enqueue loads into a "
                "database. Nothing was loaded"
            )
        if self.results is not None and not self.dry_run:
            raise InvalidMessageError(
                "--results has no outcomes yet with --enqueue; later, iprog-async journal export "
                "writes them"
            )

    def check_somebody_answers(self) -> None:
        """Raise `InvalidMessageError` if it is to be asked whether to send, and nobody is there."""
        if self.dry_run or self.yes:
            return
        if self.as_json or not sys.stdin.isatty():
            why = "--json" if self.as_json else "there is no terminal"
            raise InvalidMessageError(
                f"nobody can be asked whether to send ({why}): add --yes to send, or --dry-run "
                "to see what would be sent. Nothing was sent"
            )

    def segment_price(self) -> Price | None:
        """Return the price of a segment, if it was told."""
        return Price.parse(self.price, self.currency)

    def text_encoding(self) -> EncodingSetting:
        """Return what may be replaced in the texts."""
        return encoding_of(self.encoding, self.replace)

    def sender_ids(self) -> SenderIdSetting | None:
        """Return what the phones show as sender."""
        return sender_ids_of(self.sender_id)

    def policies(self) -> dict[str, Any]:
        """Return the arguments of the client for hours and limits."""
        return hours_of(self.send_between, self.zone) | limits_of(
            self.per_number, self.per_number_same_text, self.credits_per_day
        )

    def spent_of(self, needed: int) -> int:
        """Return how many of the credits that everybody needs this run may spend."""
        return needed if self.max_credits is None else min(needed, self.max_credits)

    def open_pool(self) -> HttpPool:
        """Open the connections, by the `--engine`."""
        engine = self.engine or best_engine()
        return HttpPool(engine=engine, max_connections=self.concurrency)

    def open_client(
        self,
        pool: HttpPool | None = None,
        suppressions: Suppressions | None = None,
        journal: Journal | None = None,
    ) -> SmsClient[Any]:
        """Build the client of `--url`, or else of the environment, at its `--rate`.

        Args:
            pool: Its connections; some of its own if `None`.
            suppressions: The list of `--suppressions`, if there is one.
            journal: What single texts are kept in, and counted; a run has its own.
        """
        provider = provider_of(self.url)
        if self.rate is not None:
            rate = self._parsed_rate(self.rate)
            if not isinstance(provider, BaseProvider):
                raise InvalidMessageError(
                    "--rate is for one gateway; of several, give each address its own ?rate="
                )
            provider = evolve(provider, rate=rate)
        connections: dict[str, Any] = {"pool": pool}
        if pool is None:
            engine = self.engine or best_engine()
            connections = {"engine": engine, "max_connections": self.concurrency}
        return SmsClient(
            provider,
            journal=journal,
            suppressions=suppressions,
            sender_id=self.sender_ids(),
            encoding=self.text_encoding(),
            **connections,
            **self.policies(),
        )

    def _parsed_rate(self, rate: str) -> Rate:
        try:
            return Rate.parse(rate)
        except ConfigurationError as exc:
            raise InvalidMessageError(f"--rate: {exc}") from None

    async def load_suppression(self, provider: SmsProvider) -> IsSuppressed | None:
        """Read the numbers of `--suppress`, once for the preview and the run.

        Args:
            provider: Knows how to read national numbers.

        Raises:
            InvalidMessageError: The file can't be read, or an entry is no phone number.
        """
        if self.suppress is None:
            return None
        try:
            return await load_suppression(self.suppress, provider)
        except ConfigurationError as exc:
            raise InvalidMessageError(f"--suppress: {exc}") from None

    def makes_journal(self) -> bool:
        """Return whether there is no journal yet."""
        if self.journal is None:
            return False
        if is_address(self.journal):
            return would_be_made(self.journal, self.campaign)
        return not Path(self.journal).exists()

    def empty_journal(self) -> str | None:
        """Return the place of a journal that is not there, as a preview takes it for an empty one.

        Of a path that is not there, the preview makes no file.
        """
        if self.journal is None or not is_address(self.journal):
            return self.journal
        return os.path.join(gettempdir(), token_hex())

    @property
    def has_address(self) -> bool:
        """Whether the journal is in a database, which may have several campaigns."""
        return self.journal is not None and is_address(self.journal)

    @property
    def shown_journal(self) -> str | None:
        """The journal as people may see it: an address without its password."""
        return None if self.journal is None else shown(self.journal)

    def open_journal(self) -> Journal | None:
        """Open the journal, if there is to be one."""
        if self.journal is None:
            return None
        return Journal.open(
            self.journal,
            campaign=self.campaign,
            resend_unknown=self.resend_unknown,
            allow_changed_text=self.allow_changed_text,
            allow_lost_records=self.allow_lost_records,
        )

    def resume_command(self) -> str:
        """Return the command that goes on with this run; an address is not shown."""
        words = ["iprog-async", "bulk", self.file]
        for name, flag in _REPEATED.items():
            value: object = getattr(self, name)
            if name in ("journal", "suppressions") and value is not None:
                # It may be an address, with a password.
                value = shown(str(value))
            if value != fields_dict(CommandOptions)[name].default:
                # With the sign, a value may begin with a dash.
                given = cast("tuple[object, ...]", value if isinstance(value, tuple) else (value,))
                words += [flag if one is True else f"{flag}={one}" for one in given]
        return shlex.join(words)
