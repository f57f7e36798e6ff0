"""A role of a database that has a password, which nobody may see."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from secrets import token_hex
from urllib.parse import urlsplit, urlunsplit

from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import ask, connect, run
from iprog_async._journal.postgres.schema import grants


PASSWORD = "h0rse-battery/staple"

_DEMANDED = "needs_password"
"""Whoever is in this role has to give a password, on a server of the tests' own."""


@contextmanager
def with_password(place: str, password: str = PASSWORD) -> Generator[str]:
    """Return the address of a journal for a role that has to give its password.

    Args:
        place: The journal.
        password: What the role says; the right one by default.
    """
    address = PostgresAddress.parse(place)
    role = f"secret_{token_hex(4)}"
    with connect(address) as connection:
        run(connection, f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
        run(connection, grants(address.schema, role))
        if ask(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", [_DEMANDED]):
            run(connection, f"GRANT {_DEMANDED} TO {role}")
    parts = urlsplit(place)
    login = f"{role}:{password.replace('/', '%2F')}@{parts.netloc.rpartition('@')[2]}"
    try:
        yield urlunsplit(parts._replace(netloc=login))
    finally:
        with connect(address) as connection:
            run(connection, f"DROP OWNED BY {role}")
            run(connection, f"DROP ROLE {role}")
