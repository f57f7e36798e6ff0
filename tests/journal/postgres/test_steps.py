"""The steps of the schema: what was released is as it was, and leads to what is new."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from iprog_async._journal.postgres import migrations, schema
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, run
from iprog_async._journal.postgres.migrations import Migrated, migrate


# A line is added for a new step, and none is ever changed: whoever has had the step has it as it
# was, and `migrate` does not run it again. What is to be otherwise is another step.
HASHES = {
    "journal": "e254f893d7012f0ecd1b4d096fd38dfa2a7ace72706e9537cb443deebbaac30f",
    "limits": "758a3a2de14b532b7b74cd8aaed7f73e0f0f4503f514282e8b343acd3bec0555",
    "outbox": "f1ccd1fae830b799455768e3c85ef691a0031a78629ce539d409332f1e390192",
    "fleet": "554d7216fe8cfbae21c6f897d89861fc08221faec8065ad5a59794de92e2724e",
    "follow-up": "03ead30cf7a1fe2c0057c6d3e423f626dfab121942322464bf174fd77e7eeb07",
    "suppressions": "8eab4c9c6d0536144e9e449da2c630d63cc6b086bec923e69c70946915efa11e",
    "counts": "d1249eb8d94c7932a33ae09396cd560a3336f2fdcf8553d1f06cd89ae62d3fb5",
    "not after": "da2c650ef023a4d4f87330400546e1c4c7894e3129dd019a86423e45f79c38ee",
    "plans": "3df6f5ef9c416b12314a8ea6d72c64c0e2bee3c5c56c82f3b3e59ec5738f512e",
}
BEFORE = 7
"""The version that had no `not_after`, and of a new campaign told the planner nothing."""

_FUNCTIONS = """
SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid), p.proacl::text
FROM pg_proc AS p WHERE pronamespace = to_regnamespace(%(schema)s)::oid AND prokind = 'f'
"""
_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
WHERE c.relnamespace = to_regnamespace(%(schema)s)::oid AND a.attnum > 0
"""


def test_no_step_was_changed() -> None:
    """Each step is the SQL that it was when it was released, and in its place."""
    steps = [(step.name, sha256(step.sql.encode()).hexdigest()) for step in schema.STEPS]
    assert list(HASHES.items()) == steps


def made_of(address: PostgresAddress) -> dict[str, list[tuple[Any, ...]]]:
    """Return the functions and columns of a schema, by another name."""
    with connect(address) as connection:
        return {
            what: sorted(
                tuple(str(value).replace(address.schema, "schema") for value in row)
                for row in run(connection, question, {"schema": address.schema})
            )
            for what, question in {"functions": _FUNCTIONS, "columns": _COLUMNS}.items()
        }


def test_the_version_before_becomes_the_same(
    postgres_address: str, postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal that the version before made is, once it is migrated, like one that is new."""
    new = made_of(PostgresAddress.parse(postgres_journal))
    older = PostgresAddress.parse(postgres_address)
    with monkeypatch.context() as release:
        release.setattr(migrations, "VERSION", BEFORE)
        migrate(older)
    before = made_of(older)
    assert all(new[what] != before[what] for what in new)

    assert Migrated(schema.VERSION, schema.VERSION - BEFORE) == migrate(older)
    assert new == made_of(older)
