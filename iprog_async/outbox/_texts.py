"""Sending the text of one row, by the journal's claim; and putting on record that it isn't sent."""

from __future__ import annotations

import asyncio
from typing import Any

from iprog_async._client.client import SmsClient
from iprog_async._core.errors import SmsError
from iprog_async._core.messages import PreparedMessage
from iprog_async._core.outcomes import Accepted, NotSent
from iprog_async._core.segments import count_segments
from iprog_async._journal.journal import Journal
from iprog_async._journal.single_ledger import SingleLedger
from iprog_async._sending.encoding import prepare
from iprog_async.outbox._rows import Taken
from iprog_async.outbox._verdicts import Verdict, verdict_of


class TextSender:
    """Sends texts through a client, or refuses them on record.

    Args:
        client: The client.
        journal: Its journal.
    """

    def __init__(self, client: SmsClient[Any], journal: Journal) -> None:
        self._client = client
        self._journal = journal

    async def send(self, row: Taken) -> SmsError | None:
        """Send a text, unless the journal has its outcome already.

        Returns:
            Why it was not sent, or may have been; `None` if it was accepted.
        """
        client, bulk = self._client, self._client.bulk
        # Not by `client.send`, which refuses a schedule that is later than the end: here the end
        # limits the request alone, and a clock that differs a little must not refuse it.
        encoding, sender_ids = bulk.encoding_for(None), bulk.sender_ids_for(None)
        try:
            prepared = prepare(client.provider, row.message, 0, encoding, sender_ids)
        except SmsError as exc:
            return await self._refuse(row, exc) if exc.blame != "account" else exc
        try:
            await client.sends.send(prepared, resend_unknown=False)
        except SmsError as exc:
            # What a policy refuses for good never came to a claim, so that nothing is on record.
            return await self._refuse(row, exc) if verdict_of(exc) is Verdict.SETTLED else exc
        return None

    async def _refuse(self, row: Taken, error: SmsError) -> SmsError | None:
        """Put on record that a text is not sent, unless somebody has sent it before."""
        message = row.message
        prepared = PreparedMessage(message, row.number, row.number, count_segments(row.text))
        ledger = SingleLedger(self._journal)
        try:
            settled = await ledger.admit_single(prepared)
            if settled is not None:
                return None if isinstance(settled, Accepted) else settled.error
            problem = await asyncio.shield(ledger.record([prepared], [NotSent(0, message, error)]))
            return problem or error
        except SmsError as exc:
            return exc
        finally:
            ledger.end()
