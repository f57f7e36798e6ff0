"""What a follow-up does next; pure decisions."""

from __future__ import annotations

import re

from attrs import evolve

from iprog_async._core.errors import (
    ConnectionFailedError,
    NoAnswerError,
    NotFoundError,
    ProviderError,
    RateLimitError,
    RejectedError,
    SmsError,
)
from iprog_async._core.receipts import DeliveryStatus, Receipt
from iprog_async._http.back_off import BackOff
from iprog_async._journal.rows import Row, unpack_receipt


LOOKS_IN_VAIN = 3
"""After so many rounds in which a gateway does not know an id, it is asked no more."""

_LONGEST_WAIT = 900.0


def waits(interval: float) -> BackOff:
    """Return how long to wait between rounds: longer and longer, as most texts are final soon."""
    return BackOff(interval, max(interval, _LONGEST_WAIT))


def is_worth_another_page(pages: int, found: int, missing: int) -> bool:
    """Return whether to read on in a list, instead of asking for each text that is missing.

    A page costs as much as one question. So what was read in vain never costs more than asking for
    each would: at worst, twice the requests of the better way are made.

    Args:
        pages: How many pages were read.
        found: How many texts were found on them.
        missing: How many are still to be found.
    """
    return missing > 0 and pages - found < missing


def passes(error: SmsError) -> bool:
    """Return whether trouble with a status is one of the moment, or of one text only."""
    if isinstance(error, (NoAnswerError, ConnectionFailedError, RateLimitError)):
        return True
    return isinstance(error, ProviderError) and error.blame != "account"


def lists_nothing(error: SmsError) -> bool:
    """Return whether an error says that this host has no such list, or takes no such filter."""
    return isinstance(error, (NotFoundError, RejectedError))


def changed_receipt(row: Row, status: DeliveryStatus) -> Receipt | None:
    """Return a row's receipt with a new status; `None` if that says nothing new.

    A word that no table knows is no news of a text.
    """
    receipt = unpack_receipt(row)
    before = receipt.status
    if status.state == "unknown" or (before.state, before.word) == (status.state, status.word):
        return None
    return evolve(receipt, status=status)


def is_for(row: Row, to: str | None) -> bool:
    """Return whether a number, as the gateway lists it, is a row's; if it lists one at all."""
    digits = _digits(to or "")
    return digits in ("", _digits(row.number), _digits(unpack_receipt(row).to))


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)
