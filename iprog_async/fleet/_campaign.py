"""A campaign that a fleet sends: to be watched, halted and resumed from anywhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from iprog_async._core.checks import check_storable
from iprog_async._core.errors import ConfigurationError, JournalError
from iprog_async._journal.postgres.connecting import translated
from iprog_async._journal.postgres.schema import quoted
from iprog_async._journal.postgres.session import only_campaign, only_of
from iprog_async.fleet._chunking import defer_jobs
from iprog_async.fleet._database import (
    Connection,
    ask,
    ask_all,
    connect,
    notify,
    parse_address,
    run,
)
from iprog_async.fleet._run_state import halt
from iprog_async.fleet._status import CampaignStatus, read_status


_FIND = "SELECT id, name FROM {schema}.campaigns WHERE name = %s"
_RESUME = """
UPDATE {schema}.fleet_runs AS r
SET halted = NULL, halted_at = NULL,
  max_credits = CASE WHEN max_credits IS NULL THEN NULL
    ELSE coalesce(%(max_credits)s::bigint, max_credits) END
WHERE campaign = %(campaign)s AND EXISTS (
  SELECT FROM {schema}.fleet_chunks AS c
  WHERE c.campaign = r.campaign AND c.run = r.run AND c.done_at IS NULL
)"""
_LEFT = "SELECT count(*) FROM {schema}.fleet_chunks WHERE campaign = %s AND done_at IS NULL"
_FORGET_LOST = "DELETE FROM {schema}.fleet_lost WHERE campaign = %(campaign)s"


class FleetCampaign:
    """A campaign of a fleet; use it as an async context manager.

    Args:
        journal: The address of the journal in PostgreSQL.
        campaign: The campaign's name; `None` takes the only one.

    Raises:
        ConfigurationError: What a fleet needs is not installed.
        JournalError: The address can't be read.
    """

    def __init__(self, journal: str, campaign: str | None = "") -> None:
        check_storable("campaign", campaign)
        self._address = parse_address(journal)
        self._wanted = campaign
        self._name = ""
        self._connection: Connection | None = None
        self._id = 0

    async def __aenter__(self) -> Self:
        self._connection = await connect(self._address)
        try:
            with translated(self._address):
                self._id, self._name = await self._find(self._connection)
        except BaseException:
            await self._connection.close()
            raise
        return self

    async def _find(self, connection: Connection) -> tuple[int, str]:
        if self._wanted is None:
            several = await ask_all(connection, only_campaign(self._address))
            return only_of(self._address, several), several[0][1]
        find = _FIND.format(schema=quoted(self._address.schema))
        found = await ask(connection, find, [self._wanted])
        if found is None:
            raise JournalError(f"the journal {self._address} has no campaign {self._wanted!r}")
        return found[0], found[1]

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._open.close()

    @property
    def _open(self) -> Connection:
        if self._connection is None:
            raise ConfigurationError("a campaign is used as: async with FleetCampaign(…) as june")
        return self._connection

    async def status(self) -> CampaignStatus:
        """Return how far it has come, and who works; cheap, whatever its size.

        Raises:
            JournalError: The journal can't be read.
        """
        with translated(self._address):
            return await read_status(self._open, self._address.schema, self._name)

    async def halt(self, why: str = "somebody halted it") -> int:
        """Let all workers stop sending it, within a second or so; what is on its way ends.

        Returns:
            How many of its runs went on until now.

        Raises:
            JournalError: The journal can't be written.
        """
        with translated(self._address):
            return await halt(self._open, self._address.schema, self._id, None, why)

    async def resume(self, *, max_credits: int | None = None) -> int:
        """Let the workers go on with what is left of it.

        Args:
            max_credits: Instead of the limit that it was loaded with, if it had one.

        Returns:
            How many chunks are left of it.

        Raises:
            JournalError: The journal can't be written.
        """
        schema = self._address.schema
        name = quoted(schema)
        values = {"campaign": self._id, "max_credits": max_credits}
        with translated(self._address):
            async with self._open.transaction():
                await run(self._open, _RESUME.format(schema=name), values)
                await run(self._open, _FORGET_LOST.format(schema=name), values)
                await defer_jobs(self._open, schema, self._id)
                await notify(self._open, schema)
            (left,) = await ask(self._open, _LEFT.format(schema=name), [self._id])
        return int(left)
