"""Two runs that claim for one person in the same moment, neither of which sees the other."""

from __future__ import annotations

from typing import Any

import pytest
from support.core.fakes import NUMBER, prepared
from support.journal.journaling import rows_in, take

from iprog_async import Journal
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, run
from iprog_async._journal.postgres.execution import Execution
from iprog_async._journal.postgres.statements import Statements
from iprog_async._journal.store import ClaimLostError


OTHER_RUN, ITS_ATTEMPT = 77, 1


async def test_who_claims_looks_again(
    postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim is given back if another run's, which it could not see yet, was there as well."""
    address = PostgresAddress.parse(postgres_journal)
    looks_again: Any = Execution._contested  # pyright: ignore[reportPrivateUsage] - the moment between
    with Journal.open(postgres_journal, campaign="june") as journal, connect(address) as other:
        ledger = await Ledger.of_run(journal)
        claim = Statements(address.schema, 1).claim
        values = (NUMBER, None, b"another", OTHER_RUN, ITS_ATTEMPT, 0, "released", True, False)
        run(other, "BEGIN")
        run(other, claim.sql, claim.values([values]))

        def later(*args: Any) -> Any:
            run(other, "COMMIT")
            return looks_again(*args)

        monkeypatch.setattr(Execution, "_contested", later)
        with pytest.raises(ClaimLostError):
            await take(ledger.claim([prepared()]))
        ledger.end()
    found = dict(rows_in(postgres_journal, "run, state"))
    assert {OTHER_RUN: "claimed", 1: "released"} == found
