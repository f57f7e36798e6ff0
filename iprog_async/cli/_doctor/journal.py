"""What the doctor says of a journal."""

from __future__ import annotations

import asyncio
from typing import Any

from attrs import frozen

from iprog_async._core.errors import SmsError
from iprog_async._journal.places import shown
from iprog_async._journal.postgres.address import PostgresAddress, is_address
from iprog_async._journal.postgres.health import Health, examine
from iprog_async._journal.reader import JournalReader
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._errors.failure import from_error


# Timestamps only: no decision depends on a clock of two machines.
_WORTH_A_WORD = 1.0


@frozen
class JournalFinding:
    """One journal.

    Args:
        place: Where it is, as people may see it.
        health: What its database is like; `None` of a file, or where it can't be reached.
        problems: What is wrong.
    """

    place: str
    health: Health | None
    problems: tuple[str, ...]

    @property
    def code(self) -> ExitCode:
        """What the doctor ends with for it."""
        return ExitCode.CONFIGURATION if self.problems else ExitCode.OK

    def rows(self) -> list[tuple[str, str]]:
        """Return labels and words."""
        rows = [("journal", self.place)]
        if self.health is not None:
            rows.append(("server", f"PostgreSQL {self.health.server}"))
            rows.append(("commit", self.health.commit_words))
            rows.append(("schema", self.health.schema))
            rows.append(("fleet", self.health.fleet))
            difference = self.health.clock_difference
            if abs(difference) >= _WORTH_A_WORD:
                rows.append(
                    (
                        "clock",
                        f"the server's is {difference:+.0f} s from ours; only times that people "
                        "read depend on it",
                    )
                )
        return rows + [("PROBLEM", problem) for problem in self.problems]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        health = self.health
        return {
            "place": self.place,
            "server": health and health.server,
            "synchronous_commit": health and health.synchronous_commit,
            "synchronous_standbys": health and health.standbys,
            "schema": health and health.schema,
            "fleet": health and health.fleet,
            "clock_difference": health and round(health.clock_difference, 3),
            "problems": list(self.problems),
        }


async def examine_journal(place: str) -> JournalFinding:
    """Look at a journal; nothing in it is changed.

    Args:
        place: A path or an address.
    """
    try:
        if is_address(place):
            address = PostgresAddress.parse(place)
            health = await asyncio.to_thread(examine, address)
            return JournalFinding(address.shown, health, health.problems)
        (await asyncio.to_thread(JournalReader.open, place)).close()
    except SmsError as exc:
        return JournalFinding(_named(place), None, (from_error(exc).message,))
    return JournalFinding(place, None, ())


def _named(place: str) -> str:
    try:
        return shown(place)
    except SmsError:
        return "(an address that can't be read)"
