"""The sender: takes what was enqueued and committed, and sends each text once."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any, Self

from attrs import define, field

from iprog_async._client.client import SmsClient
from iprog_async._core.checks import check_seconds, check_type
from iprog_async._core.clock import uptime
from iprog_async._core.errors import (
    ConfigurationError,
    JournalError,
    ProviderError,
    SendLaterError,
    SmsError,
)
from iprog_async._core.outcomes import met_this_time
from iprog_async._http.back_off import BackOff
from iprog_async._journal.places import postgres_store
from iprog_async.outbox._database import OutboxDatabase
from iprog_async.outbox._listener import listen
from iprog_async.outbox._pause import Pause
from iprog_async.outbox._rows import OutboxStatements, Taken, to_taken
from iprog_async.outbox._texts import TextSender
from iprog_async.outbox._verdicts import Verdict, verdict_of


logger = logging.getLogger("iprog_async")

_TRY_AGAIN = BackOff(10.0, 600.0)
_SHORTEST_WAIT = 1.0
_LONGEST_TRIES = 24 * 3600.0
# Writing back is no hurry, and many rows at once cost as much as one.
_WRITE_DELAY = 0.05
_SWEEP_SECONDS = 15.0
_DATABASE_AWAY = BackOff(0.1, 5.0)
_SECONDS_TO_WRITE_BACK = 5.0


@define
class _Ended:
    """What is to be written back."""

    settled: list[int] = field(factory=list[int])
    unknown: list[int] = field(factory=list[int])
    returned: list[tuple[int, int, float]] = field(factory=list[tuple[int, int, float]])

    def __bool__(self) -> bool:
        return bool(self.settled or self.unknown or self.returned)

    def add(self, other: _Ended) -> None:
        """Take in what could not be written back."""
        self.settled += other.settled
        self.unknown += other.unknown
        self.returned += other.returned


class OutboxSender:
    """Sends the texts of an outbox, in this process and beside others on any machine.

    Use it as an async context manager, which sends in the background; or await `run`.

    Args:
        client: What sends; its journal is in PostgreSQL, and its campaign the outbox's.
        concurrency: The most texts in hand at once.
        poll: How often to look, in seconds, where nothing tells that there is something.
        lease: How long, in seconds, the texts wait that a sender had in hand when it died.
        pause: For how long, in seconds, nothing is sent when the account has no credit, or its
            credentials are wrong. `resume` ends it.

    Raises:
        ConfigurationError: The client has no journal in PostgreSQL, or a number is out of range.
    """

    def __init__(
        self,
        client: SmsClient[Any],
        *,
        concurrency: int = 50,
        poll: float = 1.0,
        lease: float = 20.0,
        pause: float = 60.0,
    ) -> None:
        check_type("client", client, SmsClient)
        check_type("concurrency", concurrency, int)
        for name, seconds in (("poll", poll), ("lease", lease), ("pause", pause)):
            check_seconds(name, seconds)
        if concurrency < 1:
            raise ConfigurationError(f"concurrency is at least 1, not {concurrency}")
        if client.journal is None:
            raise ConfigurationError(
                "an outbox needs a client with a journal in PostgreSQL, such as "
                "SmsClient(…, journal=Journal.open('postgresql://…'))"
            )
        store = postgres_store(client.journal.store, "an outbox")
        self._address, self._campaign = store.address, store.campaign
        self._statements = OutboxStatements(store.address.schema, store.campaign_id)
        self._clock = client.bulk.clock
        self._texts = TextSender(client, client.journal)
        self._database = OutboxDatabase(store.address)
        self._concurrency = concurrency
        self._poll, self._lease = poll, lease
        self._pause = Pause(pause)
        self._in_hand: dict[int, Taken] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = _Ended()
        self._write_at = self._renew_at = self._sweep_at = 0.0
        self._may_have_more = True
        self._wake = asyncio.Event()
        self._stopping = False
        self._failure: SmsError | None = None
        self._database_failures = 0
        self._background: asyncio.Task[None] | None = None

    @property
    def paused_by(self) -> SmsError | None:
        """Why nothing is sent at the moment; `None` if all goes well."""
        return self._pause.cause

    def resume(self) -> None:
        """End a pause: the account has credit again, or the gateway is back."""
        self._pause.end()
        self._look()

    def stop(self) -> None:
        """Take nothing more; `run` returns when what is in hand has come to its outcome."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Send until `stop` is called.

        Cancelling it takes nothing more either, and waits for nothing: what is on its way comes to
        its outcome as long as the client is open.

        Raises:
            ClientClosedError: The client was closed. What waits, waits for another sender.
            WrongLoopError: The client belongs to another event loop.
        """
        listener = asyncio.create_task(listen(self._address, self._look))
        try:
            while not (self._stopping and not self._in_hand):
                await self._turn()
                await self._rest()
            await self._write_last()
        finally:
            listener.cancel()
            for task in self._tasks:
                task.cancel()
            try:
                await asyncio.gather(listener, *self._tasks, return_exceptions=True)
            finally:
                await self._database.aclose()
        if self._failure is not None:
            raise self._failure

    async def __aenter__(self) -> Self:
        self._background = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()
        if self._background is not None:
            await self._background

    async def _turn(self) -> None:
        """Write back what is due, and take what there is room for."""
        try:
            now = uptime()
            if self._ended and now >= self._write_at:
                await self._write_back()
            if self._in_hand and now >= self._renew_at:
                await self._renew()
            if now >= self._sweep_at:
                self._sweep_at = now + _SWEEP_SECONDS
                await self._database.run(self._statements.sweep, {"campaign": self._campaign})
            if (room := self._room()) and self._may_have_more:
                await self._take(room)
        except JournalError as exc:
            await self._database_away(exc)
        else:
            self._database_failures = 0

    async def _rest(self) -> None:
        """Wait until there is something to do."""
        if self._may_have_more and self._room() and not self._stopping:
            return
        now = uptime()
        due = [now + self._poll]
        if self._ended:
            due.append(self._write_at)
        if self._in_hand:
            due.append(self._renew_at)
        if left := self._pause.left(now):
            due.append(now + left)
        wait = max(min(due) - now, 0.0)
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            self._may_have_more = True
        self._wake.clear()

    def _look(self) -> None:
        self._may_have_more = True
        self._wake.set()

    def _room(self) -> int:
        """Return how many rows may be taken now."""
        if self._stopping or self._pause.left(uptime()):
            return 0
        if self._pause.cause is not None:
            return 0 if self._in_hand else 1
        free = self._concurrency - len(self._in_hand)
        # Few at a time would cost a statement each.
        return free if free >= self._concurrency // 4 or not self._in_hand else 0

    async def _take(self, room: int) -> None:
        asked_at, asked_on = uptime(), self._clock.now()
        values = {"campaign": self._campaign, "lease": self._lease, "limit": room}
        # What is told meanwhile may have been committed too late for this look.
        self._may_have_more = False
        found = await self._database.run(self._statements.take, values)
        if len(found) == room:
            self._may_have_more = True
        if not self._in_hand:
            self._renew_at = asked_at + self._lease / 3
        for row in sorted((to_taken(columns, asked_on) for columns in found), key=_number):
            self._in_hand[row.id] = row
            task = asyncio.create_task(self._send(row))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, row: Taken) -> None:
        try:
            error = await self._texts.send(row)
        except Exception:
            # Nothing that an adapter does gets here: what the journal has decides the next time.
            logger.exception("the outbox met an error that it does not know, with row %d", row.id)
            self._end(row, Verdict.LATER)
        else:
            self._judge(row, error)
        finally:
            self._in_hand.pop(row.id, None)
            if self._stopping or self._room():
                self._wake.set()

    def _judge(self, row: Taken, error: SmsError | None) -> None:
        """Draw the consequences of what became of a text."""
        verdict = Verdict.SETTLED if error is None else verdict_of(error)
        in_doubt = error is not None and error.may_have_been_sent
        if error is not None:
            error = met_this_time(error)
        if error is not None and verdict in (Verdict.PAUSE, Verdict.HALT):
            self._begin_pause(error, verdict)
        elif error is not None and verdict is Verdict.END:
            self._failure = error
            self.stop()
        elif error is None or (verdict is Verdict.SETTLED and isinstance(error, ProviderError)):
            # Nothing else proves that the gateway answers: least of all a text that expired.
            self._pause.forget()
        if verdict is Verdict.LATER and row.age > _LONGEST_TRIES:
            verdict = Verdict.UNKNOWN if in_doubt else Verdict.SETTLED
        until = error.until if isinstance(error, SendLaterError) else None
        self._end(row, verdict, until)

    def _end(self, row: Taken, verdict: Verdict, until: datetime | None = None) -> None:
        """Have the end of a row written back.

        Args:
            row: The row.
            verdict: What becomes of it.
            until: When it may be sent, if a policy has it wait.
        """
        if not self._ended:
            self._write_at = uptime() + _WRITE_DELAY
            # It may be resting until much later.
            self._wake.set()
        if verdict is Verdict.SETTLED:
            self._ended.settled.append(row.id)
        elif verdict is Verdict.UNKNOWN:
            self._ended.unknown.append(row.id)
        else:
            delay = _TRY_AGAIN.longest_wait(row.takes) if verdict is Verdict.LATER else 0.0
            if until is not None:
                delay = max((until - datetime.now(UTC)).total_seconds(), _SHORTEST_WAIT)
            self._ended.returned.append((row.id, row.takes, delay))

    def _begin_pause(self, error: SmsError, verdict: Verdict) -> None:
        seconds = self._pause.begin(error, verdict, uptime())
        if seconds is None:
            return
        # A gateway's words may hold a number; `paused_by` has them.
        words = str(error) if isinstance(error, JournalError) else type(error).__name__
        logger.log(
            logging.ERROR if verdict is Verdict.HALT else logging.WARNING,
            "%sthe outbox sends nothing for %.0f s, and its texts wait%s: %s",
            f"{error.provider}: " if isinstance(error, ProviderError) else "",
            seconds,
            "; look at the account's credit and credentials" if verdict is Verdict.HALT else "",
            words,
        )

    async def _write_back(self) -> None:
        ended, self._ended = self._ended, _Ended()
        try:
            if ended.settled:
                await self._database.run(self._statements.finish, {"ids": ended.settled})
            if ended.unknown:
                await self._database.run(self._statements.doubt, {"ids": ended.unknown})
            if ended.returned:
                ids, takes, delays = map(list, zip(*ended.returned, strict=True))
                values = {"ids": ids, "takes": takes, "delays": delays}
                await self._database.run(self._statements.put_back, values)
                # Those of a pause are ours as much as anybody's.
                self._may_have_more = True
        except BaseException:
            # Each may be done twice.
            self._ended.add(ended)
            raise

    async def _renew(self) -> None:
        self._renew_at = uptime() + self._lease / 3
        rows = self._in_hand.values()
        values = {
            "ids": [row.id for row in rows],
            "takes": [row.takes for row in rows],
            "lease": self._lease,
        }
        await self._database.run(self._statements.renew, values)

    async def _database_away(self, problem: JournalError) -> None:
        self._database_failures += 1
        if self._database_failures == 1:
            logger.warning("the outbox waits for its database, and goes on by itself: %s", problem)
        await asyncio.sleep(_DATABASE_AWAY.draw_wait(self._database_failures))
        self._may_have_more = True

    async def _write_last(self) -> None:
        """Write back what is left, for as long as that is worth the wait: others find it out."""
        until = uptime() + _SECONDS_TO_WRITE_BACK
        while self._ended and uptime() < until:
            self._write_at = 0.0
            await self._turn()


def _number(row: Taken) -> int:
    return row.id
