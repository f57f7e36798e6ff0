"""Asking a gateway for one text after the other, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from attrs import define, field

from iprog_async._client.following.awaited import Awaited
from iprog_async._client.following.record import Heard, Record
from iprog_async._client.following.rules import LOOKS_IN_VAIN, passes
from iprog_async._core.errors import NotFoundError, SmsError
from iprog_async._core.receipts import DeliveryStatus
from iprog_async._core.tracebacks import discreetly
from iprog_async._journal.rows import unpack_receipt
from iprog_async._journal.store import JournalStore
from iprog_async._providers.protocols import SupportsStatus


# A gateway that answers so many questions in a row with trouble is left alone for a while.
_MOST_TROUBLES = 20


@define
class Poll:
    """Asks for statuses.

    Args:
        provider: Who is asked; bound, so that it keeps the account's rate.
        store: The journal.
        record: Where statuses are written.
        concurrency: The most questions at once.
        is_over: Tells that there is no time left.
        vain: How often the gateway did not know an id.
        last_error: The trouble that it had last.
    """

    _provider: SupportsStatus
    _store: JournalStore
    _record: Record
    _concurrency: int
    _is_over: Callable[[], bool]
    vain: dict[str, int] = field(factory=dict[str, int], init=False)
    last_error: SmsError | None = field(default=None, init=False)

    @property
    def given_up(self) -> list[str]:
        """The ids that the gateway is asked for no more, as it does not know them."""
        return [message_id for message_id, count in self.vain.items() if count >= LOOKS_IN_VAIN]

    async def ask_for(self, awaited: Awaited) -> None:
        """Ask for each text once, and put on record what is said.

        Raises:
            SmsError: It is no use to go on: the credentials are wrong, say.
        """
        troubles = 0
        async for ids in self._in_batches(awaited):
            if self._is_over():
                return
            answers = await asyncio.gather(*map(self._ask, ids))
            heard = {
                message_id: Heard(answer)
                for message_id, answer in zip(ids, answers, strict=True)
                if answer is not None
            }
            await self._record.note(heard, awaited)
            troubles = 0 if heard else troubles + len(ids)
            if troubles >= _MOST_TROUBLES and self.last_error is not None:
                return

    async def _ask(self, message_id: str) -> DeliveryStatus | None:
        try:
            return await discreetly(self._provider.status(message_id))
        except NotFoundError:
            self.vain[message_id] = self.vain.get(message_id, 0) + 1
        except SmsError as exc:
            if not passes(exc):
                raise
            self.last_error = exc
        return None

    async def _in_batches(self, awaited: Awaited) -> AsyncIterator[list[str]]:
        """Yield the ids to ask for, in the order of their rows, each once."""
        after, ids = 0, dict[str, None]()
        while page := await self._store.unfinished(after):
            after = page[-1].id
            for row in page:
                message_id = unpack_receipt(row).message_id
                if message_id is None or row.provider != self._provider.name:
                    continue
                if message_id not in awaited or self.vain.get(message_id, 0) >= LOOKS_IN_VAIN:
                    continue
                ids[message_id] = None
                if len(ids) == self._concurrency:
                    yield list(ids)
                    ids.clear()
        if ids:
            yield list(ids)
