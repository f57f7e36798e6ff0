"""`bulk --first-to`: the first text goes to a number of one's own before anybody else gets one."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from iprog_async._bulk.suppression import IsSuppressed
from iprog_async._client.client import SmsClient
from iprog_async._core.errors import SmsError, SuppressedError
from iprog_async._core.messages import PreparedMessage
from iprog_async._http.pool import HttpPool
from iprog_async._journal.journal import Journal
from iprog_async._providers.numbers import read_number
from iprog_async._providers.protocols import SmsProvider
from iprog_async.cli._bulk.options import CommandOptions
from iprog_async.cli._terminal.output import echo
from iprog_async.cli._terminal.show import receipt_words


@frozen
class Trial:
    """A text to a number of one's own.

    With a journal it has a key, so that a run that goes on sends it to nobody again; the key is of
    the template, so that one that was corrected is tried, too. If the number is in the file with
    the very same text, the run takes it for sent.

    Args:
        options: What the command was told.
        number: The number.
    """

    options: CommandOptions
    number: str

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
        text = first.message.text
        key = None if journal is None else f"first-to {journal.hash(self.options.text).hex()}"
        # What holds for the run holds for it: the list, the limits, and the hours.
        own = self.options.open_client(pool, client.suppressions, journal)
        try:
            async with own:
                receipt = await own.send(
                    self.number, text, key=key, not_after=first.message.not_after
                )
        except SmsError as exc:
            exc.add_note(
                f"That was the trial of --first-to, for {self.number}: nobody of "
                f"{self.options.file} was sent anything"
            )
            raise
        if not self.options.as_json:
            echo(f"First text: {receipt_words(receipt)}")


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
    return Trial(options, options.first_to)
