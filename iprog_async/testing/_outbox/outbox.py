"""An outbox in place of a gateway: texts stay in memory, and end as a test wants them to."""

from __future__ import annotations

import itertools
from decimal import Decimal
from urllib.parse import quote

from iprog_async._core.errors import ConfigurationError
from iprog_async._core.phones import to_e164, to_region
from iprog_async._core.receipts import DeliveryState
from iprog_async.testing._outbox.book import OutboxBook
from iprog_async.testing._outbox.messages import OutboxMessage
from iprog_async.testing._outbox.provider import BOOKS, OutboxProvider
from iprog_async.testing._outbox.rules import Accept, Ending, Lose, Refuse, Refused, Rule, When


_numbers = itertools.count(1)


class SmsOutbox:
    """Takes the place of a gateway in tests: keeps the texts, and touches no network.

    `SmsClient(outbox.provider)` sends into it. Each text is accepted, unless `refuse` or `lose`
    says otherwise; of several such rules that fit a text, the first one is taken. They say what
    a send comes to in the end, whatever retries it would have taken.

    Args:
        name: Name of the provider; receipts carry it.
        region: Two-letter region in which national numbers are read; `None` takes international
            ones only.
        credit: What is on the account at the start, in segments.

    Raises:
        ConfigurationError: The region is none, or the name is none.
    """

    def __init__(
        self,
        *,
        name: str = "outbox",
        region: str | None = "PH",
        credit: Decimal | int = 1_000_000,
    ) -> None:
        self._start = Decimal(credit)
        self._book = OutboxBook(to_region(region), self._start)
        self._provider = OutboxProvider(self._book, name=name)
        self._id = str(next(_numbers))
        BOOKS[self._id] = self._book

    @property
    def provider(self) -> OutboxProvider:
        """The provider whose texts are kept here."""
        return self._provider

    @property
    def address(self) -> str:
        """What `SmsClient.from_url` and `SMS_URL` take, in tests with the fixture `sms_outbox`."""
        return f"outbox://{self._id}@?name={quote(self._provider.name, safe='')}"

    @property
    def region(self) -> str | None:
        """The region in which national numbers are read; can be set."""
        return self._book.region

    @region.setter
    def region(self, region: str | None) -> None:
        self._book.region = to_region(region)

    @property
    def credit(self) -> Decimal:
        """What is left, in segments; can be set. A text that costs more is refused."""
        return self._book.credit

    @credit.setter
    def credit(self, segments: Decimal | int) -> None:
        self._book.credit = Decimal(segments)

    @property
    def messages(self) -> list[OutboxMessage]:
        """The texts that went out, oldest first: accepted ones, and those of unknown outcome."""
        return [message for message in self._book.texts if message.state != "not_sent"]

    @property
    def refused(self) -> list[OutboxMessage]:
        """The texts that were certainly not sent, oldest first."""
        return [message for message in self._book.texts if message.state == "not_sent"]

    @property
    def last(self) -> OutboxMessage:
        """The latest of `messages`; if there is none, a failed assertion."""
        messages = self.messages
        if not messages:
            raise AssertionError(f"no text went out; refused were {self.refused or 'none'}")
        return messages[-1]

    def to(self, number: str) -> list[OutboxMessage]:
        """Return those of `messages` for one number, oldest first.

        Args:
            number: The number as people write it.

        Raises:
            InvalidMessageError: It is no number.
        """
        e164 = to_e164(number, self.region)
        return [message for message in self.messages if message.to == e164]

    def accept(
        self, *, times: int | None = 1, to: str | None = None, when: When | None = None
    ) -> None:
        """Let texts be accepted that a later rule would end in another way.

        Args:
            times: How many texts; `None` is all of them.
            to: Only those for this number.
            when: Only those for which this function returns true.

        Raises:
            ConfigurationError: `times` is less than 1.
            InvalidMessageError: `to` is no number.
        """
        self._add(Accept(), times, to, when)

    def refuse(
        self,
        error: Refused | type[Refused],
        *,
        times: int | None = 1,
        to: str | None = None,
        when: When | None = None,
    ) -> None:
        """Let texts be certainly not sent.

        Args:
            error: A class, such as `RejectedError`, `InsufficientCreditError`, `RateLimitError`
                or `ConnectionFailedError`; or an error, for its details, such as
                `RejectedError("…", provider="outbox", healable=True)`.
            times: How many texts; `None` is all of them.
            to: Only those for this number.
            when: Only those for which this function returns true.

        Raises:
            ConfigurationError: The error is no refusal, or `times` is less than 1.
            InvalidMessageError: `to` is no number.
        """
        self._add(Refuse(error), times, to, when)

    def lose(
        self, *, times: int | None = 1, to: str | None = None, when: When | None = None
    ) -> None:
        """Let the answers to texts get lost: they went out, and the caller can't know.

        Args:
            times: How many texts; `None` is all of them.
            to: Only those for this number.
            when: Only those for which this function returns true.

        Raises:
            ConfigurationError: `times` is less than 1.
            InvalidMessageError: `to` is no number.
        """
        self._add(Lose(), times, to, when)

    def report(self, *states: DeliveryState, to: str | None = None) -> None:
        """Say what `status` tells of each accepted text; `"delivered"` if nothing is said.

        Args:
            states: One for each time that it is asked for; the last one is repeated.
            to: Only of texts for this number.

        Raises:
            ConfigurationError: No state is given.
            InvalidMessageError: `to` is no number.
        """
        if not states:
            raise ConfigurationError('report() takes at least one state, such as "failed"')
        self._book.reports[self._e164(to)] = states

    def clear(self) -> None:
        """Make everything as it was at the start: texts, rules, reports, credit."""
        self._book.clear(self._start)

    def __repr__(self) -> str:
        refused = f", refused={self.refused}" if self.refused else ""
        return f"<SmsOutbox messages={self.messages}{refused}>"

    def _add(self, ending: Ending, times: int | None, to: str | None, when: When | None) -> None:
        self._book.rules.append(Rule(ending, times, self._e164(to), when))

    def _e164(self, number: str | None) -> str | None:
        return None if number is None else to_e164(number, self.region)
