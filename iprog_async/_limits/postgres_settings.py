"""What all sessions with a PostgreSQL server have, whatever its role or database set.

A role, a database or the server may have other defaults, of the time before this library came: by
some of them the same statement means something else, and a text that was sent would not be found.
"""

from __future__ import annotations


# No table or function of somebody else's is meant by ours; then how texts and arrays are read; how
# the driver reads what comes back; all statements are made for what others have committed
# meanwhile; and how long one may take is for those to say who run it.
SESSION = (
    "SELECT set_config('search_path', 'pg_catalog', false), "
    "set_config('standard_conforming_strings', 'on', false), "
    "set_config('array_nulls', 'on', false), "
    "set_config('DateStyle', 'ISO, MDY', false), "
    "set_config('IntervalStyle', 'postgres', false), "
    "set_config('bytea_output', 'hex', false), "
    "set_config('extra_float_digits', '1', false), "
    "set_config('default_transaction_isolation', 'read committed', false), "
    "set_config('statement_timeout', '0', false)"
)
"""What a connection begins with; more can be appended."""

KEEPALIVES = {
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 8000,
}
"""What is asked of TCP: a machine that is gone without a word is noticed while a claim counts."""

TROUBLE_OF_DRIVER = (OSError, ValueError, NotImplementedError)
"""What the driver raises of its own where it can't wait, or can't read what it is given."""
