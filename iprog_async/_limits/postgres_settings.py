"""What all sessions with a PostgreSQL server have, whatever its role or database set.

A role, a database or the server may have other defaults, of the time before this library came: by
some of them the same statement means something else, and a text that was sent would not be found.
"""

from __future__ import annotations

from typing import LiteralString


_SESSION: dict[LiteralString, LiteralString] = {
    # No table or function of somebody else's is meant by ours.
    "search_path": "pg_catalog",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    # What the driver reads.
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    # All statements are made for what others have committed meanwhile.
    "default_transaction_isolation": "read committed",
    # How long a statement may take is for those to say who run it.
    "statement_timeout": "0",
}


def set_session(**more: LiteralString) -> LiteralString:
    """Return the query that sets what a session needs.

    Args:
        more: What it needs beside that, by name.
    """
    return "SELECT " + ", ".join(
        f"set_config('{name}', '{value}', false)" for name, value in (_SESSION | more).items()
    )


SESSION = set_session()
"""What a connection begins with."""
