"""A worker of the fleet, to run on its own or within somebody's program."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from iprog_async._client.client import SmsClient
from iprog_async._core.errors import JournalError
from iprog_async._http.back_off import BackOff
from iprog_async._journal.postgres.connecting import unusable
from iprog_async._journal.postgres.driver import driver
from iprog_async.fleet._database import CHANNEL, connect, is_lost, parse_address, run
from iprog_async.fleet._queue_names import DEFAULT_QUEUE, channel_of
from iprog_async.fleet._worker_options import WorkerOptions, own_name
from iprog_async.outbox import OutboxSender


if TYPE_CHECKING:
    from iprog_async.fleet._session import Session

logger = logging.getLogger("iprog_async")

_DATABASE_AWAY = BackOff(0.1, 5.0)


class Worker:
    """Sends what was loaded, beside any number of other workers on any machines.

    Args:
        client: What it sends through; it shares rates and pauses with that of all other workers.
        journal: The address of the journal in PostgreSQL.
        concurrency: The most requests at once.
        queues: The queues that it takes jobs from.
        stalled_after: After how many seconds without a sign of life the chunks of a worker are
            taken over; all workers should have the same.
        name: What it is called in lists; host and process if `None`.
        outbox: Whether it sends the texts of an outbox, too: that of the client's journal, which is
            in PostgreSQL then.
        any_gateway: Whether it sends what was loaded for another gateway than the client's, which
            may read numbers and texts in another way.

    Raises:
        ConfigurationError: A number is out of range, what a fleet needs is not installed, or there
            is no outbox to send because the client has no journal in PostgreSQL.
        JournalError: The address can't be read.
    """

    def __init__(
        self,
        client: SmsClient[Any],
        journal: str,
        *,
        concurrency: int = 100,
        queues: Sequence[str] = (DEFAULT_QUEUE,),
        stalled_after: float = 30.0,
        name: str | None = None,
        outbox: bool = False,
        any_gateway: bool = False,
    ) -> None:
        self._client = client
        self._address = parse_address(journal)
        self._options = WorkerOptions(
            concurrency=concurrency,
            queues=tuple(queues),
            stalled_after=stalled_after,
            name=own_name() if name is None else name,
            any_gateway=any_gateway,
        )
        self._outbox = OutboxSender(client, concurrency=concurrency) if outbox else None
        self._wake = asyncio.Event()
        self._session: Session | None = None
        self._owed: Counter[tuple[int, int]] = Counter()
        self._stopping = False
        self._was_connected = False
        self._told = ""
        self.connected = False
        """Whether it has its connection to the database."""
        self.outcomes: Counter[str] = Counter()
        """How many of the messages that it has sent so far came to which outcome."""

    @property
    def name(self) -> str:
        """What it is called in lists."""
        return self._options.name

    def stop(self) -> None:
        """Take no more; what is on its way comes to its outcome, then `run` returns."""
        self._stopping = True
        self._wake.set()
        if self._session is not None:
            self._session.stop()
        if self._outbox is not None:
            self._outbox.stop()

    async def run(self) -> None:
        """Work until stopped.

        While the database is away nothing is sent, and it is waited for. Cancelling it gives up
        what is on its way: its outcome is unknown then.

        Raises:
            ClientClosedError: The client was closed while there was an outbox to send.
            ConfigurationError: The provider can't be used, or is not the gateway that a campaign
                was loaded for.
            JournalError: The journal can't be reached at the beginning, or can't be used.
        """
        async with self._outbox_sent():
            await self._work_until_stopped()

    @asynccontextmanager
    async def _outbox_sent(self) -> AsyncGenerator[None]:
        """Send the outbox for as long as a block takes, and end what it has on its way."""
        if self._outbox is None:
            yield
            return
        sending = asyncio.create_task(self._outbox.run())
        # Only its failure can end it before the rest; the worker is no use as half of one.
        sending.add_done_callback(lambda _: self.stop())
        try:
            yield
        except BaseException:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            raise
        self._outbox.stop()
        await sending

    async def _work_until_stopped(self) -> None:
        pause, failures = 0.0, 0
        problem: JournalError | None = None
        listening = asyncio.create_task(self._listen())
        try:
            while not self._stopping:
                await self._sleep(pause)
                began = time.monotonic()
                try:
                    await self._work()
                except Exception as exc:
                    if not (self._was_connected and is_lost(exc)):
                        if not isinstance(exc, (driver().Error, OSError)):
                            raise
                        problem = unusable(self._address, exc)
                        break
                    self._tell(exc)
                    if time.monotonic() - began > _DATABASE_AWAY.max_wait:
                        failures = 0
                    failures += 1
                    pause = _DATABASE_AWAY.draw_wait(failures)
                finally:
                    self.connected = False
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        if problem is not None:
            # Here, so that the driver's error is no part of it.
            raise problem

    def _tell(self, trouble: Exception) -> None:
        """Say once why nothing is sent for now."""
        error = trouble if isinstance(trouble, JournalError) else unusable(self._address, trouble)
        if str(error) != self._told:
            self._told = str(error)
            logger.warning("%s. The worker waits, and goes on when it can", error)

    async def _work(self) -> None:
        # It needs what the extra installs.
        from iprog_async.fleet._session import Session

        connection = await connect(self._address, self.name)
        try:
            self._session = Session(
                self._client,
                self._address,
                connection,
                self._options,
                self._wake,
                self.outcomes,
                self._owed,
            )
            if self._stopping:
                return
            self.connected = self._was_connected = True
            await self._session.run()
        finally:
            self._session = None
            await connection.close()

    async def _sleep(self, seconds: float) -> None:
        if not seconds:
            return
        try:
            async with asyncio.timeout(seconds):
                while not self._stopping:
                    self._wake.clear()
                    await self._wake.wait()
        except TimeoutError:
            return

    async def _listen(self) -> None:
        """Hear of new jobs and halts at once; without it they are seen at the next look."""
        channels = [CHANNEL, *map(channel_of, self._options.queues)]
        while True:
            try:
                connection = await connect(self._address, self.name)
                try:
                    for channel in channels:
                        name = channel.replace('"', '""')
                        await run(connection, f'LISTEN "{name}"')
                    connection.answer_within = None
                    async for _ in connection.notifies():
                        self._wake.set()
                finally:
                    await connection.close()
            except Exception as exc:
                if not is_lost(exc):
                    raise
            await asyncio.sleep(_DATABASE_AWAY.max_wait)
