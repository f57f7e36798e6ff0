"""What a database says when it takes no text, and what to do about it."""

from __future__ import annotations

from iprog_async._core.errors import JournalError


_NO_OUTBOX = (
    "the database that connection= leads to has no outbox in the schema {schema}: texts are "
    "enqueued in the database of the journal. If this is the one, make it with: iprog-async "
    "journal init (or migrate, if an older release made it)"
)
_WHAT_TO_DO = {
    "3F000": _NO_OUTBOX,
    "42883": _NO_OUTBOX,
    "42P01": _NO_OUTBOX,
    "IPRG1": (
        "the database that connection= leads to has a journal in the schema {schema}, but not "
        "this one, or not this campaign: compare its address with that of Journal.open"
    ),
    "42501": (
        "this role may not enqueue: GRANT USAGE ON SCHEMA {schema} and GRANT EXECUTE ON FUNCTION "
        "{schema}.enqueue to it"
    ),
    "25P02": (
        "an earlier statement of this transaction failed, and PostgreSQL does nothing more in it: "
        "roll it back, and run it again as a whole"
    ),
    "25006": "this transaction is read-only, as all are on a standby: use the primary server",
}
"""By the server's code of an error, where its own words would not help."""


def explained(error: BaseException, schema: str) -> JournalError | None:
    """Return an error that says what to do; `None` where the driver's own is to go on.

    Such as one that asks for the transaction to be run again: programs wait for it.
    """
    words = _WHAT_TO_DO.get(_state(error))
    if words is None:
        return None
    return JournalError(f"{words.format(schema=schema)}. Nothing was enqueued")


def _state(error: BaseException) -> str:
    """Return the server's code of an error, which drivers and what is on top of them keep."""
    # SQLAlchemy has the driver's error as `orig`, Django as the cause.
    seen: BaseException | None = error
    while seen is not None:
        for name in ("sqlstate", "pgcode"):
            state = getattr(seen, name, None)
            if isinstance(state, str):
                return state
        seen = getattr(seen, "orig", None) or seen.__cause__
    return ""
