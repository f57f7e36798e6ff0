"""`bulk --first-to`: the first text goes to a number of one's own before anybody else gets one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from attrs import define, field

from iprog_async._bulk.suppression import IsSuppressed
from iprog_async._client.client import SmsClient
from iprog_async._core.errors import SmsError, SuppressedError
from iprog_async._core.messages import Message, PreparedMessage
from iprog_async._core.outcomes import Accepted
from iprog_async._core.receipts import Receipt
from iprog_async._http.pool import HttpPool
from iprog_async._journal.journal import Journal
from iprog_async._providers.numbers import read_number
from iprog_async._providers.protocols import SmsProvider
from iprog_async.cli._bulk.options import CommandOptions
from iprog_async.cli._terminal.output import echo
from iprog_async.cli._terminal.show import receipt_words


_ENOUGH_DIGITS = 7


@define
class Trial:
    """A text to a number of one's own.

    With a journal it has a key, so that a run that goes on sends it to nobody again; the key is of
    the template, so that one that was corrected is tried, too. A number of the file gets its own
    row, before the others: the run finds it on record as what it is, and takes it for sent.

    Args:
        options: What the command was told.
        provider: Reads the numbers of rows.
        number: The number, as E.164.
    """

    options: CommandOptions
    provider: SmsProvider
    number: str
    _row: Message | None = field(default=None, init=False)

    def looking(self, messages: Iterable[Message]) -> Iterator[Message]:
        """Yield the messages of a file, and note the first one for the number."""
        for message in messages:
            if self._row is None and self._is_for_it(message.to):
                self._row = message
            yield message

    def _is_for_it(self, written: str) -> bool:
        # Reading each of a million numbers would take as long as the rest.
        digits = "".join(filter(str.isdecimal, written))
        if digits[-_ENOUGH_DIGITS:] != self.number[-_ENOUGH_DIGITS:]:
            return False
        try:
            return read_number(self.provider, written) == self.number
        except SmsError:
            return False

    async def send(
        self,
        client: SmsClient[Any],
        pool: HttpPool,
        first: PreparedMessage,
        journal: Journal | None,
    ) -> None:
        """Send the text of the first row.

        Args:
            client: What the run is sent through.
            pool: Its connections.
            first: The first row that would be sent.
            journal: The journal, if there is one.

        Raises:
            SmsError: It was not accepted; nothing else was sent.
        """
        # What holds for the run holds for it: the list, the limits, and the hours.
        own = self.options.open_client(pool, client.suppressions, journal)
        try:
            async with own:
                receipt = await self._send(own, first, journal)
        except SmsError as exc:
            exc.add_note(
                f"That was the trial of --first-to, for {self.number}: nobody of "
                f"{self.options.file} was sent anything"
            )
            raise
        if not self.options.as_json:
            echo(f"First text: {receipt_words(receipt)}")

    async def _send(
        self, client: SmsClient[Any], first: PreparedMessage, journal: Journal | None
    ) -> Receipt:
        if journal is None:
            return await client.send(
                self.number, first.message.text, not_after=first.message.not_after
            )
        if self._row is not None:
            async with client.send_many([self._row], journal=journal) as run:
                outcome = await anext(run)
            if isinstance(outcome, Accepted):
                return outcome.receipt
            raise outcome.error
        key = f"first-to {journal.hash(self.options.text).hex()}"
        return await client.send(
            self.number, first.message.text, key=key, not_after=first.message.not_after
        )


def trial_of(
    options: CommandOptions, provider: SmsProvider, suppressed: IsSuppressed | None
) -> Trial | None:
    """Return the trial that was asked for, if one was.

    Raises:
        InvalidMessageError: Its number is none, or is never to be texted.
    """
    if options.first_to is None:
        return None
    number = read_number(provider, options.first_to)
    if suppressed is not None and suppressed(number):
        raise SuppressedError(number)
    return Trial(options, provider, number)
