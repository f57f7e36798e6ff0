"""A gateway, its provider and a look into the journal's file, for tests of the journal."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
from attrs import field, frozen

from iprog_async import (
    Journal,
    JournalError,
    Message,
    Outcome,
    RejectedError,
    RunHaltedError,
    SmsClient,
)
from iprog_async._journal.postgres.address import is_address
from iprog_async._journal.rows_claim import RowsClaim
from iprog_async._journal.sqlite.store import SqliteStore
from iprog_async.adapter import (
    Answer,
    Gateway,
    HttpCall,
    PreparedMessage,
    Refusal,
    accepted,
    give_up,
    is_object,
    refuse,
)
from support.core.fakes import FakeProvider, Wire
from support.postgres.looking import rows_of_address


Place = Path | str
"""Where a journal is: a file, or an address."""

ACCEPTED = httpx.Response(200, json={"id": "id-1"})
REFUSED = httpx.Response(422, json={"error": "no such number"})
BUSY = httpx.Response(423, json={"error": "try later"})
"""A certain refusal that heals."""
BROKEN = httpx.Response(500, text="oops")
"""Proves nothing."""
SLOW_DOWN = httpx.Response(429, headers={"Retry-After": "5"})
WRONG_TOKEN = httpx.Response(401)

_REFUSALS = (
    Refusal(RejectedError, status=(422,), healable=False, blame="recipient"),
    Refusal(RejectedError, status=(423,), healable=True, blame="message"),
)


@frozen(kw_only=True, eq=False, slots=False)
class PostingProvider(FakeProvider):
    """A provider whose requests go through the session, which claims what they carry."""

    gateway: Gateway = field(factory=lambda: Gateway("fake", "http://gateway.test", ("s3cret",)))

    async def _send(self, batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        body = {"to": [prepared.e164 for prepared in batch], "text": batch[0].message.text}
        message_id = await self._call(
            HttpCall(self.gateway, "POST", "/send", _read, "send the text", json=body)
        )
        return [accepted(prepared, self.name, message_id=message_id) for prepared in batch]


def _read(answer: Answer) -> str:
    # Gateways quote what they were sent, and so do errors.
    reason = str(answer.data.get("error", "")) if is_object(answer.data) else answer.excerpt
    refuse(answer, _REFUSALS, provider="fake", reason=reason)
    if answer.status != 200:
        raise give_up(answer, provider="fake", reason=reason)
    return str(answer.object()["id"])


def posting(wire: Wire, journal: Journal | None = None, **settings: Any) -> SmsClient[Any]:
    """Return a client of the posting provider over a wire."""
    return SmsClient(PostingProvider(), pool=wire.pool, journal=journal, **settings)


def sent_to(wire: Wire) -> list[str]:
    """Return the numbers that the gateway saw, in order."""
    return [number for request in wire.requests for number in numbers_of(request)]


def numbers_of(request: httpx.Request) -> list[str]:
    """Return the numbers of one request."""
    return list(json.loads(request.content)["to"])


async def run_over(
    client: SmsClient[Any], messages: Iterable[Message], **settings: Any
) -> list[Outcome]:
    """Send messages and return the outcomes by index, also of a run that halts."""
    outcomes: list[Outcome] = []
    async with client.send_many(messages, **settings) as run:
        with suppress(RunHaltedError):
            async for outcome in run:
                outcomes.append(outcome)
    return sorted(outcomes, key=lambda outcome: outcome.index)


async def send_all(
    path: Place,
    reply: httpx.Response | Exception | Callable[[httpx.Request], Any],
    messages: Iterable[Message],
    **opening: Any,
) -> tuple[list[str], list[str]]:
    """Run over messages with a journal; return the states by index, and the numbers asked for."""
    wire = Wire(reply)
    with Journal.open(path, **opening) as journal:
        outcomes = await run_over(posting(wire), messages, journal=journal)
    return [outcome.state for outcome in outcomes], sent_to(wire)


def sqlite_store(journal: Journal) -> SqliteStore:
    """Return a journal's store, where its file is what a test is about."""
    assert isinstance(journal.store, SqliteStore)
    return journal.store


async def take(claim: RowsClaim) -> None:
    """Claim as the session does before a request leaves."""
    error = await claim.take()
    if error is not None:
        raise error


def failing_later(journal: Journal) -> Callable[..., Awaitable[Any]]:
    """Return a journal's look-up that fails as it is asked what others have sent since."""
    look_up = journal.store.look_up

    async def fail_later(*asked: Any, since: bool = False, **how: Any) -> Any:
        if since:
            raise JournalError("the disk is gone for a moment")
        return await look_up(*asked, since=since, **how)

    return fail_later


def rows_in(path: Place, columns: str = "number, key, state") -> list[tuple[Any, ...]]:
    """Return what another process would read in the journal at this moment."""
    if is_address(path):
        return rows_of_address(str(path), columns)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        query = f"SELECT {columns} FROM entries ORDER BY id"  # noqa: S608 - a test's own words
        return connection.execute(query).fetchall()


def states_in(path: Place) -> list[str]:
    """Return the states of the rows, as another process would read them at this moment."""
    return [state for (state,) in rows_in(path, "state")]


def as_killed(path: Path, copy: Path) -> None:
    """Copy the file as a kill at this moment would leave it."""
    for suffix in ("", "-wal"):
        source = Path(f"{path}{suffix}")
        if source.exists():
            shutil.copyfile(source, f"{copy}{suffix}")
